/** The benchmark runner: every variant against its case's baseline, by the procedure of `compare`. */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fail } from '../errors.js';
import type { Progress } from '../events.js';
import { captureEnvironment } from '../host/environment.js';
import type { Comparison } from '../model/comparison.js';
import type { Environment } from '../model/fingerprint.js';
import { loadCases, type LoadedCase } from './bench-case.js';
import { compareEach } from './compare.js';
import type { CompareOptions } from './options.js';

export type { BenchCase, BenchVariant } from './bench-case.js';

export interface BenchOptions extends Pick<
  CompareOptions,
  'equivalenceMargin' | 'confidenceLevel' | 'maxProcesses' | 'timeoutMs' | 'nodeFlags' | 'signal'
> {
  /** Time for each comparison. 60 s by default. */
  readonly budgetMs?: number;
  /** Runs only cases whose name holds this text, without regard to case. */
  readonly filter?: string;
  readonly onProgress?: (progress: Progress) => void;
  /** Called with each result as it is reached. */
  readonly onResult?: (result: BenchResult) => void;
}

export interface BenchResult {
  readonly file: string;
  readonly case: string;
  readonly baseline: string;
  readonly variant: string;
  /** Null where it could not be compared; `error` says why. */
  readonly comparison: Comparison | null;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface BenchReport {
  readonly schemaVersion: 1;
  readonly createdAt: string;
  readonly elapsedMs: number;
  readonly environment: Environment;
  readonly results: readonly BenchResult[];
}

/**
 * Runs the cases of some files. The comparisons of one case are corrected together.
 *
 * A variant that fails is reported in its place, and the others still run.
 *
 * @param files paths of modules whose default export is a `BenchCase` or an array of them.
 * @throws INVALID_ARGUMENT, SUBJECT_UNLOADABLE before anything runs; ABORTED.
 * @example
 * // sum.bench.js
 * export default {
 *   name: 'sum of 1,000 numbers',
 *   setup: () => Array.from({ length: 1000 }, (_, i) => i),
 *   variants: {
 *     reduce: (values) => values.reduce((a, b) => a + b, 0),
 *     loop: (values) => { let sum = 0; for (const value of values) sum += value; return sum; },
 *   },
 * };
 *
 * const report = await runBench(['sum.bench.js']);
 */
export async function runBench(files: readonly string[], options: BenchOptions = {}): Promise<BenchReport> {
  const cases = await selectCases(files, options.filter);
  const environment = captureEnvironment();
  const startedMs = performance.now();
  const results: BenchResult[] = [];
  for (const [position, loaded] of cases.entries()) {
    const found = await runCase(loaded, options, (progress) => {
      const share = (position + (progress.fraction ?? 0)) / cases.length;
      options.onProgress?.({
        ...progress,
        stage: 'bench',
        fraction: share,
        message: `${loaded.name}: ${progress.message}`,
      });
    });
    for (const result of found) options.onResult?.(result);
    results.push(...found);
  }
  return {
    schemaVersion: 1,
    createdAt: new Date().toISOString(),
    elapsedMs: Math.round(performance.now() - startedMs),
    environment,
    results,
  };
}

async function selectCases(files: readonly string[], filter: string | undefined): Promise<LoadedCase[]> {
  const all: LoadedCase[] = [];
  for (const file of files) {
    const path = resolve(file);
    await access(path).catch((cause: unknown) => {
      const remedy = 'Check the path; relative ones count from the working directory.';
      throw fail('SUBJECT_UNLOADABLE', { subject: file, reason: 'no such file', remedy }, { cause });
    });
    all.push(...(await loadCases(path)));
  }
  const wanted = filter?.toLowerCase();
  const selected = wanted === undefined ? all : all.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (selected.length > 0) return selected;
  throw fail('INVALID_ARGUMENT', {
    name: filter === undefined ? 'files' : 'options.filter',
    actual: filter === undefined ? 'an empty list' : `"${filter}", which no case's name holds`,
    expected:
      filter === undefined
        ? 'files with benchmark cases'
        : `part of ${all.map(({ name }) => `"${name}"`).join(', ')}`,
  });
}

const ENTRY = new URL('./bench-variant.js', import.meta.url);

async function runCase(
  loaded: LoadedCase,
  options: BenchOptions,
  onProgress: (progress: Progress) => void,
): Promise<BenchResult[]> {
  const subject = (name: string) => ({
    module: ENTRY,
    export: 'variant',
    args: [loaded.file, loaded.index, name],
    factory: true,
    label: name,
  });
  const { equal, baseline, candidates } = loaded;
  const { equivalenceMargin, confidenceLevel, maxProcesses, timeoutMs, nodeFlags, signal, budgetMs } =
    options;
  const outcomes = await compareEach(
    candidates.map((name) => [subject(baseline), subject(name)] as const),
    {
      ...(equivalenceMargin !== undefined && { equivalenceMargin }),
      ...(confidenceLevel !== undefined && { confidenceLevel }),
      ...(maxProcesses !== undefined && { maxProcesses }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(nodeFlags && { nodeFlags }),
      ...(signal && { signal }),
      ...(budgetMs !== undefined && { budgetMs }),
      checkResults: equal ?? true,
      onProgress,
    },
    (error) => {
      if (signal?.aborted) throw error;
      return error;
    },
  );
  return outcomes.map((outcome, i) => {
    const place = { file: loaded.file, case: loaded.name, baseline, variant: candidates[i]! };
    if (isComparison(outcome)) return { ...place, comparison: outcome };
    const { code, message } = outcome as { code?: string; message: string };
    return { ...place, comparison: null, error: { code: code ?? 'UNKNOWN', message } };
  });
}

function isComparison(outcome: unknown): outcome is Comparison {
  return typeof outcome === 'object' && outcome !== null && 'verdict' in outcome;
}
