/**
 * Decides whether a candidate is faster than a baseline, on this machine, in seconds, and says so only where it
 * is. `docs/measuring.md` argues the method and shows how often it errs.
 */
import { describe, fail } from '../errors.js';
import type { Comparison } from '../model/comparison.js';
import { decide, holm } from './decision.js';
import { runExperiment, type Experiment, type Outcome } from './experiment.js';
import { resolveOptions, type CompareOptions, type ResolvedOptions } from './options.js';
import { labelsOf, pairOf, resolveModule, type ComparisonSubject, type SubjectPair } from './subject.js';

/**
 * Compares two subjects of one kind: functions, module exports, commands or services.
 *
 * Give module exports where you can. Each replicate is then a fresh process, and the interval covers what differs
 * from one process to the next. Functions are measured in this process, whose share of the error stays unseen:
 * the interval is widened for it, so differences under about 4 % stay inconclusive.
 *
 * @returns the verdict and what it rests on. `ratio` is the candidate's cost over the baseline's: below 1 is
 *   better.
 * @throws INVALID_ARGUMENT; SUBJECT_UNLOADABLE, SUBJECT_THREW, SUBJECT_DIED, SUBJECT_TIMED_OUT,
 *   SUBJECTS_DISAGREE, ZERO_WORK for subjects that cannot be compared; ABORTED.
 * @example
 * const { verdict, ratio, interval } = await compare(
 *   { module: './parse.js', export: 'parseOld', args: [text] },
 *   { module: './parse.js', export: 'parseNew', args: [text] },
 * );
 */
export async function compare(
  baseline: ComparisonSubject,
  candidate: ComparisonSubject,
  options: CompareOptions = {},
): Promise<Comparison> {
  const pair = pairOf(baseline, candidate);
  const resolved = resolveOptions(options, pair.kind === 'service' ? 'service' : 'other');
  return (await run(pair, resolved)).comparison;
}

/**
 * Compares several pairs, one after the other, so that the chance of *any* false claim among them stays below
 * 1 − `confidenceLevel` (Holm 1979). Intervals hold together at that level.
 *
 * @throws what `compare` throws, at the first pair that cannot be compared.
 */
export async function compareAll(
  pairs: readonly (readonly [baseline: ComparisonSubject, candidate: ComparisonSubject])[],
  options: CompareOptions = {},
): Promise<Comparison[]> {
  const isPair = (value: unknown) => Array.isArray(value) && value.length === 2;
  if (!isArray(pairs) || !pairs.every(isPair)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'pairs',
      actual: describe(pairs),
      expected: 'an array of [baseline, candidate]',
    });
  }
  const settled = await compareEach(pairs, options, (error) => {
    throw error;
  });
  return settled;
}

/**
 * `compareAll` that goes on after a pair that cannot be compared. Room-internal: for the benchmark runner.
 *
 * @param onError receives what a pair threw and gives what stands in its place.
 */
export async function compareEach<E>(
  pairs: readonly (readonly [baseline: ComparisonSubject, candidate: ComparisonSubject])[],
  options: CompareOptions,
  onError: (error: unknown, index: number) => E,
): Promise<(Comparison | E)[]> {
  const checked = pairs.map(([baseline, candidate]) => pairOf(baseline, candidate));
  const confidenceLevel = options.confidenceLevel ?? 0.95;
  const outcomes: (Outcome | { readonly failed: E })[] = [];
  for (const [index, pair] of checked.entries()) {
    const form = pair.kind === 'service' ? 'service' : 'other';
    const resolved = resolveOptions({ ...options, confidenceLevel }, form);
    // Each stops by the strictest level that the correction can ask of it, so none stops too soon.
    const strictest = 1 - (1 - confidenceLevel) / checked.length;
    try {
      outcomes.push(
        await run(pair, {
          ...resolved,
          confidenceLevel: strictest,
          onProgress: (progress) =>
            resolved.onProgress({
              ...progress,
              fraction: (index + (progress.fraction ?? 0)) / checked.length,
            }),
        }),
      );
    } catch (error) {
      outcomes.push({ failed: onError(error, index) });
    }
  }
  const corrected = correct(
    outcomes.filter((outcome) => 'comparison' in outcome),
    confidenceLevel,
  );
  return outcomes.map((outcome) => ('failed' in outcome ? outcome.failed : corrected.shift()!));
}

/** `Array.isArray` as a check of what a caller without types passed; it would widen the elements to any. */
function isArray(value: unknown): boolean {
  return Array.isArray(value);
}

function correct(outcomes: readonly Outcome[], confidenceLevel: number): Comparison[] {
  const first = outcomes[0];
  if (!first) return [];
  const levels = holm(
    outcomes.map(({ logRatios }) => logRatios),
    { ...first.rule, confidenceLevel },
  );
  return outcomes.map(({ comparison, logRatios, rule }, i) => {
    const level = levels[i];
    if (comparison.verdict !== 'inconclusive' || level == null) return comparison;
    // Too close at the strictest level, but the other claims left it a milder one.
    const { verdict, interval } = decide(logRatios, { ...rule, confidenceLevel: level });
    return { ...comparison, verdict, interval, confidenceLevel: level };
  });
}

async function run(pair: SubjectPair, options: ResolvedOptions): Promise<Outcome> {
  return await runExperiment(await experimentFor(pair, options), options);
}

/** Each form is loaded when it is used: a service that imports the package pays for none of them. */
async function experimentFor(pair: SubjectPair, options: ResolvedOptions): Promise<Experiment> {
  const labels = labelsOf(pair);
  switch (pair.kind) {
    case 'function':
      return await (await import('./in-process.js')).inProcessExperiment(pair.subjects, labels, options);
    case 'module': {
      const [baseline, candidate] = pair.subjects;
      const sides = [resolveModule(baseline, labels[0]), resolveModule(candidate, labels[1])] as const;
      return (await import('./fresh-processes.js')).freshProcessExperiment(sides, options);
    }
    case 'command':
      return (await import('./commands.js')).commandExperiment(pair.subjects, labels, options);
    case 'service':
      return await (await import('./services.js')).serviceExperiment(pair.subjects, labels, options);
  }
}
