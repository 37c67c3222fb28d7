/** Checks of what callers pass. All throw INVALID_ARGUMENT. */
import { describe, fail } from '../errors.js';

export function integerWithin(name: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value;
  const range = high === Number.MAX_SAFE_INTEGER ? `of ${low} or more` : `from ${low} to ${high}`;
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: `an integer ${range}` });
}

export function positiveNumber(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value;
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'a number above 0' });
}

export function trueOrFalse(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'true or false' });
}

export function oneOf<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  if ((choices as readonly unknown[]).includes(value)) return value as T;
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: `one of ${choices.join(', ')}` });
}

export function abortSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw fail('INVALID_ARGUMENT', { name: 'signal', actual: describe(value), expected: 'an AbortSignal' });
}
