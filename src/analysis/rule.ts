import type { Cause, Finding } from '../model/finding.js';
import type { SignalView } from './signal-view.js';

/**
 * One diagnosis: signals in, findings out. A rule looks at the signals alone, never at the host or the files. It is
 * synchronous; one that throws is left out with a warning.
 *
 * @example
 * const queueFills: Rule = {
 *   name: 'queue fills',
 *   cause: 'backpressure-ignored',
 *   evaluate: (view) => {
 *     const depth = view.value('app.queue.depth');
 *     if (depth === undefined) return { findings: [] };
 *     if (depth < 100) return { findings: [], because: `the queue never held more than ${depth} jobs` };
 *     const title = `The queue held ${depth} jobs`;
 *     return { findings: [{ cause: 'backpressure-ignored', severity: 'high', confidence: 0.8, impact: 0.5, title, evidence: [] }] };
 *   },
 * };
 * optimizer.addRule(queueFills);
 */
export interface Rule {
  /** For warnings, and to tell rules of one cause apart. Default: the cause. */
  readonly name?: string;
  /** What it looks for, from `CAUSES`; what is finer goes into the `detail` of its findings. */
  readonly cause: Cause;
  evaluate(view: SignalView): RuleResult;
}

export interface RuleResult {
  readonly findings: readonly RankedFinding[];
  /** Why the cause is ruled out, as the rest of “…, because”; absent where the signals cannot tell. */
  readonly because?: string;
}

/** A finding before the analysis orders it and adds what was ruled out. */
export interface RankedFinding extends Omit<Finding, 'ruledOut'> {
  /** How much of the program's time or headroom the cause takes, 0 to 1. Orders findings; greatest first. */
  readonly impact: number;
  /**
   * Whether the cause is the reason for which the function at `location` takes its time. Plain computation in the
   * same function is then the same fault, seen without its cause, and is left out.
   */
  readonly explainsOwnCode?: boolean;
}

/** Causes that lie around the program, not in it. They never keep a program from being called healthy. */
export const ENVIRONMENT_CAUSES: ReadonlySet<Cause> = new Set<Cause>([
  'noisy-neighbour',
  'cpu-steal',
  'disk-iowait',
  'cpu-throttling',
  'memory-pressure',
]);
