import { formatNumber, formatShare } from '../../units.js';
import { confidenceAbove, loopSeverity } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';
import type { SignalView } from '../signal-view.js';

const TIMERS_SHARE = 0.15;
const LOOP_SHARE = 0.05;
const MANY_TIMERS = 2000;

const TIMER_CALLS = /^(set|clear)(Timeout|Interval|Immediate)$/;

/** Timers made or fired in such numbers that Node's own bookkeeping takes a good part of the loop. */
export const timerFlood: Rule = {
  cause: 'timer-flood',
  evaluate(view) {
    const inNode = view.value('cpu.timers.share');
    if (inNode === undefined) return { findings: [] };
    const makers = view.ofKind('timer');
    const made = makers.reduce((sum, { busyShare }) => sum + busyShare, 0);
    // Timers are objects that live long enough to be copied. Where they are the garbage, collecting it is their doing;
    // where others are, the collector's time is left out of the comparison.
    const gc = view.value('cpu.gc.share') ?? 0;
    const ofTimers = inNode + made;
    const share = Math.max(ofTimers / Math.max(0.05, 1 - gc), ofTimers + gc * garbageOfTimers(view));
    const pending = view.value('eventLoop.activeTimers') ?? 0;
    const loopShare = view.loopShareOfBusy(share);
    const isFlood =
      (share >= TIMERS_SHARE || (pending >= MANY_TIMERS && share >= TIMERS_SHARE / 2)) &&
      loopShare >= LOOP_SHARE;
    if (!isFlood) {
      return {
        findings: [],
        because: `timers took ${formatShare(loopShare)} of the time, with at most ${formatNumber(pending)} pending`,
      };
    }
    const location = makers[0]?.operation.location;
    return {
      findings: [
        {
          cause: 'timer-flood',
          severity: loopSeverity(loopShare, 0),
          confidence: Math.max(confidenceAbove(share, TIMERS_SHARE), confidenceAbove(pending, MANY_TIMERS)),
          impact: loopShare,
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

/** Part of all allocated bytes that places which mostly make timers allocate, 0 to 1. */
function garbageOfTimers({ signals: { allocations } }: SignalView): number {
  const all = allocations.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  const timers = allocations
    .filter(({ through }) => through !== undefined && TIMER_CALLS.test(through))
    .reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  return all === 0 ? 0 : timers / all;
}
