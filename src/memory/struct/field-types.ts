/**
 * Types of fields: tokens such as `u32` or `array(f64, 3)` that say how a value lies in memory, and carry its
 * JavaScript type for inference.
 *
 * Values follow typed arrays: integers wrap, `f32` rounds, `u64` and `i64` take `bigint`. Strings and enums are
 * checked instead, because cutting them off or storing an unknown name would lose data silently.
 */
import { describe, fail } from '../../errors.js';
import { requireInteger } from '../arguments.js';

export type ScalarName = 'u8' | 'u16' | 'u32' | 'u64' | 'i8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64' | 'bool';

/** How a field lies in memory: plain JSON, so that another thread or process can rebuild it. */
export type FieldNode =
  | {
      readonly kind: 'scalar';
      readonly scalar: ScalarName;
      /** An address: `void *` in C. With `u64` only. */
      readonly pointer?: true;
    }
  | {
      readonly kind: 'enum';
      readonly scalar: 'u8' | 'u16' | 'u32';
      readonly values: Readonly<Record<string, number>>;
    }
  | {
      readonly kind: 'flags';
      readonly scalar: 'u8' | 'u16' | 'u32';
      /** The bit of each flag, as a power of two. */
      readonly bits: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'utf8'; readonly bytes: number }
  | { readonly kind: 'array'; readonly element: FieldNode; readonly count: number }
  | StructNode;

export interface StructNode {
  readonly kind: 'struct';
  readonly name: string;
  readonly sizeBytes: number;
  readonly alignBytes: number;
  /** In declared order. */
  readonly fields: readonly PlacedNode[];
}

export interface PlacedNode {
  readonly name: string;
  readonly offsetBytes: number;
  readonly node: FieldNode;
}

/**
 * `Value`: what records hold. `Access`: what a cursor's property gives. `Column`: the field in `array.columns`; unknown
 * for types that are made at run time, where `any` keeps `columns.x[i]` free of casts.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export interface FieldType<Value = unknown, Access = Value, Column = any> {
  readonly node: FieldNode;
  readonly sizeBytes: number;
  readonly alignBytes: number;
  /** For inference only; never present. */
  readonly '~types'?: { readonly value: Value; readonly access: Access; readonly column: Column };
}

export type ValueOf<T extends FieldType> = NonNullable<T['~types']>['value'];
export type AccessOf<T extends FieldType> = NonNullable<T['~types']>['access'];
export type ColumnOf<T extends FieldType> = NonNullable<T['~types']>['column'];

export type Fields = Readonly<Record<string, FieldType>>;
/** The plain object that a record converts to and from. */
export type RecordOf<F extends Fields> = { -readonly [K in keyof F]: ValueOf<F[K]> };
/** The properties of a cursor: scalars read and write memory, composite fields are cursors of their own. */
/** What `assign` takes for a value: of a nested struct and of flags only what is to change. */
type PatchOf<V> = V extends readonly unknown[]
  ? V
  : V extends object
    ? { readonly [K in keyof V]?: PatchOf<V[K]> }
    : V;

/** A part of a record; what it does not name stays as it is (or zero, in a new record). */
export type RecordPatch<F extends Fields> = { readonly [K in keyof F]?: PatchOf<ValueOf<F[K]>> };

export type AccessorOf<F extends Fields> = {
  -readonly [K in keyof F]: AccessOf<F[K]>;
};

/** Typed arrays by field; structs and flags within the record are objects of columns. */
export type ColumnsOf<F extends Fields> = { readonly [K in keyof F]: ColumnOf<F[K]> };
/** Enums and flags take the smallest that holds their numbers. */
export type SmallestUnsigned = Uint8Array | Uint16Array | Uint32Array;

/** What a cursor gives for a fixed array of scalars, enums or strings. */
export interface ArrayAccessor<Value> extends Iterable<Value> {
  readonly length: number;
  /** @throws INVALID_ARGUMENT outside the array. */
  get(index: number): Value;
  set(index: number, value: Value): void;
  toObject(): Value[];
  /** Takes up to `length` values; those left out stay. */
  assign(values: readonly Value[]): void;
}

/** What a cursor gives for a fixed array of structs or arrays. */
export interface CompositeArrayAccessor<Value, Access> {
  readonly length: number;
  /** The element's accessor. The same object every time, moved to `index`. */
  at(index: number): Access;
  toObject(): Value[];
  assign(values: readonly Value[]): void;
}

const SCALAR_BYTES: Readonly<Record<ScalarName, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  f32: 4,
  f64: 8,
  bool: 1,
};

export function scalarBytes(scalar: ScalarName): number {
  return SCALAR_BYTES[scalar];
}

export function sizeOf(node: FieldNode): number {
  switch (node.kind) {
    case 'utf8':
      return node.bytes;
    case 'array':
      return node.count * sizeOf(node.element);
    case 'struct':
      return node.sizeBytes;
    default:
      return scalarBytes(node.scalar);
  }
}

export function alignOf(node: FieldNode): number {
  switch (node.kind) {
    case 'utf8':
      return 1;
    case 'array':
      return alignOf(node.element);
    case 'struct':
      return node.alignBytes;
    default:
      return scalarBytes(node.scalar);
  }
}

