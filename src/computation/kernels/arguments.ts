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

const isFloats = (value: unknown): boolean => value instanceof Float64Array || value instanceof Float32Array;

const isKeys = (value: unknown): boolean =>
  value instanceof Uint32Array ||
  value instanceof Int32Array ||
  value instanceof Uint8Array ||
  value instanceof Uint16Array;

const isNumbers = (value: unknown): boolean =>
  isFloats(value) || isKeys(value) || value instanceof Int16Array || value instanceof Int8Array;

function require(name: string, value: unknown, kinds: ReadonlySet<string>, expected: string): void {
  const type = typeName(value);
  if (type !== undefined && kinds.has(type)) return;
  throw fail('INVALID_ARGUMENT', {
    name,
    actual: type === undefined ? describe(value) : `a ${type}`,
    expected,
  });
}

export function requireNumbers(name: string, value: unknown): asserts value is Numbers {
  if (isNumbers(value)) return;
  require(name, value, NUMBERS, 'a typed array of numbers: floats, or integers of at most 32 bits');
}

export function requireFloats(name: string, value: unknown): asserts value is Floats {
  if (isFloats(value)) return;
  require(name, value, FLOATS, 'a Float32Array or Float64Array');
}

export function requireValues(name: string, value: unknown): asserts value is Values {
  if (isNumbers(value)) return;
  require(name, value, VALUES, 'a typed array, but no Uint8ClampedArray or Float16Array');
}

export function requireKeys(name: string, value: unknown): asserts value is Keys {
  if (isKeys(value)) return;
  require(name, value, KEYS, 'a Uint8Array, Uint16Array, Uint32Array or Int32Array');
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

/** Kernels write while they read: a result may not lie over part of its source. The same place is fine. */
export function refuseOverlap(
  name: string,
  out: ArrayBufferView,
  other: string,
  source: ArrayBufferView,
): void {
  if (out.buffer !== source.buffer || out.byteOffset === source.byteOffset) return;
  const first = out.byteOffset < source.byteOffset ? out : source;
  const second = first === out ? source : out;
  if (first.byteOffset + first.byteLength <= second.byteOffset) return;
  const expected = 'memory of its own, or exactly the same';
  throw fail('INVALID_ARGUMENT', { name, actual: `an array that overlaps ${other}`, expected });
}

/** Kernels that write to other places than they read from. */
export function refuseSharing(
  name: string,
  out: ArrayBufferView,
  other: string,
  source: ArrayBufferView,
): void {
  refuseOverlap(name, out, other, source);
  if (out.buffer !== source.buffer || out.byteOffset !== source.byteOffset) return;
  if (out.byteLength === 0 || source.byteLength === 0) return;
  throw fail('INVALID_ARGUMENT', { name, actual: `the memory of ${other}`, expected: 'memory of its own' });
}

export function requireNumber(name: string, value: unknown): asserts value is number {
  if (typeof value === 'number') return;
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'a number' });
}

export function requireFinite(name: string, value: unknown): asserts value is number {
  if (typeof value === 'number' && Number.isFinite(value)) return;
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'a finite number' });
}
