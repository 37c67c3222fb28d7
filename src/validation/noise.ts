/**
 * A/A self-test: how noisy this host is, and what it can therefore show. Identical code is compared with itself
 * in fresh processes; every claim of a difference would be false.
 *
 * Whole comparisons are slow, and a few dozen say little about a rate of some percent. So the replicates are
 * measured, and comparisons are then drawn from them at random, thousands of them, by the procedure that
 * `compare` follows.
 */
import { describe, fail } from '../errors.js';
import type { Progress } from '../events.js';
import { captureEnvironment } from '../host/environment.js';
import type { Environment } from '../model/fingerprint.js';
import { decide, type DecisionRule } from './decision.js';
import { verdictIsDue } from './experiment.js';
import { resolveOptions } from './options.js';
import { standardDeviation } from './statistics.js';

export interface NoiseOptions {
  /** Time to measure for, 3 to 3600. 30 by default. */
  readonly seconds?: number;
  readonly equivalenceMargin?: number;
  readonly confidenceLevel?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface WorkloadNoise {
  readonly workload: 'arithmetic' | 'allocating' | 'memoryBound';
  readonly replicates: number;
  /** Standard deviation of the ratio from one process to the next, as a share. */
  readonly deviation: number;
  readonly replicateMs: number;
}

export interface NoiseReport {
  readonly elapsedMs: number;
  readonly workloads: readonly WorkloadNoise[];
  /** Share of A/A comparisons that would claim a difference. */
  readonly falseClaimRate: number;
  readonly simulatedComparisons: number;
  /** Smallest difference found in nine of ten comparisons that take so long, for the noisiest workload. */
  readonly detectable: readonly { readonly seconds: number; readonly effect: number | null }[];
  readonly environment: Environment;
}

const MODULE = new URL('./noise-workloads.js', import.meta.url).href;
const WORKLOADS = ['arithmetic', 'allocating', 'memoryBound'] as const;
const FEWEST_REPLICATES = 4;
const SIMULATED = 1000;
const DURATIONS_S = [5, 10, 30] as const;
const EFFECTS = [0.0125, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5] as const;
const FOUND = 0.9;

/**
 * Measures how far comparisons on this host can be trusted, and how small a difference they show.
 *
 * @throws INVALID_ARGUMENT, ABORTED
 * @example
 * const { falseClaimRate, detectable } = await measureNoise({ seconds: 30 });
 * detectable;    // [{ seconds: 5, effect: 0.03 }, { seconds: 10, effect: 0.02 }, { seconds: 30, effect: 0.015 }]
 */
export async function measureNoise(options: NoiseOptions = {}): Promise<NoiseReport> {
  const { seconds = 30, equivalenceMargin, confidenceLevel, signal, onProgress } = options;
  if (!(typeof seconds === 'number' && seconds >= 3 && seconds <= 3600)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'options.seconds',
      actual: describe(seconds),
      expected: 'a number from 3 to 3600',
    });
  }
  const resolved = resolveOptions(
    {
      ...(equivalenceMargin !== undefined && { equivalenceMargin }),
      ...(confidenceLevel !== undefined && { confidenceLevel }),
      ...(signal && { signal }),
    },
    'other',
  );
  const { freshProcessExperiment } = await import('./fresh-processes.js');
  const environment = captureEnvironment();
  const startedMs = performance.now();
  const runs = WORKLOADS.map((workload) => {
    const side = { url: MODULE, export: workload, args: [], factory: true, label: workload };
    return {
      workload,
      experiment: freshProcessExperiment([side, side], resolved),
      logRatios: [] as number[],
      spentMs: 0,
    };
  });
  for (let round = 0; ; round += 1) {
    for (const run of runs) {
      if (signal?.aborted) throw fail('ABORTED', { what: 'The self-test' });
      const beforeMs = performance.now();
      run.logRatios.push((await run.experiment.replicate(round)).logRatio);
      run.spentMs += performance.now() - beforeMs;
    }
    const fraction = Math.min(1, (performance.now() - startedMs) / (seconds * 1000));
    onProgress?.({ stage: 'noise', fraction, message: `Compared ${3 * (round + 1)} times with itself` });
    if (fraction === 1 && round + 1 >= FEWEST_REPLICATES) break;
  }

  const rule: DecisionRule = resolved;
  const pools = runs.map((run) => ({
    logRatios: run.logRatios,
    replicateMs: run.spentMs / run.logRatios.length,
  }));
  return {
    elapsedMs: Math.round(performance.now() - startedMs),
    workloads: runs.map(({ workload, logRatios }, i) => ({
      workload,
      replicates: logRatios.length,
      deviation: standardDeviation(logRatios),
      replicateMs: Math.round(pools[i]!.replicateMs),
    })),
    falseClaimRate:
      pools.reduce((total, pool) => total + claimRate(pool.logRatios, 0, resolved.maxProcesses, rule), 0) /
      pools.length,
    simulatedComparisons: SIMULATED * pools.length,
    detectable: DURATIONS_S.map((duration) => ({
      seconds: duration,
      effect: EFFECTS.find((effect) => pools.every((pool) => isFound(effect, duration, pool, rule))) ?? null,
    })),
    environment,
  };
}

interface Pool {
  readonly logRatios: readonly number[];
  readonly replicateMs: number;
}

function isFound(effect: number, seconds: number, pool: Pool, rule: DecisionRule): boolean {
  const cap = Math.floor((seconds * 1000) / pool.replicateMs);
  return claimRate(pool.logRatios, Math.log1p(effect), cap, rule) >= FOUND;
}

/** Share of simulated comparisons with a true log ratio of `shift` that claim a difference in its direction (any, for 0). */
function claimRate(logRatios: readonly number[], shift: number, cap: number, rule: DecisionRule): number {
  let claims = 0;
  for (let i = 0; i < SIMULATED; i += 1) {
    const drawn: number[] = [];
    while (drawn.length < cap) {
      drawn.push(shift + logRatios[Math.floor(Math.random() * logRatios.length)]!);
      if (drawn.length < cap && !verdictIsDue(drawn.length)) continue;
      const { verdict } = decide(drawn, rule);
      if (verdict === 'slower' || (shift === 0 && verdict === 'faster')) claims += 1;
      if (verdict !== 'inconclusive') break;
    }
  }
  return claims / SIMULATED;
}
