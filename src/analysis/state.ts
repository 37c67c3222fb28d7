/** What is said of a program in which no rule found a fault: it is healthy, or it simply has as much to do as it can. */
import type { Finding } from '../model/finding.js';
import { formatDurationMs, formatShare } from '../units.js';
import type { RankedFinding } from './rule.js';
import type { SignalView } from './signal-view.js';

const SATURATED = 0.9;
/** The loop of a program whose callers wait for a CPU too rests for a moment now and then, though its thread wants to run. */
const NEARLY = 0.8;
/** Forty samples at most: what a shorter window shows is chance, and the start of the profile itself. */
export const LEAST_WINDOW_MS = 100;
/** A shorter window shows a moment, not a state. */
const WHOLE_WINDOW_MS = 1000;
/** What is wrong around the program comes before its own state only where it weighs more than this. */
const OWN_STATE = 0.2;

export function stateOf(view: SignalView): RankedFinding {
  const utilization = view.value('eventLoop.utilization') ?? view.value('cpu.busy.share');
  const evidence: Finding['evidence'] = [
    ...view.evidence(
      'eventLoop.utilization',
      (value) => `The event loop was busy for ${formatShare(value)} of the time.`,
      SATURATED,
    ),
    ...view.evidence(
      'eventLoop.delay.p99',
      (value) => `99 % of timers were less than ${formatDurationMs(value)} late.`,
    ),
    ...view.evidence(
      'gc.share',
      (value) => `The collector paused the program for ${formatShare(value)} of the time.`,
    ),
  ];
  if (view.signals.durationMs < LEAST_WINDOW_MS) {
    return {
      cause: 'healthy',
      severity: 'info',
      confidence: 0.1,
      impact: OWN_STATE,
      title: `No fault was found, but ${formatDurationMs(view.signals.durationMs)} are too short to judge a program by`,
      detail: `Profile for a second or more; a program that ends earlier has little that could be slow. From ${LEAST_WINDOW_MS} ms on its state is judged.`,
      evidence: [],
    };
  }
  if (utilization === undefined) {
    return {
      cause: 'healthy',
      severity: 'info',
      confidence: 0.3,
      impact: OWN_STATE,
      title: 'No fault was found, but the load of the event loop is not known',
      evidence,
    };
  }
  const certainty = Math.min(1, Math.max(0.1, view.signals.durationMs / WHOLE_WINDOW_MS));
  const wanted = (view.value('thread.main.onCpu') ?? 0) + (view.value('thread.main.runnable') ?? 0);
  if (utilization >= SATURATED || (utilization >= NEARLY && wanted >= SATURATED)) {
    return {
      cause: 'saturated',
      // No fault: a service that earns its CPU looks like this, and its owner may want more of them.
      severity: 'low',
      confidence: certainty * (0.55 + 0.4 * (Math.max(0, utilization - SATURATED) / (1 - SATURATED))),
      impact: OWN_STATE,
      title: `The event loop is busy for ${formatShare(utilization)} of the time, and no function stands out`,
      detail:
        'The work is spread over the whole program: more processes or threads help, a single change to the code does not.',
      evidence,
    };
  }
  return {
    cause: 'healthy',
    severity: 'info',
    confidence: certainty * Math.min(0.95, 0.55 + 0.5 * (SATURATED - utilization)),
    impact: OWN_STATE,
    title: `Nothing is wrong: the event loop is busy for ${formatShare(utilization)} of the time`,
    evidence,
  };
}
