/** What both makers of accessor classes call: text, enum names, and the slow paths that end in an error. */
import { describe, fail } from '../../errors.js';
import type { AccessPlan, Codec, TypedArray } from './access-plan.js';

/** The part of a struct array that a cursor needs. */
export interface CursorHost {
  /** 0 once closed. */
  readonly length: number;
  /** See `guardOf`. */
  readonly guard: Uint8Array;
  readonly closed: boolean;
  readonly views: Readonly<Record<string, TypedArray>>;
  readonly plan: AccessPlan;
  readonly name: string;
}

/** A root cursor as the library sees it; its fields are properties beside these. */
export interface RawCursor {
  index: number;
  toObject(): Record<string, unknown>;
  assign(values: unknown): this;
}

export type CursorClass = new (host: CursorHost) => RawCursor;

/** Both directions of an enum. */
export interface EnumTable {
  /** By number; an array where the numbers are small. */
  readonly names: readonly (string | undefined)[] | Readonly<Record<number, string>>;
  readonly codes: Readonly<Record<string, number>>;
}

const DENSE_ENUM = 4096;
const SHORT_TEXT = 32;

export function enumTable(codec: Codec & { kind: 'enum' }): EnumTable {
  const codes = Object.assign(Object.create(null) as Record<string, number>, codec.values);
  const largest = Math.max(...Object.values(codec.values));
  const names: Record<number, string> =
    largest < DENSE_ENUM
      ? new Array<string>(largest + 1).fill(undefined as never)
      : (Object.create(null) as Record<number, string>);
  for (const [name, value] of Object.entries(codec.values)) names[value] = name;
  return { names, codes };
}

/** Fresh memory is zero: where no name has that number, the field is not set yet. */
export function unknownNumber(path: string, value: unknown): undefined {
  if (value === 0) return undefined;
  throw fail('INVALID_ARGUMENT', {
    name: `${path} in memory`,
    actual: describe(value),
    expected: 'memory that holds a number of the enum (another writer stored this one)',
  });
}

export function unknownName(path: string, names: Readonly<Record<string, number>>, value: unknown): never {
  throw fail('INVALID_ARGUMENT', {
    name: path,
    actual: describe(value),
    expected: `one of ${Object.keys(names).slice(0, 12).join(', ')}`,
  });
}

/**
 * Something with an element for each record and nothing else: `guard[i] === undefined` is the test whether a cursor may
 * stand on `i`, covering range, fractions and, as it is empty once the array is closed, use after close.
 *
 * Why not a comparison: V8 checks the bounds of a typed array without a branch. A branch to a call that never ran is an
 * exit of the loop that V8 does not mark when it inlines the setter; it peels no loop with such exits, and code that was
 * entered in the middle of an unpeeled loop (on-stack replacement, as in every first long loop) keeps `sum` in
 * `sum += p.x` as an object: 16 bytes a record and up to four times the time, for good where the function is called
 * seldom. V8 drops the element itself, which nobody uses. Found with `--trace-turbo-inlining` and the heap's growth by
 * call on Node 20; a sum over 2,000 records in cache gains 15 to 20 % besides. Rejected: to run the failing call once
 * at the start, which has the loop peeled too, but what it might change is then loaded again in every turn.
 */
export function guardOf(
  buffer: ArrayBuffer | SharedArrayBuffer,
  offsetBytes: number,
  length: number,
): Uint8Array {
  // A record takes a byte at least, so the memory of the records will do. Without a prototype, no name is in it.
  const guard = new Uint8Array(buffer as ArrayBuffer, offsetBytes, length);
  return Object.setPrototypeOf(guard, null) as Uint8Array;
}

/** The same for the elements of a fixed array; see `guardOf`. One for each length. */
export function elementGuard(count: number): Uint8Array {
  let guard = elementGuards.get(count);
  if (guard === undefined) {
    guard = guardOf(new ArrayBuffer(count), 0, count);
    elementGuards.set(count, guard);
  }
  return guard;
}

