/**
 * Diagnosis by experiment, for causes that leave no passive signal: two threads that write to one cache line, and
 * a traversal against the order of memory, look like any other busy code to samplers, and to counters that a
 * virtual machine does not have; and that threads wait at a lock does not say that another lock would serve them better.
 * What tells is the same work done both ways, measured side by side.
 *
 * The user names the function and lets it do its work in the two ways that the cause is about; `compare` decides,
 * in fresh processes, with its usual care. So a finding here rests on a measured ratio and its interval, and what
 * is not found was ruled out by measurement. Rejected: guessing from source text or from cache-miss counts alone.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, fail } from '../errors.js';
import type { Comparison } from '../model/comparison.js';
import {
  EXPERIMENT_CAUSES,
  type ExperimentArm,
  type ExperimentCause,
  type ExperimentStatus,
} from '../model/experiment.js';
import type { Finding } from '../model/finding.js';
import { requireOptions } from '../options.js';
import { formatShare } from '../units.js';
import { compare } from '../validation/compare.js';
import type { CompareOptions } from '../validation/options.js';
import { resolveModule } from '../validation/subject.js';
import { confidenceAbove } from '../analysis/confidence.js';

/** The function that does its work both ways, told which by its last argument; an export, because fresh processes call it. */
export interface ExperimentSubject {
  /** Absolute path, file URL, or path relative to the working directory. */
  readonly module: string | URL;
  readonly export: string;
  /** The function's own arguments, structured-clonable; the arm of the experiment follows them. */
  readonly args?: readonly unknown[];
  /** The export is called once a process with the arm and returns the function to time. */
  readonly factory?: boolean;
}

/** What an experiment came to: a verdict on the cause, and the comparison that it rests on. */
export interface ExperimentOutcome {
  readonly cause: ExperimentCause;
  readonly status: ExperimentStatus;
  /** Null where the measurement rules the cause out, or could not decide (see `comparison.verdict`). */
  readonly finding: Finding | null;
  /** `baseline` is the program as it is, `candidate` without the cause. */
  readonly comparison: Comparison;
  /** One sentence: what was found, or why it is ruled out. */
  readonly conclusion: string;
}

const SUBJECT = [
  'module',
  'export',
  'args',
  'factory',
] as const satisfies readonly (keyof ExperimentSubject)[];

/** Distances in bytes: two counters beside each other, and one line apart even where lines come in pairs. */
const SHARED_BYTES = 8;
const SEPARATE_BYTES = 128;
/** A gain below this is none that these causes make. */
const LEAST_GAIN = 0.05;

interface Design {
  readonly arms: readonly [baseline: ExperimentArm, candidate: ExperimentArm];
  readonly labels: readonly [string, string];
  readonly found: string;
}

const DESIGNS: Readonly<Record<ExperimentCause, Design>> = {
  'false-sharing': {
    arms: [{ strideBytes: SHARED_BYTES }, { strideBytes: SEPARATE_BYTES }],
    labels: ['neighbours share a cache line', 'each has lines of its own'],
    found: 'writes of different threads to one cache line hold each other up',
  },
  'cache-unfriendly-access': {
    arms: [{ order: 'as-is' }, { order: 'sequential' }],
    labels: ['in the order of now', 'in the order of memory'],
    found: 'the order of the accesses misses the caches',
  },
  'lock-contention': {
    arms: [{ lock: 'as-is' }, { lock: 'other' }],
    labels: ['with the lock of now', 'with the other lock'],
    found: 'the lock of now holds the threads up',
  },
};

