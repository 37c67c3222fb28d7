/**
 * The sequential part that all forms share: replicate after replicate until the verdict is clear, then the
 * result with everything that says how far to believe it.
 */
import { OptimizerError, fail } from '../errors.js';
import { captureEnvironment, observeHost } from '../host/environment.js';
import type { Comparison, ComparisonForm, CostComparison } from '../model/comparison.js';
import { formatDurationMs, formatNumber, formatShare } from '../units.js';
import { confidenceSequence } from './confidence-sequence.js';
import { decide, replicatesFor, type Decision, type DecisionRule } from './decision.js';
import type { ResolvedOptions } from './options.js';
import type { Replicate, ReplicateFlag } from './pair-measurement.js';
import { median } from './statistics.js';
import { observeThrottling } from './throttling.js';

const FIRST_CHECK = 4;
const CHECK_EVERY = 2;
/** Effects that the result tells the needed effort for. */
const EFFECTS = [0.02, 0.03, 0.05, 0.1] as const;

export interface Experiment {
  readonly form: ComparisonForm;
  readonly labels: readonly [string, string];
  /** For people: what a replicate is. */
  readonly replicateName: string;
  readonly unit: string;
  readonly sharedDeviation?: number;
  readonly warnings: readonly string[];
  /** Measures replicate `index`, counted from 0. */
  replicate(index: number): Promise<Replicate>;
  /** Ends what the experiment started. */
  close?(): Promise<void>;
}

/** A comparison with the log ratio of each replicate, from which a verdict can be drawn anew. */
export interface Outcome {
  readonly comparison: Comparison;
  readonly logRatios: readonly number[];
  readonly rule: DecisionRule;
}

/** @throws what a replicate throws; ABORTED */
export async function runExperiment(experiment: Experiment, options: ResolvedOptions): Promise<Outcome> {
  try {
    return await runReplicates(experiment, options);
  } catch (error) {
    // Whatever the abort made fail on its way.
    if (!options.signal?.aborted || isAborted(error)) throw error;
    throw fail('ABORTED', { what: 'The comparison' }, { cause: error });
  } finally {
    await experiment.close?.();
  }
}

function isAborted(error: unknown): boolean {
  return error instanceof OptimizerError && error.code === 'ABORTED';
}

async function runReplicates(experiment: Experiment, options: ResolvedOptions): Promise<Outcome> {
  const startedMs = performance.now();
  const environment = captureEnvironment();
  const host = observeHost();
  const quota = observeThrottling();
  const rule: DecisionRule = {
    confidenceLevel: options.confidenceLevel,
    equivalenceMargin: options.equivalenceMargin,
    sharedDeviation: experiment.sharedDeviation ?? 0,
  };
  const replicates: Replicate[] = [];
  let outOfBudget = false;
  let decision: Decision | undefined;
  do {
    if (options.signal?.aborted) throw fail('ABORTED', { what: 'The comparison' });
    replicates.push(await experiment.replicate(replicates.length));
    decision = decide(logRatiosOf(replicates), rule);
    outOfBudget = performance.now() - startedMs >= options.budgetMs;
    options.onProgress({
      stage: 'validate',
      fraction: replicates.length / options.maxProcesses,
      message: progressLine(experiment, replicates.length, decision),
    });
  } while (!isOver(replicates.length, decision, options.maxProcesses) && !outOfBudget);

  const { stealShare } = host.finish();
  const logRatios = logRatiosOf(replicates);
  const settled = decision.verdict !== 'inconclusive';
  const comparison: Comparison = {
    form: experiment.form,
    baseline: experiment.labels[0],
    candidate: experiment.labels[1],
    verdict: decision.verdict,
    ratio: decision.ratio,
    interval: decision.interval,
    minimumDetectableEffect: decision.minimumDetectableEffect,
    confidenceLevel: rule.confidenceLevel,
    equivalenceMargin: rule.equivalenceMargin,
    processes: replicates.length,
    pairs: replicates.reduce((sum, { pairs }) => sum + pairs, 0),
    elapsedMs: Math.round(performance.now() - startedMs),
    measure: options.measure,
    baselineCost: median(replicates.map(({ baselineCost }) => baselineCost)),
    candidateCost: median(replicates.map(({ candidateCost }) => candidateCost)),
    unit: experiment.unit,
    replicateRatios: logRatios.map(Math.exp),
    replicatesNeeded: EFFECTS.map((effect) => ({
      effect,
      replicates: replicatesFor(effect, logRatios, rule),
    })),
    costs: compareCosts(replicates, rule),
    environment: { ...environment, ...(stealShare !== undefined && { stealShare }) },
    warnings: [
      ...experiment.warnings,
      ...(outOfBudget && !settled ? [`The budget of ${options.budgetMs} ms ended before a verdict.`] : []),
      ...flagWarnings(replicates, experiment),
      ...hostWarnings(stealShare, quota.finish()),
    ],
  };
  return { comparison, logRatios, rule };
}

function logRatiosOf(replicates: readonly Replicate[]): number[] {
  return replicates.map(({ logRatio }) => logRatio);
}

