/** Checks of the kernels' arguments: typed arrays by kind, lengths, overlap. One wording for all of them. */
import { describe, fail } from '../../errors.js';

export type Floats = Float32Array | Float64Array;
/** What numbers come in: every typed array but those of 64-bit integers, clamped bytes and half floats. */
export type Numbers = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Floats;
export type Values = Numbers | BigInt64Array | BigUint64Array;
export type Keys = Uint8Array | Uint16Array | Uint32Array | Int32Array;

const FLOATS = new Set(['Float32Array', 'Float64Array']);
const KEYS = new Set(['Uint8Array', 'Uint16Array', 'Uint32Array', 'Int32Array']);
const NUMBERS = new Set([...FLOATS, ...KEYS, 'Int8Array', 'Int16Array']);
const VALUES = new Set([...NUMBERS, 'BigInt64Array', 'BigUint64Array']);

/** The intrinsic name: it cannot be forged by a prototype, nor is it lost by a Buffer or another realm. */
const tag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)!;

export function typeName(value: unknown): string | undefined {
  if (value instanceof Float64Array) return 'Float64Array';
  return (tag.get as () => unknown).call(value) as string | undefined;
}

// Short arrays are common, and the look-up of an intrinsic name costs as much as adding up a hundred values: what is an
// instance of this realm's own classes is known without. Objects that only inherit from one fail at their first use.