/**
 * Tests whether a cause holds a named function up, by doing its work both ways.
 *
 * For `false-sharing` the function places what its threads write `strideBytes` apart (8, then 128); for
 * `cache-unfriendly-access` it visits its data in `order` `'as-is'` and `'sequential'`; for `lock-contention` it guards
 * its work with `lock` `'as-is'` and `'other'`. It must give the same result either way. Takes seconds: `options` are `compare`'s.
 *
 * @throws INVALID_ARGUMENT for a cause without an experiment; what `compare` throws.
 * @example
 * // counters.js: export function countVisits({ strideBytes }) { … }
 * const { finding, conclusion } = await testCause('false-sharing', { module: './counters.js', export: 'countVisits' });
 * finding?.evidence[0].value; // 0.41: without it, the work takes 41 % of the time
 */
export async function testCause(
  cause: ExperimentCause,
  subject: ExperimentSubject,
  options: CompareOptions = {},
): Promise<ExperimentOutcome> {
  const design = Object.hasOwn(DESIGNS, cause) ? DESIGNS[cause] : undefined;
  if (design === undefined) {
    throw fail('INVALID_ARGUMENT', {
      name: 'cause',
      actual: describe(cause),
      expected: `one of ${EXPERIMENT_CAUSES.join(', ')}`,
    });
  }
  requireOptions('subject', subject, SUBJECT);
  const side = (index: 0 | 1) => ({
    ...subject,
    args: [...(subject.args ?? []), design.arms[index]],
    label: design.labels[index],
  });
  const comparison = await compare(side(0), side(1), options);
  const { verdict, ratio, interval } = comparison;
  const gain = 1 - ratio;
  if (verdict !== 'faster' || gain < LEAST_GAIN) {
    const range = interval === null ? '' : ` (${interval.map((end) => end.toFixed(3)).join(' to ')})`;
    const conclusion =
      verdict === 'inconclusive'
        ? `The measurement could not decide: ratio ${ratio.toFixed(3)}${range}.`
        : `Ruled out: without it the work takes ${ratio.toFixed(3)} of the time${range}.`;
    const status = verdict === 'inconclusive' ? 'inconclusive' : 'ruled_out';
    return { cause, status, finding: null, comparison, conclusion };
  }
  const finding = findingOf(cause, design, subject, comparison);
  return { cause, status: 'cause_found', finding, comparison, conclusion: finding.title };
}

function findingOf(
  cause: ExperimentCause,
  design: Design,
  subject: ExperimentSubject,
  { ratio, interval, processes, confidenceLevel }: Comparison,
): Finding {
  const gain = 1 - ratio;
  const location = placeOf(subject);
  const least = 1 - (interval?.[1] ?? ratio);
  return {
    cause,
    severity: gain >= 0.5 ? 'high' : gain >= 0.2 ? 'medium' : 'low',
    confidence: confidenceAbove(Math.max(least, 0), LEAST_GAIN / 4),
    title: `In ${subject.export}, ${design.found}: without that, the work takes ${formatShare(ratio)} of the time`,
    ...(location === undefined ? {} : { location }),
    evidence: [
      {
        metric: 'experiment.ratio',
        value: ratio,
        unit: 'ratio',
        threshold: 1 - LEAST_GAIN,
        statement: `${design.labels[1]} against ${design.labels[0]}: ${ratio.toFixed(3)} of the time${
          interval === null ? '' : `, ${interval[0].toFixed(3)} to ${interval[1].toFixed(3)}`
        } at ${formatShare(confidenceLevel)} confidence, in ${processes} fresh processes.`,
      },
    ],
    ruledOut: [],
    expectedGain: gain,
  };
}

/** The export's declaration, where it is one that a reader finds by its name. */
function placeOf({ module, export: name }: ExperimentSubject): Finding['location'] {
  try {
    const file = fileURLToPath(resolveModule({ module, export: name }, name).url);
    const lines = readFileSync(file, 'utf8').split('\n');
    const declares = new RegExp(`\\b(function\\*?|const|let|class)\\s+${name.replace(/\$/g, '\\$')}\\b`);
    const line = lines.findIndex((text) => declares.test(text)) + 1;
    return line === 0 ? undefined : { function: name, file, line };
  } catch {
    // A module without a file to read has no line either.
    return undefined;
  }
}
