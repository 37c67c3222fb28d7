/**
 * Computation that no single function stands for: one call blocks the loop, and its time lies in many small functions.
 *
 * Each of them has too little time, and the next one ends its stretch of samples after a millisecond. What does stand out
 * is the function above them: the whole stretch has it on the stack. Only time in the program's own code counts, and only
 * long stretches: every handler of a busy server has most of the samples below it.
 */
import type { CodeLocation } from '../model/finding.js';
import type { FunctionCost } from '../model/signals.js';
import { formatDurationMs, formatShare } from '../units.js';
import { confidenceAbove, loopSeverity } from './confidence.js';
import { LEAST_BUSY_MS, placeOf } from './operation-finding.js';
import type { RankedFinding } from './rule.js';
import type { SignalView } from './signal-view.js';

const LONGEST_MS = 40;
const LOOP_SHARE = 0.1;
/** Of the stretch below a function, in the program's own code: the rest is Node's work for it. */
const OWN_PART = 0.7;
/** Busy share of the loop from which on one call may follow another without a pause. */
const DENSE_LOOP = 0.5;
/** The innermost function with this much of what the outermost has is the one to look at. */
const MOST_OF_IT = 0.8;

interface Candidate {
  readonly cost: FunctionCost;
  readonly ownMs: number;
  readonly loopShare: number;
}

export function spreadComputation(view: SignalView): RankedFinding | undefined {
  const candidates = view.signals.functions
    .filter(({ origin, location }) => origin === 'user' && location.function !== '(module)')
    .map((cost): Candidate => {
      const ownMs = ownBelow(view, cost.location);
      return { cost, ownMs, loopShare: view.loopShareOf(ownMs) };
    })
    .filter(
      ({ cost, ownMs, loopShare }) =>
        ownMs >= LEAST_BUSY_MS &&
        loopShare >= LOOP_SHARE &&
        ownMs >= cost.totalMs * OWN_PART &&
        (cost.longestRunMs ?? 0) >= leastRunMs(view, cost),
    );
  const greatest = Math.max(0, ...candidates.map(({ ownMs }) => ownMs));
  const [found] = candidates
    .filter(({ ownMs }) => ownMs >= greatest * MOST_OF_IT)
    .sort((a, b) => a.cost.totalMs - b.cost.totalMs);
  return found === undefined ? undefined : finding(view, found);
}

function leastRunMs(view: SignalView, { totalMs }: FunctionCost): number {
  return Math.max(LONGEST_MS, view.chanceRunOf(totalMs, DENSE_LOOP));
}

/** Time of the program's own code in a function and below it. */
function ownBelow(view: SignalView, { file, function: name }: CodeLocation): number {
  return view.ofKind('own-code', 'buffer').reduce((sum, { operation, activeMs }) => {
    const { location, callers } = operation;
    if (location.file === file && location.function === name) return sum + activeMs;
    const above = callers.find((caller) => caller.file === file && caller.function === name);
    return sum + activeMs * (above?.share ?? 0);
  }, 0);
}

function finding(view: SignalView, { cost, ownMs, loopShare }: Candidate): RankedFinding {
  const { location, longestRunMs = 0 } = cost;
  const threshold = leastRunMs(view, cost);
  return {
    cause: 'sync-cpu',
    severity: loopSeverity(loopShare, longestRunMs),
    confidence: Math.min(confidenceAbove(longestRunMs, threshold), confidenceAbove(loopShare, LOOP_SHARE)),
    impact: loopShare,
    title: `${placeOf(location)} computes on the event loop`,
    detail: 'The time lies in many small functions that it calls, none of which stands out.',
    location,
    evidence: [
      {
        metric: 'operation.loopShare',
        value: loopShare,
        unit: 'ratio',
        threshold: LOOP_SHARE,
        statement: `${placeOf(location)} and what it calls held the event loop for ${formatShare(loopShare)} of the time.`,
      },
      {
        metric: 'operation.longestRun',
        value: longestRunMs,
        unit: 'ms',
        threshold,
        statement: `The longest stretch in it lasted ${formatDurationMs(longestRunMs)}.`,
      },
    ],
    expectedGain: view.busyMs === 0 ? 0 : Math.min(1, ownMs / view.busyMs),
  };
}
