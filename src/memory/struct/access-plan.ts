/**
 * Where every value of an array of records lies, for one layout and one order of storage. The two makers of
 * accessor classes (generated and interpreted) read this and nothing else.
 *
 * - `aos`: records one behind the other; every scalar type has one view over the whole, fields are strides in it.
 * - `soa`: a column per scalar, each starting on a cache line, with a view of its own.
 * - `aosoa`: blocks of 16 records, columns within the block. Two views of one block are seldom on one line.
 */
import { fail } from '../../errors.js';
import type { ArrayOrder } from '../../model/choice.js';
import { roundUp } from '../arguments.js';
import { scalarBytes, sizeOf, type FieldNode, type ScalarName, type StructNode } from './field-types.js';

/** Records in a block of an `aosoa` array: 2^4. */
export const BLOCK_SHIFT = 4;
const BLOCK = 2 ** BLOCK_SHIFT;
const MAX_INDEX = 2 ** 31 - 1;
const COLUMN_ALIGN = 128;

/** A typed array over part of an array's memory. */
export interface ViewSpec {
  readonly key: string;
  readonly scalar: ScalarName;
  /** Bytes per record that it covers, for its length. */
  readonly bytesPerRecord: number;
  /** The view starts at `offsetBytes` for an array of `count` records. */
  readonly offsetBytes: (count: number) => number;
}

/**
 * Index into the view: for the record, `record * stride`, or with blocks
 * `(record >> 4) * blockStride + (record & 15) * stride`; plus `constant`; plus each enclosing array's index times
 * its stride. All count in elements of the view.
 */
export interface IndexForm {
  readonly stride: number;
  readonly blockStride: number | undefined;
  readonly constant: number;
  /** One per enclosing array, outermost first. */
  readonly dimensions: readonly number[];
}

export type Codec =
  | { readonly kind: 'number' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'enum'; readonly values: Readonly<Record<string, number>> }
  | { readonly kind: 'utf8'; readonly bytes: number }
  /** One flag of the integer. */
  | { readonly kind: 'bit'; readonly mask: number };

export type AccessNode =
  | {
      readonly kind: 'leaf';
      readonly view: string;
      readonly index: IndexForm;
      readonly codec: Codec;
      /** For messages: `Order.legs.price`. */
      readonly path: string;
    }
  | {
      readonly kind: 'struct';
      readonly members: readonly AccessMember[];
      readonly path: string;
      /** Flags: the members share one integer, which the first, `bits`, is. */
      readonly isFlags?: true;
    }
  | {
      readonly kind: 'array';
      readonly count: number;
      readonly element: AccessNode;
      readonly path: string;
      /** Number of arrays around this one. */
      readonly depth: number;
    };

export interface AccessMember {
  readonly name: string;
  readonly access: AccessNode;
  /** Not part of the plain object: the raw bits of flags. */
  readonly isHidden?: true;
}

export interface AccessPlan {
  readonly order: ArrayOrder;
  readonly root: AccessNode & { readonly kind: 'struct' };
  readonly views: readonly ViewSpec[];
  /** Memory of `count` records. */
  readonly sizeBytes: (count: number) => number;
  /** Most records whose indices stay within 31 bits. */
  readonly maxRecords: number;
  readonly alignBytes: number;
  /** Bytes a record, for people; with `soa` without the columns' alignment. */
  readonly bytesPerRecord: number;
}

/** One scalar of a record, arrays around it included. */
interface Column {
  readonly scalar: ScalarName;
  /** Elements of a record. */
  readonly perRecord: number;
}

export function planAccess(node: StructNode, order: ArrayOrder, lineBytes: number): AccessPlan {
  return order === 'aos' ? planRecords(node, lineBytes) : planColumns(node, order, lineBytes);
}

