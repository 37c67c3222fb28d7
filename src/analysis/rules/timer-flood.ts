import { formatNumber, formatShare } from '../../units.js';
import { confidenceAbove, loopSeverity } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';

const TIMERS_SHARE = 0.15;
const LOOP_SHARE = 0.05;
const MANY_TIMERS = 2000;

/** Timers made or fired in such numbers that Node's own bookkeeping takes a good part of the loop. */
export const timerFlood: Rule = {
  cause: 'timer-flood',
  evaluate(view) {
    const inNode = view.value('cpu.timers.share');
    if (inNode === undefined) return { findings: [] };
    const makers = view.ofKind('timer');
    const busy = view.value('cpu.busy.share') ?? 0;
    const made = makers.reduce((sum, { busyShare }) => sum + busyShare, 0);
    // Timers are objects that live long enough to be copied: the collector's time is left out of the comparison.
    const share = (inNode + made) / Math.max(0.05, 1 - (view.value('cpu.gc.share') ?? 0));
    const pending = view.value('eventLoop.activeTimers') ?? 0;
    const isFlood =
      (share >= TIMERS_SHARE || (pending >= MANY_TIMERS && share >= TIMERS_SHARE / 2)) &&
      share * busy >= LOOP_SHARE;
    if (!isFlood) {
      return {
        findings: [],
        because: `timers took ${formatShare(share * busy)} of the time, with at most ${formatNumber(pending)} pending`,
      };
    }
    const location = makers[0]?.operation.location;
    return {
      findings: [
        {
          cause: 'timer-flood',
          severity: loopSeverity(share * busy, 0),
          confidence: Math.max(confidenceAbove(share, TIMERS_SHARE), confidenceAbove(pending, MANY_TIMERS)),
          impact: share * busy,
          title:
            location === undefined
              ? 'Timers flood the event loop'
              : `${placeOf(location)} floods the event loop with timers`,
          ...(location === undefined ? {} : { location }),
          evidence: [
            ...view.evidence(
              'cpu.timers.share',
              (value) => `Node’s timer code took ${formatShare(value)} of busy time.`,
              TIMERS_SHARE,
            ),
            ...view.evidence(
              'eventLoop.activeTimers',
              (value) => `Up to ${formatNumber(value)} timers were pending.`,
              MANY_TIMERS,
            ),
          ],
          expectedGain: share,
        },
      ],
    };
  },
};