const elementGuards = new Map<number, Uint8Array>();

/** Throws CLOSED where the array was closed, or the region that its records lie in: a detached buffer has no elements. */
export function requireMemory(host: CursorHost): void {
  if (host.closed) throw fail('CLOSED', { what: `The array of "${host.name}"` });
  if (host.length > 0 && host.guard[0] === undefined) {
    throw fail('CLOSED', { what: `The region of the array of "${host.name}"` });
  }
}

export function indexOutOfRange(host: CursorHost, index: unknown): never {
  requireMemory(host);
  throw fail('INVALID_ARGUMENT', {
    name: `index into the array of "${host.name}"`,
    actual: describe(index),
    expected:
      host.length === 0 ? 'nothing: the array is empty' : `a whole number from 0 to ${host.length - 1}`,
  });
}

export function elementOutOfRange(path: string, count: number, index: unknown): never {
  throw fail('INVALID_ARGUMENT', {
    name: `index into ${path}`,
    actual: describe(index),
    expected: `a whole number from 0 to ${count - 1}`,
  });
}

export function requireValues(path: string, values: unknown, count: number): readonly unknown[] {
  if (Array.isArray(values) && values.length <= count) return values;
  throw fail('INVALID_ARGUMENT', {
    name: path,
    actual: describe(values),
    expected: `an array of at most ${count} values`,
  });
}

export function requireRecord(path: string, values: unknown): Record<string, unknown> {
  if (typeof values === 'object' && values !== null) return values as Record<string, unknown>;
  throw fail('INVALID_ARGUMENT', {
    name: path,
    actual: describe(values),
    expected: 'an object with the values of fields',
  });
}

/** A flag that has no bit would be lost silently. */
export function requireFlags(path: string, names: readonly string[], values: object): void {
  const unknown = Object.keys(values).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw fail('INVALID_ARGUMENT', {
    name: path,
    actual: describe(unknown),
    expected: `flags among ${names.slice(1, 13).join(', ')}, or bits`,
  });
}

/** Text up to the first zero byte. */
export function readText(view: TypedArray, start: number, bytes: number): string {
  const source = view as Uint8Array;
  let length = 0;
  let ascii = true;
  for (; length < bytes; length += 1) {
    const byte = source[start + length] as number;
    if (byte === 0 || byte === undefined) break;
    if (byte >= 0x80) ascii = false;
  }
  if (ascii && length <= SHORT_TEXT) {
    let text = '';
    for (let k = 0; k < length; k += 1) text += String.fromCharCode(source[start + k] as number);
    return text;
  }
  return Buffer.from(source.buffer, source.byteOffset + start, length).toString('utf8');
}

/** Writes text and pads with zeros; nothing is written where it throws. */
export function writeText(
  view: TypedArray,
  start: number,
  bytes: number,
  value: unknown,
  path: string,
): void {
  const target = view as Uint8Array;
  if (typeof value !== 'string') return refuseText(path, bytes, value);
  const { length } = value;
  if (length > bytes) return refuseText(path, bytes, value);
  let k = 0;
  for (; k < length; k += 1) {
    const code = value.charCodeAt(k);
    if (code === 0) return refuseText(path, bytes, value);
    if (code >= 0x80) break;
  }
  if (k === length) {
    for (k = 0; k < length; k += 1) target[start + k] = value.charCodeAt(k);
  } else {
    const encoded = Buffer.from(value, 'utf8');
    if (encoded.length > bytes || encoded.includes(0)) return refuseText(path, bytes, value);
    for (k = 0; k < encoded.length; k += 1) target[start + k] = encoded[k] as number;
  }
  for (; k < bytes; k += 1) target[start + k] = 0;
}

function refuseText(path: string, bytes: number, value: unknown): never {
  throw fail('INVALID_ARGUMENT', {
    name: path,
    actual: describe(value),
    expected: `text of at most ${bytes} UTF-8 bytes without NUL`,
  });
}