function planRecords(node: StructNode, lineBytes: number): AccessPlan {
  const views = new Map<string, ViewSpec>();
  const strideBytes = node.sizeBytes;
  let smallest = 8;
  const leaf = (scalar: ScalarName, offsetBytes: number, dimensionBytes: readonly number[]) => {
    const bytes = scalarBytes(scalar);
    smallest = Math.min(smallest, bytes);
    const key = scalar === 'bool' ? 'u8' : scalar;
    if (!views.has(key)) {
      views.set(key, { key, scalar, bytesPerRecord: strideBytes, offsetBytes: () => 0 });
    }
    return {
      view: key,
      index: {
        stride: strideBytes / bytes,
        blockStride: undefined,
        constant: offsetBytes / bytes,
        dimensions: dimensionBytes.map((each) => each / bytes),
      },
    };
  };
  const root = walk(node, node.name, 0, [], leaf);
  return {
    order: 'aos',
    root: root as AccessPlan['root'],
    views: [...views.values()],
    sizeBytes: (count) => count * strideBytes,
    maxRecords: Math.floor((MAX_INDEX * smallest) / Math.max(1, strideBytes)),
    alignBytes: Math.max(lineBytes, node.alignBytes),
    bytesPerRecord: strideBytes,
  };
}

function planColumns(node: StructNode, order: 'soa' | 'aosoa', lineBytes: number): AccessPlan {
  const columns: Column[] = [];
  const align = Math.max(lineBytes, COLUMN_ALIGN);
  const total = totals(node, 1);
  const bytesPerRecord = total.reduce((sum, each) => sum + each.perRecord * scalarBytes(each.scalar), 0);

  // Within a block, wide columns first: each then starts at a multiple of its scalar without padding.
  const blockBytes = roundUp(bytesPerRecord * BLOCK, 64);
  const offsetInBlock: number[] = [];
  let used = 0;
  const byWidth = total.map((_, index) => index);
  byWidth.sort((a, b) => width(total, b) - width(total, a) || a - b);
  for (const index of byWidth) {
    offsetInBlock[index] = used;
    used += (total[index] as Column).perRecord * width(total, index) * BLOCK;
  }
  const columnStart = (index: number, count: number) => {
    let start = 0;
    for (let k = 0; k < index; k += 1) {
      const column = total[k] as Column;
      start += roundUp(count * column.perRecord * scalarBytes(column.scalar), align);
    }
    return start;
  };

  const views = new Map<string, ViewSpec>();
  const leaf = (scalar: ScalarName, _: number, __: readonly number[], counts: readonly number[]) => {
    const number = columns.length;
    const perRecord = counts.reduce((product, count) => product * count, 1);
    columns.push({ scalar, perRecord });
    const bytes = scalarBytes(scalar);
    // Dense within the column: the innermost array is contiguous.
    const dimensions = counts.map((_count, k) => counts.slice(k + 1).reduce((p, c) => p * c, 1));
    if (order === 'soa') {
      const key = `c${number}`;
      views.set(key, {
        key,
        scalar,
        bytesPerRecord: perRecord * bytes,
        offsetBytes: (count) => columnStart(number, count),
      });
      return { view: key, index: { stride: perRecord, blockStride: undefined, constant: 0, dimensions } };
    }
    const key = scalar === 'bool' ? 'u8' : scalar;
    if (!views.has(key)) {
      views.set(key, { key, scalar, bytesPerRecord: blockBytes / BLOCK, offsetBytes: () => 0 });
    }
    return {
      view: key,
      index: {
        stride: perRecord,
        blockStride: blockBytes / bytes,
        constant: (offsetInBlock[number] as number) / bytes,
        dimensions,
      },
    };
  };
  const root = walk(node, node.name, 0, [], leaf) as AccessPlan['root'];
  const smallest = Math.min(...total.map((column) => scalarBytes(column.scalar)));
  const longest = Math.max(...total.map((column) => column.perRecord));
  return {
    order,
    root,
    views: [...views.values()],
    sizeBytes: (count) =>
      order === 'soa' ? columnStart(total.length, count) : Math.ceil(count / BLOCK) * blockBytes,
    maxRecords:
      order === 'soa'
        ? Math.floor(MAX_INDEX / longest)
        : Math.floor((MAX_INDEX * smallest) / blockBytes) * BLOCK,
    alignBytes: align,
    bytesPerRecord: order === 'soa' ? bytesPerRecord : blockBytes / BLOCK,
  };
}

function width(columns: readonly Column[], index: number): number {
  return scalarBytes((columns[index] as Column).scalar);
}

