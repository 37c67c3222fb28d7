import type { AllocationSite } from '../../model/signals.js';
import { formatBytes, formatShare } from '../../units.js';
import { confidenceAbove, loopSeverity } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';
import type { HotOperation, SignalView } from '../signal-view.js';
import { HEAP_NEAR_LIMIT } from './heap-near-limit.js';
import { timerFlood } from './timer-flood.js';

const GC_BUSY_SHARE = 0.12;
const GC_LOOP_SHARE = 0.03;
const BYTES_PER_SECOND = 30e6;
/**
 * Bytes per millisecond of a function's own time from which making objects is most of what it does. V8 makes and
 * fills small objects at one to three GB/s, which the corpus' churning functions reach; computing ones that make
 * some on the way stay below half of this, crowded hosts included.
 */
const ALLOCATION_BOUND = 700e3;
/**
 * Share of a function's time on lines that make objects, from which making them is what it does however slowly: copies by
 * spread of many properties, or of objects of many shapes, reach a fifth of what V8 can.
 */
const MAKING_SHARE = 0.6;
/** From here on a function does nothing but copy into new objects, and the collector's part may be smaller. */
const COPYING_BOUND = 1000e3;
const COPYING_BYTES_PER_SECOND = 200e6;
const COPYING_GC_SHARE = 0.04;
/** Less of the garbage than this is the program's: the rest comes with Node's requests and responses. */
const OWN_SHARE = 0.5;

/** Garbage made so fast that collecting it takes a good part of the loop. */
export const allocationChurn: Rule = {
  cause: 'allocation-churn',
  evaluate(view) {
    const gcBusy = view.value('cpu.gc.share');
    const gcLoop = view.value('gc.share');
    const rate = view.value('heap.allocation.rate');
    if (gcBusy === undefined || gcLoop === undefined || rate === undefined) return { findings: [] };
    const site = ownSites(view)[0];
    // A function that does little else than make objects spends its own time on the garbage too.
    const maker = view.operations.find(
      ({ operation }) => operation.kind === 'own-code' && isAt(site, operation.location),
    );
    // Of the time that it ran; on a crowded host it waits for a good part of what samples give it.
    const ranMs = (maker?.activeMs ?? 0) * (1 - view.waitingShare);
    const bytesPerMs = site === undefined || ranMs === 0 ? 0 : site.allocatedBytes / ranMs;
    const copies =
      bytesPerMs >= COPYING_BOUND && rate >= COPYING_BYTES_PER_SECOND && gcBusy >= COPYING_GC_SHARE;
    if (gcLoop < GC_LOOP_SHARE || rate < BYTES_PER_SECOND || (gcBusy < GC_BUSY_SHARE && !copies)) {
      return {
        findings: [],
        because: `the collector took ${formatShare(gcBusy)} of busy time, for ${formatBytes(rate)} allocated a second`,
      };
    }
    if ((view.value('heap.floor.share') ?? 0) >= HEAP_NEAR_LIMIT) {
      return {
        findings: [],
        because: 'the collector runs because the heap is nearly full, not because of new garbage',
      };
    }
    const own = ownSites(view).reduce((sum, each) => sum + ownBytes(each), 0);
    const all = view.signals.allocations.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
    // Without a heap profile nothing is known of who made it.
    const ownShare = all === 0 ? 1 : own / all;
    if (ownShare < OWN_SHARE) {
      return {
        findings: [],
        because: `the program’s own functions make only ${formatShare(ownShare)} of the garbage; the rest comes with Node’s own work for it`,
      };
    }
    if (timerFlood.evaluate(view).findings.length > 0) {
      return { findings: [], because: 'the garbage is what timers leave, which have a finding of their own' };
    }
    const explained = site === undefined ? undefined : specificOperation(view, site);
    if (explained !== undefined) {
      return { findings: [], because: `the garbage comes from ${explained}, which has a finding of its own` };
    }
    const location = site !== undefined && site.share >= 0.15 ? site.location : undefined;
    const isBound =
      maker !== undefined && (bytesPerMs >= ALLOCATION_BOUND || makingShare(maker) >= MAKING_SHARE);
    const impact = Math.min(1, gcLoop + (isBound ? maker.loopShare : 0));
    return {
      findings: [
        {
          cause: 'allocation-churn',
          severity: loopSeverity(gcLoop * 2, view.value('gc.pause.max') ?? 0),
          confidence: Math.max(
            Math.min(confidenceAbove(gcBusy, GC_BUSY_SHARE), confidenceAbove(rate, BYTES_PER_SECOND)),
            copies ? confidenceAbove(bytesPerMs, COPYING_BOUND) : 0,
          ),
          impact,
          explainsOwnCode: isBound,
          title:
            location === undefined
              ? 'The program makes garbage faster than is cheap to collect'
              : `${placeOf(location)} makes ${formatShare(site!.share)} of ${formatBytes(rate)} garbage a second`,
          ...(location === undefined ? {} : { location }),
          evidence: [
            ...view.evidence(
              'cpu.gc.share',
              (value) => `The collector took ${formatShare(value)} of busy time.`,
              GC_BUSY_SHARE,
            ),
            ...view.evidence(
              'heap.allocation.rate',
              (value) => `${formatBytes(value)} were allocated a second.`,
              BYTES_PER_SECOND,
            ),
            ...view.evidence('gc.pause.max', (value) => `The longest pause lasted ${value.toFixed(1)} ms.`),
          ],
          expectedGain: gcBusy,
        },
      ],
    };
  },
};

/** What a place allocates itself or in its own callees, without what Node's functions below it do. */
function ownBytes({ allocatedBytes, nodeShare }: AllocationSite): number {
  return allocatedBytes * (1 - (nodeShare ?? 0));
}

function makingShare({ operation: { makingMs, totalMs } }: HotOperation): number {
  return totalMs === 0 ? 0 : (makingMs ?? 0) / totalMs;
}

function ownSites(view: SignalView): AllocationSite[] {
  return view.userAllocations('allocatedBytes').toSorted((a, b) => ownBytes(b) - ownBytes(a));
}

function isAt(site: AllocationSite | undefined, location: AllocationSite['location']): boolean {
  return (
    site !== undefined && site.location.file === location.file && site.location.function === location.function
  );
}

/** JSON, compression and the like make garbage as a by-product; they are the cause then. */
function specificOperation(view: SignalView, site: AllocationSite): string | undefined {
  const here = view.operations.filter(({ operation }) => isAt(site, operation.location));
  const [first] = here;
  if (first === undefined || first.operation.kind === 'own-code' || first.operation.kind === 'buffer')
    return undefined;
  return first.operation.kind === 'node' ? undefined : first.operation.name;
}