/** Kinds of typed arrays, as numbers: places in tables of loops, see `loops/copies.ts`. */
export const KINDS = [
  'Float64Array',
  'Uint8Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Uint16Array',
  'Int16Array',
  'Int8Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;

/** Place in {@link KINDS} of a typed array of this realm, else -1. */
function ownKind(value: unknown): number {
  if (value instanceof Float64Array) return 0;
  if (value instanceof Uint8Array) return 1;
  if (value instanceof Uint32Array) return 2;
  if (value instanceof Int32Array) return 3;
  if (value instanceof Float32Array) return 4;
  if (value instanceof Uint16Array) return 5;
  if (value instanceof Int16Array) return 6;
  if (value instanceof Int8Array) return 7;
  if (value instanceof BigInt64Array) return 8;
  return value instanceof BigUint64Array ? 9 : -1;
}

const kindNamed = (type: string): number => (KINDS as readonly string[]).indexOf(type);

function require(name: string, value: unknown, kinds: ReadonlySet<string>, expected: string): number {
  const type = typeName(value);
  if (type !== undefined && kinds.has(type)) return kindNamed(type);
  throw fail('INVALID_ARGUMENT', {
    name,
    actual: type === undefined ? describe(value) : `a ${type}`,
    expected,
  });
}

/** Place in {@link KINDS} of a typed array of numbers. @throws INVALID_ARGUMENT for anything else */
export function numbersKind(name: string, value: unknown): number {
  const kind = ownKind(value);
  if (kind >= 0 && kind < 8) return kind;
  return require(name, value, NUMBERS, 'a typed array of numbers: floats, or integers of at most 32 bits');
}

export function requireNumbers(name: string, value: unknown): asserts value is Numbers {
  numbersKind(name, value);
}

export function requireFloats(name: string, value: unknown): asserts value is Floats {
  if (value instanceof Float64Array || value instanceof Float32Array) return;
  require(name, value, FLOATS, 'a Float32Array or Float64Array');
}

/** Place in {@link KINDS} of any typed array that kernels take. @throws INVALID_ARGUMENT for anything else */
export function valuesKind(name: string, value: unknown): number {
  const kind = ownKind(value);
  if (kind >= 0) return kind;
  return require(name, value, VALUES, 'a typed array, but no Uint8ClampedArray or Float16Array');
}

export function requireValues(name: string, value: unknown): asserts value is Values {
  valuesKind(name, value);
}

/** Place in {@link KINDS} of a typed array of keys. @throws INVALID_ARGUMENT for anything else */
export function keysKind(name: string, value: unknown): number {
  const kind = ownKind(value);
  if ((kind >= 1 && kind <= 3) || kind === 5) return kind;
  return require(name, value, KEYS, 'a Uint8Array, Uint16Array, Uint32Array or Int32Array');
}

export function requireKeys(name: string, value: unknown): asserts value is Keys {
  keysKind(name, value);
}

export function requireBytes(name: string, value: unknown): asserts value is ArrayBufferView {
  if (ArrayBuffer.isView(value)) return;
  const expected = 'a typed array, Buffer or DataView';
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
}

export function requireSameLength(
  name: string,
  value: { readonly length: number },
  other: string,
  { length }: { readonly length: number },
): void {
  if (value.length === length) return;
  throw fail('INVALID_ARGUMENT', {
    name,
    actual: `of length ${value.length}`,
    expected: `as many values as ${other} has, ${length}`,
  });
}

/** An array that the caller brought for the result, of the given kind and at least `length` long. */
export function requireOut<T extends Values>(
  name: string,
  out: unknown,
  type: string,
  length: number,
): asserts out is T {
  // As above: both of the classes that results nearly always have.
  if (type === 'Float64Array' && out instanceof Float64Array && out.length >= length) return;
  if (type === 'Uint32Array' && out instanceof Uint32Array && out.length >= length) return;
  const actual = typeName(out);
  if (actual === type && (out as T).length >= length) return;
  throw fail('INVALID_ARGUMENT', {
    name,
    actual:
      actual === type
        ? `of length ${(out as T).length}`
        : actual === undefined
          ? describe(out)
          : `a ${actual}`,
    expected: `a ${type} of at least ${length} elements`,
  });
}

/** How much room a result needs, for defaults: they are evaluated before anything is checked. */
export function lengthOf(values: unknown): number {
  return ArrayBuffer.isView(values) ? ((values as Partial<Values>).length ?? 0) : 0;
}

/** An array of the same type. Undefined of what is no typed array, for the check to come. */
export function alike<T extends Values>(values: T, length: number): T {
  if (Buffer.isBuffer(values)) return Buffer.alloc(length) as unknown as T; // Its constructor is deprecated.
  if (!ArrayBuffer.isView(values) || (values as unknown) instanceof DataView) return undefined as never;
  return new (values.constructor as new (length: number) => T)(length);
}

/** What was filled of `out`. A part costs 40 ns, and of a detached buffer none can be made. */
export function filledPart<T extends Values>(out: T, length: number): T {
  return out.length === length ? out : (out.subarray(0, length) as T);
}

// Asking a view for its buffer is a call into the engine, some 15 ns, and for its offset or bytes 10: the buffer first, for
// two arrays seldom share one.

/**
 * Kernels write while they read: a result may not lie over part of its source. The same place is fine. `buffer` is that of
 * `out`, where it is known already.
 */
export function refuseOverlap(
  name: string,
  out: ArrayBufferView,
  other: string,
  source: ArrayBufferView,
  buffer: ArrayBufferLike = out.buffer,
): void {
  if (out === source || buffer !== source.buffer) return;
  if (out.byteOffset !== source.byteOffset) refuseLyingOver(name, out, other, source);
}

/** Kernels that write to other places than they read from. `buffer` is that of `out`, where it is known already. */
export function refuseSharing(
  name: string,
  out: ArrayBufferView,
  other: string,
  source: ArrayBufferView,
  buffer: ArrayBufferLike = out.buffer,
): void {
  if (buffer === source.buffer) refuseLyingOver(name, out, other, source);
}

/** Whether two views have memory in common. For kernels whose order is defined where they do: a loop in it is run then. */
export function shareMemory(one: ArrayBufferView, other: ArrayBufferView): boolean {
  return one === other || (one.buffer === other.buffer && haveBytesInCommon(one, other));
}

function haveBytesInCommon(one: ArrayBufferView, other: ArrayBufferView): boolean {
  const { byteOffset: first } = one;
  const { byteOffset: second } = other;
  return first < second + other.byteLength && second < first + one.byteLength;
}

/** Of two views of one buffer. */
function refuseLyingOver(name: string, out: ArrayBufferView, other: string, source: ArrayBufferView): void {
  if (!haveBytesInCommon(out, source)) return;
  const actual =
    out.byteOffset === source.byteOffset ? `the memory of ${other}` : `an array that overlaps ${other}`;
  throw fail('INVALID_ARGUMENT', { name, actual, expected: 'memory of its own' });
}

export function requireNumber(name: string, value: unknown): asserts value is number {
  if (typeof value === 'number') return;
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'a number' });
}

export function requireFinite(name: string, value: unknown): asserts value is number {
  if (typeof value === 'number' && Number.isFinite(value)) return;
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'a finite number' });
}
