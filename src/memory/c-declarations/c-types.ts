/**
 * Types of C with their sizes under the LP64 data model (Linux and macOS on 64-bit machines): `long` and pointers
 * take 8 bytes, every scalar is aligned to its size.
 */
import type { FieldNode, ScalarName } from '../struct/field-types.js';

export interface CType {
  /** As it would stand in a declaration without a name: `char *[4]`. */
  readonly text: string;
  readonly sizeBytes: number;
  readonly alignBytes: number;
  /** The same as a field type of this library; undefined for unions, `long double` and 128-bit integers. */
  readonly node: FieldNode | undefined;
  /** What makes it no member of a struct with a known layout. */
  readonly problem?: string;
  /** The innermost problem, where it lies in a type within this one. */
  readonly cause?: string;
}

export function scalarType(text: string, scalar: ScalarName, sizeBytes: number): CType {
  return { text, sizeBytes, alignBytes: sizeBytes, node: { kind: 'scalar', scalar } };
}

/** A type with a size, of which nothing more is known or can be said. */
export function opaqueType(text: string, sizeBytes: number, alignBytes: number): CType {
  return { text, sizeBytes, alignBytes, node: undefined };
}

/** No object can have it: `void`, a function, a struct that is only declared. */
export function incompleteType(text: string, problem: string, cause = problem): CType {
  return { text, sizeBytes: 0, alignBytes: 1, node: undefined, problem, cause };
}

export function pointerTo({ text }: CType): CType {
  const at = text.search(/[[(]/);
  const pointer = at < 0 ? `${text} *` : `${text.slice(0, at).trimEnd()} (*)${text.slice(at)}`;
  return {
    text: pointer,
    sizeBytes: 8,
    alignBytes: 8,
    node: { kind: 'scalar', scalar: 'u64', pointer: true },
  };
}

/** `char name[16]` is text; arrays of all else are arrays. */
export function arrayOf(element: CType, count: number): CType {
  const { text, sizeBytes, alignBytes, node, problem, cause } = element;
  const at = text.indexOf('[');
  return {
    text: at < 0 ? `${text}[${count}]` : `${text.slice(0, at)}[${count}]${text.slice(at)}`,
    sizeBytes: sizeBytes * count,
    alignBytes,
    node: text === 'char' ? { kind: 'utf8', bytes: count } : node && { kind: 'array', element: node, count },
    ...(problem !== undefined && { problem }),
    ...(cause !== undefined && { cause }),
  };
}

/** An enum takes the size of `int` unless a value needs more. */
export function enumType(text: string, values: ReadonlyMap<string, bigint>): CType {
  const all = [...values.values()];
  const fits = (least: bigint, most: bigint) => all.every((value) => value >= least && value <= most);
  if (fits(0n, 2n ** 32n - 1n)) {
    const numbers = new Map([...values].map(([name, value]) => [name, Number(value)]));
    // Two names of one number: a value has no single name then.
    const plain = numbers.size > 0 && new Set(numbers.values()).size === numbers.size;
    const node: FieldNode = plain
      ? { kind: 'enum', scalar: 'u32', values: Object.fromEntries(numbers) }
      : { kind: 'scalar', scalar: 'u32' };
    return { text, sizeBytes: 4, alignBytes: 4, node };
  }
  if (fits(-(2n ** 31n), 2n ** 31n - 1n)) return scalarType(text, 'i32', 4);
  return scalarType(text, fits(0n, 2n ** 64n - 1n) ? 'u64' : 'i64', 8);
}

/** Type of a list of keywords such as `unsigned long int`; undefined where C has none of that name. */
export function basicType(words: readonly string[]): CType | undefined {
  const count = (word: string) => words.filter((each) => each === word).length;
  const text = words.join(' ');
  const isUnsigned = count('unsigned') > 0;
  const rest = words.filter((word) => !['signed', '__signed__', 'unsigned', 'int'].includes(word));
  switch (rest.join(' ')) {
    case '':
      return scalarType(text, isUnsigned ? 'u32' : 'i32', 4);
    case 'char':
      return scalarType(text, isUnsigned ? 'u8' : 'i8', 1);
    case 'short':
      return scalarType(text, isUnsigned ? 'u16' : 'i16', 2);
    case 'long':
    case 'long long':
      return scalarType(text, isUnsigned ? 'u64' : 'i64', 8);
    case '__int128':
      return opaqueType(text, 16, 16);
    case 'float':
      return scalarType(text, 'f32', 4);
    case 'double':
      return scalarType(text, 'f64', 8);
    case 'long double':
    case 'double long':
    case '__float128':
    case '_Float128':
      return opaqueType(text, 16, 16);
    case '_Bool':
    case 'bool':
      return scalarType(text, 'bool', 1);
    case 'void':
      return incompleteType('void', 'void has no size');
    default:
      return undefined;
  }
}

/** Words that `basicType` understands. */
export const BASIC_WORDS: ReadonlySet<string> = new Set([
  'void',
  'char',
  'short',
  'int',
  'long',
  'float',
  'double',
  'signed',
  '__signed__',
  'unsigned',
  '_Bool',
  'bool',
  '_Complex',
  '__int128',
  '__float128',
  '_Float128',
]);

const widths = (pattern: (bits: number) => readonly [string, ScalarName]) =>
  [8, 16, 32, 64].map((bits) => [pattern(bits), bits / 8] as const);

/** Names that the standard headers define, so that a header that includes them can be read without them. */
export const STANDARD_TYPES: ReadonlyMap<string, CType> = new Map(
  (
    [
      ...widths((bits) => [`int${bits}_t`, `i${bits}` as ScalarName]),
      ...widths((bits) => [`uint${bits}_t`, `u${bits}` as ScalarName]),
      ...widths((bits) => [`int_least${bits}_t`, `i${bits}` as ScalarName]),
      ...widths((bits) => [`uint_least${bits}_t`, `u${bits}` as ScalarName]),
      ...['intptr_t', 'intmax_t', 'ptrdiff_t', 'ssize_t', 'off_t', 'time_t', 'clock_t', 'suseconds_t'].map(
        (name) => [[name, 'i64'], 8] as const,
      ),
      ...['uintptr_t', 'uintmax_t', 'size_t', 'rlim_t', 'ino_t'].map((name) => [[name, 'u64'], 8] as const),
      ...['pid_t', 'wchar_t'].map((name) => [[name, 'i32'], 4] as const),
      ...['uid_t', 'gid_t', 'socklen_t', 'char32_t', 'wint_t', 'useconds_t'].map(
        (name) => [[name, 'u32'], 4] as const,
      ),
      [['sa_family_t', 'u16'], 2],
      [['in_port_t', 'u16'], 2],
      [['char16_t', 'u16'], 2],
    ] as (readonly [readonly [string, ScalarName], number])[]
  ).map(([[name, scalar], sizeBytes]) => [name, scalarType(name, scalar, sizeBytes)]),
);
