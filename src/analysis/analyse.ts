/** Runs the rules over a run's signals and orders what they found. */
import type { Cause, Finding, RuledOut } from '../model/finding.js';
import type { Analysis } from '../model/profiling-result.js';
import type { Signals } from '../model/signals.js';
import { formatShare } from '../units.js';
import { ENVIRONMENT_CAUSES, type RankedFinding, type Rule } from './rule.js';
import { defaultRules } from './rules/index.js';
import { runRule } from './run-rule.js';
import { SignalView } from './signal-view.js';
import { LEAST_WINDOW_MS, stateOf } from './state.js';

/**
 * Findings, best first: what takes most of the program's time or headroom, weighed by how sure it is. Never
 * empty; where no rule finds a fault in the program, `healthy` or `saturated` says so, before what is wrong
 * around the program unless that weighs more than the program's own state.
 *
 * @param rules all rules to run; pass `[...defaultRules, myRule]` to add to the built-in ones.
 * @param warn told of each rule that threw or gave something else than findings; it is left out.
 *
 * @example
 * await optimizer.monitor({
 *   onAnomaly: ({ signals }) => signals && console.log(analyse(signals, [...defaultRules, myRule]).summary),
 * });
 */
export function analyse(
  signals: Signals,
  rules: readonly Rule[] = defaultRules,
  warn?: (message: string) => void,
): Analysis {
  const view = new SignalView(signals);
  const found: RankedFinding[] = [];
  const rejected: RuledOut[] = [];
  const isTooShort = signals.durationMs < LEAST_WINDOW_MS;
  for (const rule of rules) {
    // What a user's own rule asks of a window is its own business.
    if (isTooShort && defaultRules.includes(rule)) continue;
    try {
      const { findings, because } = runRule(rule, view);
      found.push(...findings);
      if (findings.length === 0 && because !== undefined) rejected.push({ cause: rule.cause, because });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      warn?.(`The rule "${rule.name ?? rule.cause}" failed and was left out: ${reason}`);
    }
  }
  // Of two rules for one cause, one may have found it.
  const ruledOut = rejected.filter((each) => !found.some(({ cause }) => cause === each.cause));
  if (!found.some(({ cause }) => !ENVIRONMENT_CAUSES.has(cause))) found.push(stateOf(view));
  const kept = withoutExplained(found).sort((a, b) => rank(b) - rank(a) || weight(b) - weight(a));
  const findings = kept.map(({ impact: _impact, explainsOwnCode: _explains, ...finding }): Finding => ({
    ...finding,
    ruledOut: related(finding.cause, ruledOut),
  }));
  return { findings, ruledOut, summary: summarise(findings) };
}

/** Without plain computation in functions of which another finding tells why they compute for so long. */
function withoutExplained(found: readonly RankedFinding[]): RankedFinding[] {
  const explained = found.filter(({ explainsOwnCode }) => explainsOwnCode === true);
  return found.filter(
    ({ cause, location }) =>
      cause !== 'sync-cpu' ||
      !explained.some(
        (other) =>
          other.location !== undefined &&
          other.location.file === location?.file &&
          other.location.function === location.function,
      ),
  );
}

/** A fault in the program comes before what is wrong around it: the program is what its owner can change. */
function rank({ cause }: RankedFinding): number {
  const isState = cause === 'healthy' || cause === 'saturated';
  return isState || ENVIRONMENT_CAUSES.has(cause) ? 0 : 1;
}

function weight({ impact, confidence }: RankedFinding): number {
  return impact * confidence;
}

const FAMILIES: readonly (readonly Cause[])[] = [
  [
    'sync-cpu',
    'json-processing',
    'regexp-backtracking',
    'sync-fs',
    'sync-child-process',
    'sync-crypto',
    'sync-zlib',
    'exception-storm',
    'megamorphic-access',
    'deoptimisation-loop',
    'timer-flood',
    'microtask-flood',
    'allocation-churn',
    'noisy-neighbour',
    'cpu-throttling',
    'cpu-steal',
  ],
  [
    'allocation-churn',
    'heap-near-limit',
    'heap-leak',
    'listener-leak',
    'external-leak',
    'heap-fragmentation',
    'fresh-page-faults',
    'memory-pressure',
  ],
  ['noisy-neighbour', 'cpu-throttling', 'cpu-steal', 'disk-iowait', 'memory-pressure', 'sync-cpu'],
  [
    'slow-downstream',
    'serial-awaits',
    'no-keep-alive',
    'slow-dns',
    'backpressure-ignored',
    'threadpool-saturation',
    'descriptor-exhaustion',
    'disk-iowait',
    'sync-cpu',
    'sync-fs',
  ],
  ['worker-oversubscription', 'lock-contention', 'noisy-neighbour', 'cpu-throttling', 'cpu-steal'],
];

/** What else could have looked like this cause. A program without a fault could have had any. */
function related(cause: Cause, ruledOut: readonly RuledOut[]): RuledOut[] {
  const families = FAMILIES.filter((family) => family.includes(cause));
  if (families.length === 0) return [...ruledOut];
  return ruledOut.filter((other) => families.some((family) => family.includes(other.cause)));
}

function summarise(findings: readonly Finding[]): string {
  const [first, ...others] = findings;
  if (first === undefined) return 'Nothing was measured.';
  const gain =
    first.expectedGain === undefined
      ? ''
      : ` Removing it could free up to ${formatShare(first.expectedGain)} of the busy time.`;
  const more =
    others.length === 0
      ? ''
      : ` ${others.length === 1 ? 'One more finding' : `${others.length} more findings`}: ${others.map(({ cause }) => cause).join(', ')}.`;
  return `${first.title} (${first.cause}, confidence ${formatShare(first.confidence)}).${gain}${more}`;
}
