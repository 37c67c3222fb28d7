/** Checks of arguments that the allocators share: one wording for all of them. */
import { describe, fail } from '../errors.js';

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

/** Throws INVALID_ARGUMENT unless `value` is an object with options in it. */
export function requireOptions(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'an object with options' });
  }
}

export function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}

/** Rounds up to a multiple of a power of two or of any other positive whole number. */
export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
