import { formatShare } from '../../units.js';
import { confidenceAbove, loopSeverity } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';

const SHARE = 0.3;
const LOOP_SHARE = 0.08;

/** Promises or nextTick callbacks that follow one another without a pause: timers and sockets have to wait. */
export const microtaskFlood: Rule = {
  cause: 'microtask-flood',
  evaluate(view) {
    const inNode = view.value('cpu.microtasks.share');
    if (inNode === undefined) return { findings: [] };
    const makers = view.ofKind('microtask');
    const made = makers.reduce((sum, { busyShare }) => sum + busyShare, 0);
    const share = (made + inNode) / Math.max(0.05, 1 - (view.value('cpu.gc.share') ?? 0));
    const loopShare = view.loopShareOfBusy(share);
    if (share < SHARE || loopShare < LOOP_SHARE) {
      return { findings: [], because: `promises and nextTick took ${formatShare(loopShare)} of the time` };
    }
    const location = makers[0]?.operation.location;
    const longestMs = view.value('eventLoop.delay.max') ?? 0;
    return {
      findings: [
        {
          cause: 'microtask-flood',
          severity: loopSeverity(loopShare, longestMs),
          confidence: confidenceAbove(share, SHARE),
          impact: loopShare,
          title:
            location === undefined
              ? 'Promises or nextTick callbacks flood the event loop'
              : `${placeOf(location)} floods the event loop with microtasks`,
          ...(location === undefined ? {} : { location }),
          evidence: [
            {
              metric: 'operation.busyShare',
              value: share,
              unit: 'ratio',
              threshold: SHARE,
              statement: `Making and running promises or nextTick callbacks took ${formatShare(share)} of busy time.`,
            },
            ...view.evidence(
              'eventLoop.delay.max',
              (value) => `The event loop did not come round for up to ${Math.round(value)} ms.`,
            ),
          ],
          expectedGain: share,
        },
      ],
    };
  },
};
