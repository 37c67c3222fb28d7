import { formatNumber, formatShare } from '../../units.js';
import { confidenceAbove, loopSeverity } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';
import type { SignalView } from '../signal-view.js';

const TIMERS_SHARE = 0.15;
const LOOP_SHARE = 0.05;
const MANY_TIMERS = 2000;
/** Timers made a second, from which on half of that share is a flood: with a hundred requests' worth it is not. */
const MANY_MADE = 20_000;
/** A `Timeout` with its callback, in a 64-bit V8. */
const TIMER_BYTES = 200;
/** Of busy time in making and running them, below which what else is made may be other things than timers. */
const LEAST_SHARE = 0.05;

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
    const created = view.value('eventLoop.resourcesCreated') ?? 0;
    const ofGarbage = ofTimers >= LEAST_SHARE ? garbageOfTimers(view, created) : 0;
    // Both are counted by samples of their own: together they may come to more than there is.
    const share = Math.min(1, Math.max(ofTimers / Math.max(0.05, 1 - gc), ofTimers + gc * ofGarbage));
    const pending = view.value('eventLoop.activeTimers') ?? 0;
    const loopShare = view.loopShareOfBusy(share);
    const isMany = pending >= MANY_TIMERS || created >= MANY_MADE;
    const isFlood =
      (share >= TIMERS_SHARE || (isMany && share >= TIMERS_SHARE / 2)) &&
      loopShare >= (isMany ? LOOP_SHARE / 2 : LOOP_SHARE);
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
            ...view.evidence(
              'eventLoop.resourcesCreated',
              (value) => `${formatNumber(value)} timers and other resources of Node were made a second.`,
              MANY_MADE,
            ),
          ],
          expectedGain: share,
        },
      ],
    };
  },
};

/** Part of what is allocated that timers are, 0 to 1: by their number, or by the places that mostly make timers. */
function garbageOfTimers(view: SignalView, created: number): number {
  const rate = view.value('heap.allocation.rate') ?? 0;
  const { allocations } = view.signals;
  const all = allocations.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  const timers = allocations
    .filter(({ through }) => through !== undefined && TIMER_CALLS.test(through))
    .reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  const bySites = all === 0 ? 0 : timers / all;
  const byNumber = rate === 0 ? 0 : (created * TIMER_BYTES) / rate;
  return Math.min(1, Math.max(bySites, byNumber));
}