/** The columns of a record in the order in which `walk` meets them. */
function totals(node: FieldNode, around: number): Column[] {
  switch (node.kind) {
    case 'struct':
      return node.fields.flatMap((field) => totals(field.node, around));
    case 'array':
      return totals(node.element, around * node.count);
    case 'utf8':
      return [{ scalar: 'u8', perRecord: around * node.bytes }];
    default:
      return [{ scalar: node.scalar, perRecord: around }];
  }
}

type LeafMaker = (
  scalar: ScalarName,
  offsetBytes: number,
  /** Bytes between elements of each array around it. */
  dimensionBytes: readonly number[],
  /** Lengths of the arrays around it; the bytes of a string count as the innermost. */
  counts: readonly number[],
) => { view: string; index: IndexForm };

function walk(
  node: FieldNode,
  path: string,
  offsetBytes: number,
  around: readonly { readonly bytes: number; readonly count: number }[],
  leaf: LeafMaker,
): AccessNode {
  const dimensionBytes = around.map((each) => each.bytes);
  const counts = around.map((each) => each.count);
  switch (node.kind) {
    case 'struct':
      return {
        kind: 'struct',
        path,
        members: node.fields.map((field) => ({
          name: field.name,
          access: walk(field.node, `${path}.${field.name}`, offsetBytes + field.offsetBytes, around, leaf),
        })),
      };
    case 'array': {
      const inner = [...around, { bytes: sizeOf(node.element), count: node.count }];
      const element = walk(node.element, path, offsetBytes, inner, leaf);
      return { kind: 'array', count: node.count, element, path, depth: around.length };
    }
    case 'utf8': {
      const made = leaf('u8', offsetBytes, [...dimensionBytes, 1], [...counts, node.bytes]);
      // The bytes themselves are read as a run, so their dimension is dropped again.
      const index = { ...made.index, dimensions: made.index.dimensions.slice(0, -1) };
      return { kind: 'leaf', path, view: made.view, index, codec: { kind: 'utf8', bytes: node.bytes } };
    }
    case 'enum': {
      const codec = { kind: 'enum', values: node.values } as const;
      return { kind: 'leaf', path, codec, ...leaf(node.scalar, offsetBytes, dimensionBytes, counts) };
    }
    case 'flags': {
      // One place, and a way to read it for each flag.
      const place = leaf(node.scalar, offsetBytes, dimensionBytes, counts);
      const each = (name: string, codec: Codec): AccessNode => ({
        kind: 'leaf',
        path: `${path}.${name}`,
        codec,
        ...place,
      });
      return {
        kind: 'struct',
        path,
        isFlags: true,
        members: [
          { name: 'bits', access: each('bits', { kind: 'number' }), isHidden: true },
          ...Object.entries(node.bits).map(([name, mask]) => ({
            name,
            access: each(name, { kind: 'bit', mask }),
          })),
        ],
      };
    }
    case 'scalar': {
      const codec = { kind: node.scalar === 'bool' ? 'bool' : 'number' } as const;
      return { kind: 'leaf', path, codec, ...leaf(node.scalar, offsetBytes, dimensionBytes, counts) };
    }
  }
}

/** Typed arrays for the views of a plan over memory that begins at `offsetBytes`. */
export function makeViews(
  plan: AccessPlan,
  buffer: ArrayBuffer | SharedArrayBuffer,
  offsetBytes: number,
  count: number,
): Record<string, TypedArray> {
  const views: Record<string, TypedArray> = {};
  for (const view of plan.views) {
    const bytes = scalarBytes(view.scalar);
    const records = plan.order === 'aosoa' ? roundUp(count, BLOCK) : count;
    const length = (records * view.bytesPerRecord) / bytes;
    views[view.key] = new VIEW_CLASSES[view.scalar](
      buffer as ArrayBuffer,
      offsetBytes + view.offsetBytes(count),
      length,
    );
  }
  return views;
}

export type TypedArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

const VIEW_CLASSES = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
  bool: Uint8Array,
} as const;

/** Throws where `count` records of this plan cannot be addressed. */
export function requireAddressable(plan: AccessPlan, name: string, count: number): void {
  if (count <= plan.maxRecords) return;
  throw fail('INVALID_ARGUMENT', {
    name: `length of the array of "${name}"`,
    actual: String(count),
    expected:
      plan.order === 'soa'
        ? `at most ${plan.maxRecords} records`
        : `at most ${plan.maxRecords} records with order "${plan.order}", or order "soa"`,
  });
}
