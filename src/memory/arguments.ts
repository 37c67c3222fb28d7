/** Checks of arguments that the allocators share: one wording for all of them. */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';

/** Throws INVALID_ARGUMENT unless `value` is a whole number from `min` to `max`. */
export function requireInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw fail('INVALID_ARGUMENT', {
      name,
      actual: describe(value),
      expected: `a whole number from ${min} to ${max}`,
    });
  }
  return value;
}

/** Throws INVALID_ARGUMENT unless `value` is one of `allowed`. */
export function requireOneOf<T extends string | number>(
  name: string,
  value: unknown,
  allowed: readonly T[],
): T {
  if (!allowed.includes(value as T)) {
    throw fail('INVALID_ARGUMENT', {
      name,
      actual: describe(value),
      expected: `one of ${allowed.map((entry) => describe(entry)).join(', ')}`,
    });
  }
  return value as T;
}

/** Throws INVALID_ARGUMENT unless `value` is a boolean. */
export function requireBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') {
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'true or false' });
  }
  return value;
}

/** The name of a pool or a region; `fallback` where none is given. Throws INVALID_ARGUMENT unless it is a string. */
export function nameOr(fallback: string, value: unknown): string {
  if (value === undefined) return fallback;
  if (typeof value === 'string') return value;
  throw fail('INVALID_ARGUMENT', { name: 'name', actual: describe(value), expected: 'a string' });
}

/** The signal out of the options of a waiting call. Throws INVALID_ARGUMENT for what is no AbortSignal, and other keys. */
export function requireWaitOptions(
  name: string,
  options: { readonly signal?: AbortSignal },
): AbortSignal | undefined {
  requireOptions(name, options, { signal: true });
  const { signal } = options;
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw fail('INVALID_ARGUMENT', { name: 'signal', actual: describe(signal), expected: 'an AbortSignal' });
}

export function isPowerOfTwo(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && Number.isInteger(Math.log2(value));
}

/** Rounds up to a multiple of a power of two or of any other positive whole number. */
export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