/** @internal A token for a node. */
export function typeOf<Value, Access, Column>(node: FieldNode): FieldType<Value, Access, Column> {
  return Object.freeze({ node, sizeBytes: sizeOf(node), alignBytes: alignOf(node) });
}

const number = <Column>(scalar: ScalarName) => typeOf<number, number, Column>({ kind: 'scalar', scalar });

export const u8 = number<Uint8Array>('u8');
export const u16 = number<Uint16Array>('u16');
export const u32 = number<Uint32Array>('u32');
export const i8 = number<Int8Array>('i8');
export const i16 = number<Int16Array>('i16');
export const i32 = number<Int32Array>('i32');
export const f32 = number<Float32Array>('f32');
export const f64 = number<Float64Array>('f64');
/** A `bigint` from 0 to 2^64 - 1. Slower than the other numbers; use `f64` for whole numbers up to 2^53. */
export const u64 = typeOf<bigint, bigint, BigUint64Array>({ kind: 'scalar', scalar: 'u64' });
/** A `bigint` from -2^63 to 2^63 - 1. */
export const i64 = typeOf<bigint, bigint, BigInt64Array>({ kind: 'scalar', scalar: 'i64' });
/** An address in native memory: a `bigint` of 64 bits as `u64`, `void *` in a C header. This library never follows it. */
export const pointer = typeOf<bigint, bigint, BigUint64Array>({
  kind: 'scalar',
  scalar: 'u64',
  pointer: true,
});
/** A handle in 32 bits, such as those of `SlabPool` and `SharedSlabPool`: a number, `uint32_t` in C. */
export const handle32 = u32;
/** A handle in 64 bits: a `bigint`, `uint64_t` in C. */
export const handle64 = u64;
/** One byte; any byte but 0 reads as true. */
export const bool = typeOf<boolean, boolean, Uint8Array>({ kind: 'scalar', scalar: 'bool' });

type IsComposite<T extends FieldType> = [AccessOf<T>] extends [string | number | bigint | boolean | undefined]
  ? false
  : true;
type ArrayAccessOf<T extends FieldType> =
  IsComposite<T> extends true ? CompositeArrayAccessor<ValueOf<T>, AccessOf<T>> : ArrayAccessor<ValueOf<T>>;

/**
 * A fixed number of equal elements, in place.
 * @param count 1 to 65,536
 */
export function array<T extends FieldType>(
  element: T,
  count: number,
): FieldType<ValueOf<T>[], ArrayAccessOf<T>, ColumnOf<T>> {
  if (typeof element !== 'object' || (element as unknown) === null || !('node' in element)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'element',
      actual: describe(element),
      expected: 'a field type such as f32 or a struct type',
    });
  }
  requireInteger('count', count, 1, 65_536);
  return typeOf({ kind: 'array', element: element.node, count });
}

/**
 * Text in a fixed number of bytes, zero-padded. Writing text that does not fit throws INVALID_ARGUMENT.
 * @param bytes 1 to 65,536; a character takes one to four
 */
export function utf8(bytes: number): FieldType<string, string, Uint8Array> {
  return typeOf({ kind: 'utf8', bytes: requireInteger('bytes', bytes, 1, 65_536) });
}

/** The names, and `undefined` where zeroed memory has none. */
type EnumOf<Values extends Readonly<Record<string, number>>> =
  (keyof Values & string) | (0 extends Values[keyof Values] ? never : undefined);

/**
 * One of some names, stored as the smallest unsigned integer that holds the numbers: `enumOf('buy', 'sell')`
 * numbers from 0, `enumOf({ buy: 1, sell: 2 })` as it says. Memory that is all zero reads as the name for 0, or as
 * `undefined` where no name has 0: the field is not set yet. Writing another name, or reading any other number without
 * a name, throws INVALID_ARGUMENT.
 */
export function enumOf<const Names extends readonly string[]>(
  ...names: Names
): FieldType<Names[number], Names[number], SmallestUnsigned>;
export function enumOf<const Values extends Readonly<Record<string, number>>>(
  values: Values,
): FieldType<EnumOf<Values>, EnumOf<Values>, SmallestUnsigned>;
export function enumOf(...given: readonly unknown[]): FieldType<string, string, SmallestUnsigned> {
  const [first] = given;
  const pairs: [unknown, unknown][] =
    typeof first === 'object' && first !== null
      ? Object.entries(first)
      : given.map((name, index) => [name, index]);
  const numbers = pairs.map(([, value]) => requireInteger('enum value', value, 0, 0xffff_ffff));
  const names = pairs.map(([name]) => name);
  const proper = names.every((name) => typeof name === 'string' && name !== '');
  if (
    names.length === 0 ||
    !proper ||
    new Set(names).size < names.length ||
    new Set(numbers).size < numbers.length
  ) {
    throw fail('INVALID_ARGUMENT', {
      name: 'enum names',
      actual: JSON.stringify(given, (_, each: unknown) =>
        typeof each === 'bigint' ? describe(each) : each,
      ).slice(0, 80),
      expected: 'at least one name, all different, with different numbers',
    });
  }
  const largest = Math.max(...numbers);
  const scalar = largest < 256 ? 'u8' : largest < 65_536 ? 'u16' : 'u32';
  return typeOf({ kind: 'enum', scalar, values: Object.fromEntries(pairs) as Record<string, number> });
}
