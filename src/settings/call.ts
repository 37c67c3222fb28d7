/** Takes the call's own options and the caller's data out of an argument, so that what remains are settings. */
import { describe, fail } from '../errors.js';
import type { OptimizationType } from '../model/types.js';
import { camelCase } from './normalise.js';

/** Options that every optimisation accepts beside its settings. */
export interface CallOptions {
  /** Name of the registered subject to optimise; absent: all that fit. */
  readonly subject?: string;
  /** Milliseconds that this optimisation may take. */
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
}

/** Keys whose values are the caller's own: functions, data, names. They are never renamed or copied. */
const DATA_KEYS: Record<OptimizationType, readonly string[]> = {
  memory: [],
  computation: [
    'name',
    'variants',
    'size',
    'equivalence',
    'inputs',
    'inputGenerator',
    'sizes',
    'maxSize',
    'repeatedInputs',
    'parameters',
    'constraints',
    'parallel',
    'native',
  ],
  thread: ['job'],
};

/** Names that stand beside the settings in the argument of a call. */
export function keysOfCall(type: OptimizationType): string[] {
  return [...DATA_KEYS[type], ...OPTION_CHECKS.keys()];
}

export interface SplitCall {
  readonly options: CallOptions;
  /** The caller's data by canonical key: for a computation `name`, `variants`, `inputs`…; for threads `job`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The rest, to be parsed as settings. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * Splits the argument of `optimizeMemory`, `optimizeComputation` or `optimizeThreads`.
 *
 * @throws SettingsError where the argument is no object, or an option has a wrong value.
 *
 * @example
 * splitCall('memory', { subject: 'Order', budget_ms: 5_000, cache_optimization: true });
 * // { options: { subject: 'Order', budgetMs: 5000 }, data: {}, settings: { cache_optimization: true } }
 */
export function splitCall(type: OptimizationType, argument: unknown): SplitCall {
  if (argument === undefined) return { options: {}, data: {}, settings: {} };
  if (typeof argument !== 'object' || argument === null || Array.isArray(argument)) {
    throw fail('INVALID_SETTING', {
      path: '(the whole tree)',
      actual: describe(argument),
      expected: 'an object of settings',
    });
  }
  const options: Record<string, unknown> = {};
  const data: Record<string, unknown> = {};
  // Null prototype: an own "__proto__" key must arrive at the settings parser, which refuses it.
  const settings = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(argument)) {
    const canonical = camelCase(key);
    const target = OPTION_CHECKS.has(canonical)
      ? options
      : DATA_KEYS[type].includes(canonical)
        ? data
        : undefined;
    // Descriptors keep a getter a getter, for the settings parser to refuse.
    const descriptor = Object.getOwnPropertyDescriptor(argument, key);
    if (!descriptor) continue;
    if (!target) {
      Object.defineProperty(settings, key, descriptor);
      continue;
    }
    if (canonical in target) {
      throw fail('INVALID_SETTING', { path: canonical, actual: 'given twice', expected: 'one spelling' });
    }
    const value = (argument as Record<string, unknown>)[key];
    if (value !== undefined) target[canonical] = value;
  }
  for (const [key, value] of Object.entries(options)) OPTION_CHECKS.get(key)?.(value);
  return { options, data, settings };
}

const OPTION_CHECKS = new Map<string, (value: unknown) => void>([
  ['subject', check('subject', 'the name of a registered subject', (v) => typeof v === 'string' && v !== '')],
  [
    'budgetMs',
    check(
      'budgetMs',
      'a number of milliseconds from 10 to 86400000',
      (v) => typeof v === 'number' && v >= 10 && v <= 86_400_000,
    ),
  ],
  ['signal', checkSignal],
]);

export function checkSignal(value: unknown): void {
  check('signal', 'an AbortSignal', (v) => v instanceof AbortSignal)(value);
}

function check(path: string, expected: string, holds: (value: unknown) => boolean) {
  return (value: unknown): void => {
    if (!holds(value)) throw fail('INVALID_SETTING', { path, actual: describe(value), expected });
  };
}
