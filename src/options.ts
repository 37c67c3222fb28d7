/** The check of an argument with options: one wording for all of the package. */
import { describe, fail } from './errors.js';
import { nearest } from './settings/nearest.js';

/**
 * Throws INVALID_ARGUMENT unless `value` is an object with options in it and, where `known` is given, with none besides
 * those: a mistyped option would otherwise be ignored. As a record, the compiler finds what `known` lacks.
 */
export function requireOptions(
  name: string,
  value: unknown,
  known?: readonly string[] | Readonly<Record<string, true>>,
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'an object with options' });
  }
  if (known === undefined) return;
  const list = Array.isArray(known) ? (known as readonly string[]) : undefined;
  for (const key of Object.keys(value)) {
    if (list === undefined ? Object.hasOwn(known, key) : list.includes(key)) continue;
    throw unknownKey(name, key, list ?? Object.keys(known));
  }
}

/** The error for a key that means nothing, with the one that was probably meant. */
function unknownKey(name: string, key: string, known: readonly string[]): Error {
  const close = nearest(key, known);
  const others = known.filter((each) => each !== close);
  const list = known.length === 0 ? 'no key at all' : `keys of ${known.join(', ')}`;
  return fail('INVALID_ARGUMENT', {
    name,
    actual: `an object with the unknown key "${key}"`,
    expected:
      close === undefined
        ? list
        : others.length === 0
          ? `"${close}"`
          : `"${close}" (the nearest), or another of ${others.join(', ')}`,
  });
}
