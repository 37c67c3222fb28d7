/**
 * Options of the constructor. They are checked by hand: a constructor is synchronous and on a service's start-up
 * path, where loading zod (60 ms) is not affordable. `optimizerOptionsSchema` in optimizer-schema.ts describes
 * the same options for the published JSON Schema; a test holds the two equal.
 */
import { describe, fail } from '../errors.js';
import { nearest } from './nearest.js';
import { normaliseTree } from './normalise.js';

/** How long stored documents are kept. Removing happens when something is stored. */
export interface Retention {
  /** Documents older than this many days are removed. Absent: kept whatever their age. */
  readonly maxAgeDays?: number;
  /** At most this many documents of each kind are kept, newest first. */
  readonly maxDocuments?: number;
  /** At most this many of V8's own profiles are kept, newest first. Default 20; 0 keeps none. */
  readonly maxRawProfiles?: number;
  /** Size of all of V8's own profiles together, in bytes. Default 64 MiB. */
  readonly maxRawBytes?: number;
}

/** V8's own profiles are hundreds of kilobytes each, and looked at rarely. */
export const RAW_PROFILE_LIMITS = { maxRawProfiles: 20, maxRawBytes: 64 * 2 ** 20 } as const;

export interface OptimizerOptions {
  /** Folder of the store, relative to the working directory. Created at the first write. */
  readonly storagePath: string;
  readonly retention: Retention;
  /** Milliseconds that one optimisation may take, where its call does not say. */
  readonly budgetMs: number;
}

export type OptimizerOptionsInput = Partial<OptimizerOptions>;

export const OPTIMIZER_DEFAULTS: OptimizerOptions = {
  storagePath: 'data/optimization',
  retention: { maxDocuments: 1_000 },
  budgetMs: 60_000,
};

const NUMBERS = {
  budgetMs: { min: 10, max: 86_400_000, integer: false },
  'retention.maxAgeDays': { min: 0.001, max: 36_500, integer: false },
  'retention.maxDocuments': { min: 1, max: 1_000_000, integer: true },
  'retention.maxRawProfiles': { min: 0, max: 10_000, integer: true },
  'retention.maxRawBytes': { min: 0, max: 2 ** 40, integer: true },
} as const;

/**
 * Checks constructor options and fills in defaults. Keys may be camelCase or snake_case.
 *
 * @throws SettingsError `UNKNOWN_SETTING` for an unknown key (with the nearest known one), `INVALID_SETTING`
 * for a value outside its range.
 *
 * @example
 * parseOptimizerOptions({ storagePath: 'data/optimization', retention: { maxAgeDays: 30 } });
 */
export function parseOptimizerOptions(input: unknown = {}): OptimizerOptions {
  const { value, writtenAs } = normaliseTree(input);
  const written = (path: string) => writtenAs.get(path) ?? path;
  const given = keysOf(value, '(the options)', '', ['storagePath', 'retention', 'budgetMs'], written);
  const retention =
    given['retention'] === undefined
      ? OPTIMIZER_DEFAULTS.retention
      : keysOf(
          given['retention'],
          written('retention'),
          'retention.',
          ['maxAgeDays', 'maxDocuments', 'maxRawProfiles', 'maxRawBytes'],
          written,
        );

  const { storagePath = OPTIMIZER_DEFAULTS.storagePath } = given;
  if (typeof storagePath !== 'string' || storagePath.trim() === '' || storagePath.includes('\0')) {
    throw fail('INVALID_SETTING', {
      path: written('storagePath'),
      actual: describe(storagePath),
      expected: 'the path of a directory',
    });
  }
  const number = (path: keyof typeof NUMBERS, candidate: unknown): void => {
    const { min, max, integer } = NUMBERS[path];
    if (candidate === undefined) return;
    const fits = typeof candidate === 'number' && candidate >= min && candidate <= max;
    if (fits && (!integer || Number.isInteger(candidate))) return;
    throw fail('INVALID_SETTING', {
      path: written(path),
      actual: describe(candidate),
      expected: `${integer ? 'an integer' : 'a number'} from ${min} to ${max}`,
    });
  };
  number('budgetMs', given['budgetMs']);
  for (const key of ['maxAgeDays', 'maxDocuments', 'maxRawProfiles', 'maxRawBytes'] as const)
    number(`retention.${key}`, (retention as Record<string, unknown>)[key]);
  return {
    storagePath,
    retention: retention,
    budgetMs: (given['budgetMs'] as number | undefined) ?? OPTIMIZER_DEFAULTS.budgetMs,
  };
}

function keysOf(
  value: unknown,
  name: string,
  prefix: string,
  known: readonly string[],
  written: (path: string) => string,
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail('INVALID_SETTING', { path: name, actual: describe(value), expected: 'an object' });
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const close = nearest(key, known);
    throw fail('UNKNOWN_SETTING', {
      path: written(`${prefix}${key}`),
      suggestion: close
        ? `Did you mean "${prefix}${close}"?`
        : `Known here: ${known.map((candidate) => prefix + candidate).join(', ')}.`,
    });
  }
  return value as Record<string, unknown>;
}
