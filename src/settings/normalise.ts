/**
 * The boundary between what a caller wrote and the settings that the library reads: one walk that copies plain
 * data, turns snake_case keys into camelCase and refuses what is no plain data. After it, a tree holds only
 * fresh plain objects and arrays, so no getter, proxy or polluted prototype of the caller's reaches a schema.
 */
import { describe, fail } from '../errors.js';

/** A tree with camelCase keys, and how the caller spelled each path where that differs. */
export interface NormalisedTree {
  readonly value: unknown;
  /** Canonical dotted path → the path as it was written. */
  readonly writtenAs: ReadonlyMap<string, string>;
}

const SNAKE_CASE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/;
const FORBIDDEN = new Set(['__proto__', 'prototype', 'constructor']);
const MAX_DEPTH = 32;

/** `struct_packing` → `structPacking`. A key that is not snake_case comes back as it is. */
export function camelCase(key: string): string {
  return SNAKE_CASE.test(key)
    ? key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    : key;
}

/**
 * Copies a settings tree with camelCase keys at every depth. Values are copied as they are: `'minimal_padding'`
 * stays. Values under a top-level key in `opaque` are the caller's own data and are passed on untouched.
 *
 * @throws SettingsError for both spellings of one key, cycles, getters, class instances, symbols as keys,
 * keys that reach a prototype, and trees deeper than 32.
 *
 * @example
 * normaliseTree({ cache_optimization: true }).value; // { cacheOptimization: true }
 */
export function normaliseTree(input: unknown, opaque: ReadonlySet<string> = new Set()): NormalisedTree {
  const writtenAs = new Map<string, string>();
  const ancestors = new Set<object>();

  const copy = (value: unknown, path: string, written: string): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (ancestors.has(value)) throw invalid(written, 'a reference back to one of its parents', 'plain data');
    if (ancestors.size >= MAX_DEPTH) throw invalid(written, `nested deeper than ${MAX_DEPTH}`, 'plain data');
    ancestors.add(value);
    const result = Array.isArray(value)
      ? plainEntries(value, written).map(([key, item]) => copy(item, `${path}.${key}`, `${written}.${key}`))
      : copyObject(value, path, written);
    ancestors.delete(value);
    return result;
  };

  const copyObject = (value: object, path: string, written: string): Record<string, unknown> => {
    const result: Record<string, unknown> = {};
    const spelledAs = new Map<string, string>();
    for (const [key, item] of plainEntries(value, written)) {
      const canonical = camelCase(key);
      const itemPath = join(path, canonical);
      const itemWritten = join(written, key);
      if (FORBIDDEN.has(key) || FORBIDDEN.has(canonical)) {
        throw fail('UNKNOWN_SETTING', { path: itemWritten, suggestion: 'No setting has this name.' });
      }
      const twin = spelledAs.get(canonical);
      if (twin !== undefined) {
        throw invalid(join(written, canonical), `given twice, as "${twin}" and "${key}"`, 'one spelling');
      }
      spelledAs.set(canonical, key);
      if (itemPath !== itemWritten) writtenAs.set(itemPath, itemWritten);
      if (item === undefined) continue;
      result[canonical] = path === '' && opaque.has(canonical) ? item : copy(item, itemPath, itemWritten);
    }
    return result;
  };

  return { value: copy(input, '', ''), writtenAs };
}

/** Own enumerable data properties of a plain object or array; anything else is refused. */
function plainEntries(value: object, path: string): [key: string, value: unknown][] {
  let descriptors: Record<string, PropertyDescriptor>;
  let symbols: number;
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    const plain = Array.isArray(value) || prototype === null || isRootPrototype(prototype);
    if (!plain) throw invalid(path, describe(value), 'a plain object');
    descriptors = Object.getOwnPropertyDescriptors(value);
    symbols = Object.getOwnPropertySymbols(value).length;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'INVALID_SETTING') throw error;
    throw invalid(path, 'an object that throws when it is read', 'a plain object', error);
  }
  if (symbols > 0) throw invalid(path, 'an object with symbols as keys', 'a plain object');
  const entries: [string, unknown][] = [];
  for (const [key, descriptor] of Object.entries(descriptors)) {
    if (!descriptor.enumerable) continue;
    if (!('value' in descriptor)) throw invalid(join(path, key), 'a getter', 'a plain value');
    entries.push([key, descriptor.value]);
  }
  return entries;
}

/** Object.prototype of this realm or of another (settings made in a `vm` context are plain too). */
function isRootPrototype(prototype: unknown): boolean {
  return (
    prototype === Object.prototype ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty'))
  );
}

function invalid(path: string, actual: string, expected: string, cause?: unknown) {
  return fail(
    'INVALID_SETTING',
    { path: path || '(the whole tree)', actual, expected },
    cause === undefined ? undefined : { cause },
  );
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${Snake<Tail>}`
    : `_${Lowercase<Head>}${Snake<Tail>}`
  : S;

/** A settings tree as callers may write it: every level in camelCase or in snake_case. */
export type EitherCase<T> = T extends readonly unknown[] | ((...args: never[]) => unknown) | AbortSignal
  ? T
  : T extends object
    ? { [K in keyof T]: EitherCase<T[K]> } | { [K in keyof T as Snake<K & string>]: EitherCase<T[K]> }
    : T;
