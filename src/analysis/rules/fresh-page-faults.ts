import type { OperationKind } from '../../model/signals.js';
import { formatNumber, formatShare } from '../../units.js';
import { confidenceAbove, loopSeverity } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';

const FAULTS_PER_SECOND = 20_000;
const SYSTEM_SHARE = 0.2;
const PAGE_BYTES = 4096;
/** Of busy time, from which on the heap's own pages may be what is touched. */
const COLLECTOR_SHARE = 0.12;
/** Of CPU time in the kernel, from which on a function that touches memory takes its time for that. */
const MOST_OF_IT = 0.4;
/** Share of busy time from which a named operation explains the memory that it takes. */
const SPECIFIC = 0.2;
const ORDINARY: ReadonlySet<OperationKind> = new Set(['own-code', 'buffer']);

/** Large memory that is taken from the kernel and given back again and again: every first touch of a page faults. */
export const freshPageFaults: Rule = {
  cause: 'fresh-page-faults',
  evaluate(view) {
    const faults = view.value('process.faults.minor');
    const system = view.value('process.cpu.system');
    const total = view.value('process.cpu.total');
    if (faults === undefined || system === undefined || total === undefined) return { findings: [] };
    const systemShare = total === 0 ? 0 : system / total;
    if (faults < FAULTS_PER_SECOND || systemShare < SYSTEM_SHARE) {
      return {
        findings: [],
        because: `${formatNumber(faults)} fresh pages a second with ${formatShare(systemShare)} of CPU time in the kernel are ordinary`,
      };
    }
    // A heap that grows and shrinks with its garbage touches fresh pages too: at most as many as are allocated.
    const churn = view.value('heap.allocation.rate') ?? 0;
    if ((view.value('cpu.gc.share') ?? 0) >= COLLECTOR_SHARE && churn >= faults * PAGE_BYTES) {
      return { findings: [], because: 'the fresh memory is the heap’s own, for what the collector frees' };
    }
    const specific = view.operations.find(
      ({ operation, busyShare }) =>
        busyShare >= SPECIFIC && !ORDINARY.has(operation.kind) && operation.kind !== 'node',
    );
    if (specific !== undefined) {
      return { findings: [], because: `the fresh memory is what ${specific.operation.name} needs` };
    }
    const maker = view.operations.find(({ operation }) => ORDINARY.has(operation.kind));
    const location = maker?.operation.location;
    const isMostOfIt = systemShare >= MOST_OF_IT;
    return {
      findings: [
        {
          cause: 'fresh-page-faults',
          severity: loopSeverity(system, 0),
          confidence: Math.min(
            confidenceAbove(faults, FAULTS_PER_SECOND),
            confidenceAbove(systemShare, SYSTEM_SHARE),
          ),
          // Where the kernel takes most of the time, the function's own time on the loop is spent on first touches.
          impact: Math.min(1, Math.max(system, isMostOfIt ? (maker?.loopShare ?? 0) : 0) * 1.1),
          explainsOwnCode: isMostOfIt,
          title:
            location === undefined
              ? 'The program touches fresh memory all the time'
              : `${placeOf(location)} touches fresh memory all the time`,
          ...(location === undefined ? {} : { location }),
          evidence: [
            ...view.evidence(
              'process.faults.minor',
              (value) => `${formatNumber(value)} fresh pages were touched a second.`,
              FAULTS_PER_SECOND,
            ),
            ...view.evidence(
              'process.cpu.system',
              (value) => `The kernel used ${formatShare(value)} of a CPU for the program.`,
            ),
          ],
          expectedGain: systemShare,
        },
      ],
    };
  },
};