/** Verdicts are looked for from four replicates on in steps of two, so that each side went first equally often. */
export function verdictIsDue(count: number): boolean {
  return count >= FIRST_CHECK && (count - FIRST_CHECK) % CHECK_EVERY === 0;
}

function isOver(count: number, decision: Decision, cap: number): boolean {
  if (count >= cap) return true;
  return verdictIsDue(count) && (decision.verdict !== 'inconclusive' || !decision.improvable);
}

function progressLine(experiment: Experiment, count: number, { ratio, interval }: Decision): string {
  const [baseline, candidate] = experiment.labels;
  const bounds = interval ? ` [${interval.map((bound) => bound.toFixed(3)).join(', ')}]` : '';
  const { replicateName } = experiment;
  // `starts of each` → `start of each`, `processes` → `process`.
  const replicates = count === 1 ? replicateName.replace(/(ss)es\b|s\b/, '$1') : replicateName;
  return `${candidate} against ${baseline}: ratio ${ratio.toFixed(3)}${bounds} after ${count} ${replicates}`;
}

function compareCosts(replicates: readonly Replicate[], rule: DecisionRule): CostComparison[] {
  const names = replicates[0]!.costs.map(({ name }) => name);
  return names.flatMap((name) => {
    const rows = replicates.flatMap(({ costs }) => costs.filter((cost) => cost.name === name));
    // A cost that some replicates could not measure would compare different sets of replicates.
    if (rows.length < replicates.length) return [];
    const baselines = rows.map(({ baseline }) => baseline);
    const candidates = rows.map(({ candidate }) => candidate);
    const comparable = rows.every((row) => row.baseline > 0 && row.candidate > 0);
    const logRatios = rows.map((row) => Math.log(row.candidate / row.baseline));
    const baseline = median(baselines);
    const candidate = median(candidates);
    const bound = comparable ? confidenceSequence(logRatios, rule.confidenceLevel) : undefined;
    const cost: CostComparison = {
      name,
      unit: rows[0]!.unit,
      baseline,
      candidate,
      ...(bound ? { ratio: Math.exp(bound.mean) } : baseline > 0 ? { ratio: candidate / baseline } : {}),
      ...(bound &&
        Number.isFinite(bound.halfWidth) && {
          interval: [Math.exp(bound.mean - bound.halfWidth), Math.exp(bound.mean + bound.halfWidth)] as const,
        }),
      ...(comparable && isTime(rows[0]!.unit) && { verdict: decide(logRatios, rule).verdict }),
      exact: rows.length > 1 && allEqual(baselines) && allEqual(candidates),
    };
    return [cost];
  });
}

/** Verdicts speak of faster and slower: they suit times alone. */
function isTime(unit: string): boolean {
  return unit === 'ns' || unit === 'ms';
}

function allEqual(values: readonly number[]): boolean {
  return values.every((value) => value === values[0]);
}

function flagWarnings(replicates: readonly Replicate[], experiment: Experiment): string[] {
  const share = (flag: ReplicateFlag) =>
    replicates.filter(({ flags }) => flags.includes(flag)).length / replicates.length;
  const warnings: string[] = [];
  if (share('timer-too-coarse') > 0.5) {
    warnings.push('The clock of this host is too coarse: its step is more than 1 % of a batch.');
  }
  if (share('bimodal') > 0.5) {
    warnings.push('Timings fall into two groups: the subject may alternate between two states.');
  }
  const ratios = replicates.map(({ logRatio }) => Math.exp(logRatio)).sort((a, b) => a - b);
  if (inGroups(ratios)) {
    const range = `${formatNumber(ratios[0]!)} to ${formatNumber(ratios.at(-1)!)}`;
    warnings.push(
      `The ratio falls into groups (${range}) from one of the ${experiment.replicateName} to the next: a subject ` +
        'may be compiled differently each time, and no single ratio describes it.',
    );
  }
  if (share('not-steady') > 0.5) {
    warnings.push('The subjects did not become steady within the warm-up; early behaviour is mixed in.');
  }
  if (share('failed-requests') > 0) {
    warnings.push('More than 1 % of the requests of a block failed: what is compared may be error answers.');
  }
  for (const side of [0, 1] as const) {
    if (share(`dead-code:${side}`) > 0.5) {
      warnings.push(
        `${experiment.labels[side]} costs no more than an empty call: its work may have been optimised away.`,
      );
    }
  }
  return warnings;
}

/** Whether sorted ratios leave a gap of a fifth with two or more on either side. */
function inGroups(sorted: readonly number[]): boolean {
  return sorted.some((ratio, i) => i >= 2 && i <= sorted.length - 2 && ratio / sorted[i - 1]! > 1.2);
}

function hostWarnings(stealShare: number | undefined, throttledMs: number): string[] {
  const warnings: string[] = [];
  if (stealShare !== undefined && stealShare >= 0.02) {
    warnings.push(`The hypervisor took ${formatShare(stealShare)} of the CPU time during the run.`);
  }
  if (throttledMs > 0) {
    const stopped = formatDurationMs(throttledMs);
    warnings.push(
      `The container's CPU quota stopped the run for ${stopped}: give it more CPU, or less to do.`,
    );
  }
  return warnings;
}
