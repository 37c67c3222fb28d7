/** Many records of one type in one block of memory. */
import { describe, fail } from '../../errors.js';
import type { ArrayOrder } from '../../model/choice.js';
import { SHARED_FORM, type SharedForm } from '../../model/shared-form.js';
import { loadNative } from '../../native/load.js';
import { requireBoolean, requireInteger, requireOneOf } from '../arguments.js';
import { requireOptions } from '../../options.js';
import type { Layout } from '../layout-planner.js';
import { allocateAligned, Region } from '../regions.js';
import { makeViews, requireAddressable, type AccessPlan, type TypedArray } from './access-plan.js';
import { guardOf, requireMemory, type CursorClass, type CursorHost } from './accessor-runtime.js';
import { loopKernels, loopOverCursor, type LoopBody, type LoopKernels } from './loop-kernels.js';
import type { LoopKind } from './loop-syntax.js';
import { bindLoop, type LoopOptions, type LoopRecord, type RecordLoop } from './record-loop.js';
import { dotOf, extremeOf, filterOf, gatherOf, sumOf } from './bulk.js';
import type { Compare } from './column-loops.js';
import { columnOf, type Column } from './column.js';
import { moveRange, planMoves } from './record-moves.js';
import {
  scalarBytes,
  type AccessorOf,
  type ColumnsOf,
  type Fields,
  type RecordOf,
  type RecordPatch,
} from './field-types.js';
import type { StructDescriptor } from './descriptor.js';

/** A movable window on one record of an array. */
export type Cursor<F extends Fields> = AccessorOf<F> & {
  /** The record that the cursor stands on. @throws INVALID_ARGUMENT outside the array, CLOSED after `close()`. */
  index: number;
  readonly array: StructArray<F>;
  /** A plain copy of the record. */
  toObject(): RecordOf<F>;
  /** Writes the fields that are given; others stay. */
  assign(values: RecordPatch<F>): Cursor<F>;
};

/** Paths of the fields that may hold a number per record; those within structs by dots. */
export type FieldPath<F extends Fields> = {
  [K in keyof F & string]: RecordOf<F>[K] extends readonly unknown[]
    ? never
    : RecordOf<F>[K] extends object
      ? `${K}.${string}`
      : K;
}[keyof F & string];

/** What sums and extremes of a field are. */
export type SumOf<F extends Fields, K extends string> = K extends keyof F
  ? RecordOf<F>[K] extends bigint
    ? bigint
    : number
  : number | bigint;

const NO_RECORDS = guardOf(new ArrayBuffer(0), 0, 0);

export interface ArrayOptions {
  /**
   * How records lie in memory; by default as the type's choice says. `aos`: one behind the other, best for random
   * access to whole records. `soa`: a column per field, best for loops over few fields. `aosoa`: columns in blocks
   * of 16 records, between the two.
   */
  readonly order?: ArrayOrder;
  /** Memory to use, e.g. with huge pages. Default: a buffer that the garbage collector frees. */
  readonly region?: Region;
  /** Where in the region to begin: a multiple of 128. Default 0. */
  readonly offsetBytes?: number;
  /** Uses a SharedArrayBuffer, so that workers can attach to `array.descriptor`. Default false. */
  readonly shared?: boolean;
}

/** What a worker needs to use the same memory: pass it by `postMessage` or `workerData`. */
export interface ArrayDescriptor {
  readonly type: StructDescriptor;
  readonly order: ArrayOrder;
  readonly length: number;
  readonly offsetBytes: number;
  readonly buffer: SharedArrayBuffer;
}

/** @internal What a type gives to the arrays that it makes. */
export interface ArrayParts {
  readonly name: string;
  readonly layout: Layout;
  /** The fields' names and types without offsets: equal for arrays whose records can be copied. */
  readonly schema: string;
  readonly plan: AccessPlan;
  readonly cursorClass: CursorClass;
  /** Whether cursors count: loops go through them then. */
  readonly isRecording: boolean;
  readonly descriptor: StructDescriptor;
}

/**
 * Made by `Type.array()`. Keeps the layout and order that it was made with, whatever is chosen for the type later.
 *
 * @example
 * const Particle = struct('Particle', { x: f64, vx: f64 });
 * const particles = Particle.array(1_000);
 * const p = particles.cursor();
 * for (let i = 0; i < particles.length; i += 1) {
 *   p.index = i;
 *   p.x += p.vx * 0.01;
 * }
 */
export class StructArray<F extends Fields> implements CursorHost, Iterable<Cursor<F>>, Disposable {
  /** Number of records; 0 once closed. */
  length: number;
  readonly order: ArrayOrder;
  readonly layout: Layout;
  /** Memory of all records. */
  readonly sizeBytes: number;
  readonly shared: boolean;
  /** Where the records begin within `buffer`. */
  readonly offsetBytes: number;
  /** @internal */
  readonly views: Readonly<Record<string, TypedArray>>;
  /** @internal */
  readonly plan: AccessPlan;
  readonly name: string;
  closed = false;
  /** @internal */
  guard: Uint8Array;

  private readonly parts: ArrayParts;
  private memory: ArrayBuffer | SharedArrayBuffer | undefined;
  private ownCursor: Cursor<F> | undefined;
  private columnViews: ColumnsOf<F> | undefined;
  private readonly columnsByField = new Map<string, Column>();
  /** To the array that records were copied to last. */
  private moves:
    { readonly to: AccessPlan; readonly length: number; readonly plan: Float64Array | undefined } | undefined;

  /** @internal Use `Type.array()` or `arrayFromDescriptor()`. */
  constructor(parts: ArrayParts, length: number, options: ArrayOptions | ArrayDescriptor) {
    const { plan, name } = parts;
    requireAddressable(plan, name, length);
    this.parts = parts;
    this.name = name;
    this.plan = plan;
    this.layout = parts.layout;
    this.order = plan.order;
    this.length = length;
    this.sizeBytes = plan.sizeBytes(length);
    const { buffer, offsetBytes } = 'buffer' in options ? options : this.obtain(options);
    this.memory = buffer;
    this.offsetBytes = offsetBytes;
    this.shared = buffer instanceof SharedArrayBuffer;
    this.guard = guardOf(buffer, offsetBytes, length);
    this.views = makeViews(plan, buffer, offsetBytes, length);
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    requireMemory(this);
    return this.memory as ArrayBuffer | SharedArrayBuffer;
  }

  /** A cursor of its own, standing on `index`. Keep it and move it: one per loop, not one per record. */
  cursor(index = 0): Cursor<F> {
    requireMemory(this);
    const cursor = new this.parts.cursorClass(this);
    if (index !== 0) cursor.index = index;
    return cursor as unknown as Cursor<F>;
  }

  /**
   * The typed array of each field, records in order; a fixed array's elements and a string's bytes lie side by side.
   * Loops over one column run at the speed of a plain typed array.
   * @throws NOT_SUPPORTED for orders other than `soa`: pass `{ order: 'soa' }`, which no choice overrides.
   */
  get columns(): ColumnsOf<F> {
    requireMemory(this);
    if (this.order !== 'soa') {
      throw fail('NOT_SUPPORTED', {
        what: 'columns',
        where: `for an array of order "${this.order}"`,
        remedy: `Make it with ${this.name}.array(length, { order: 'soa' }), or use a cursor.`,
      });
    }
    this.columnViews ??= columnsOf(this.plan.root, this.views) as ColumnsOf<F>;
    return this.columnViews;
  }

  /** A plain copy of one record. */
  get(index: number): RecordOf<F> {
    return this.moved(index).toObject();
  }

  /** Writes the fields that are given into one record. */
  set(index: number, values: RecordPatch<F>): void {
    this.moved(index).assign(values);
  }

  /** Writes records from `start` on. @throws INVALID_ARGUMENT where they do not fit. */
  fromObjects(records: readonly RecordPatch<F>[], start = 0): this {
    requireMemory(this);
    requireRecords(records);
    requireInteger('start', start, 0, this.length);
    requireInteger('records.length', records.length, 0, this.length - start);
    records.forEach((record, k) => this.set(start + k, record));
    return this;
  }

  /** Plain copies of all records. */
  toObjects(): RecordOf<F>[] {
    requireMemory(this);
    return Array.from({ length: this.length }, (_, index) => this.get(index));
  }

  /** Gives one and the same cursor for every record, and makes no garbage. An index loop with a cursor is faster. */
  [Symbol.iterator](): IterableIterator<Cursor<F>> {
    return new RecordIterator<F>(this.cursor(), this);
  }

  /**
   * Compiles a loop over the records for the order of this array: each `record.field` in the function becomes the
   * element of a typed array. Runs at the speed of a loop written by hand over such arrays, in every order, and makes
   * no garbage; the source stays the same whichever order the type's choice gives.
   *
   * The function is read, not called: it sees its parameters, what it declares itself, and `Math`, `Number`, `BigInt`
   * and the like. All else comes in by the context. It uses fields where they stand (`record.at.x`,
   * `record.legs.at(k).price`, `record.history.get(k)`), or takes them apart (`({ x, vx }, { dt }) => …`); not the
   * record as a whole. Values convert as a cursor's do. `return` goes on with the next record.
   *
   * Compiling takes about a millisecond the first time, and microseconds for further arrays of the type and the same
   * text. Where code generation from strings is forbidden, and in recording types, the loop runs over a cursor.
   *
   * @param body `(record, context, index) => …`
   * @throws LOOP_NOT_COMPILABLE with the place and what to write instead; CLOSED
   *
   * @example
   * const step = particles.compileLoop((p, { dt }: { dt: number }) => {
   *   p.x += p.vx * dt;
   * });
   * step({ dt: 0.01 });                                                  // all
   * step.range(0, 500, { dt: 0.01 });                                    // some
   * const found = particles.filterIndex('x', '>', 100, indices);
   * step.at(indices.subarray(0, found), { dt: -0.01 });                  // these
   */
  compileLoop<C = unknown>(
    body: (record: LoopRecord<F>, context: C, index: number) => void,
    options: LoopOptions = {},
  ): RecordLoop<C> {
    return bindLoop<C, void>(this, this.kernelsOf(body, 'loop', options), undefined);
  }

  /**
   * Compiles a reduction over the records, as `compileLoop` does a loop: the function gets the value so far and returns
   * the next. Values are combined strictly in the order of the records; `sum` and its like, which may add in lanes,
   * are faster where they do.
   *
   * @param body `(value, record, context, index) => value`; every path returns
   * @param initial what each run begins with, and returns where there are no records
   * @throws LOOP_NOT_COMPILABLE with the place and what to write instead; INVALID_ARGUMENT for an initial value that is
   *   neither a number nor a bigint; CLOSED
   *
   * @example
   * const turnover = orders.compileReduce((sum, { price, quantity }) => sum + price * quantity, 0);
   * turnover();
   */
  compileReduce<C = unknown>(
    body: (value: number, record: LoopRecord<F>, context: C, index: number) => number,
    initial: number,
    options?: LoopOptions,
  ): RecordLoop<C, number>;
  compileReduce<C = unknown>(
    body: (value: bigint, record: LoopRecord<F>, context: C, index: number) => bigint,
    initial: bigint,
    options?: LoopOptions,
  ): RecordLoop<C, bigint>;
  compileReduce<C>(body: LoopBody, initial: unknown, options: LoopOptions = {}): RecordLoop<C, unknown> {
    if (typeof initial !== 'number' && typeof initial !== 'bigint') {
      throw fail('INVALID_ARGUMENT', {
        name: 'initial',
        actual: describe(initial),
        expected: 'a number or a bigint',
      });
    }
    return bindLoop<C, unknown>(this, this.kernelsOf(body, 'reduce', options), initial);
  }

  private kernelsOf(body: LoopBody, kind: LoopKind, options: LoopOptions): LoopKernels {
    requireMemory(this);
    if (typeof body !== 'function') {
      throw fail('INVALID_ARGUMENT', { name: 'body', actual: describe(body), expected: 'a function' });
    }
    requireOptions('options', options);
    const otherwise = requireOneOf('options.otherwise', options.otherwise ?? 'throw', ['throw', 'cursor']);
    const { plan, cursorClass, isRecording } = this.parts;
    return isRecording
      ? loopOverCursor(plan, cursorClass, body, kind, 'cursors of a recording type count accesses')
      : loopKernels(plan, cursorClass, body, kind, otherwise === 'cursor');
  }

  /**
   * Sum of a field over all records, for the orders `soa` by native kernels. Floats are added in 32 lanes (value i to
   * lane i % 32, then lanes pairwise; below 128 records from left to right), the same with and without the addon, and
   * more accurate than from left to right. Integers are exact, rounded once; 64-bit ones give a `bigint`.
   *
   * @param field a field with a number per record; `at.x` for one of a struct within
   * @throws INVALID_ARGUMENT for other fields, CLOSED
   *
   * @example
   * orders.sum('quantity');
   */
  sum<K extends FieldPath<F>>(field: K): SumOf<F, K> {
    return sumOf(this.column(field)) as SumOf<F, K>;
  }

  /** The least value of a field; `undefined` without records, NaN where a value is NaN. Never -0. See `sum`. */
  min<K extends FieldPath<F>>(field: K): SumOf<F, K> | undefined {
    return extremeOf(this.column(field), true) as SumOf<F, K> | undefined;
  }

  /** The largest value of a field; `undefined` without records, NaN where a value is NaN. Never -0. See `sum`. */
  max<K extends FieldPath<F>>(field: K): SumOf<F, K> | undefined {
    return extremeOf(this.column(field), false) as SumOf<F, K> | undefined;
  }

  /** Sum of the products of two fields, added as `sum` adds floats. @throws INVALID_ARGUMENT for 64-bit integers. */
  dot(one: FieldPath<F>, other: FieldPath<F>): number {
    return dotOf(this.column(one), this.column(other));
  }

  /**
   * Writes the indices of the records whose field compares so with `value` into `out`, ascending.
   *
   * @param field also a single flag, as `state.paid`
   * @param compare `<`, `<=`, `>`, `>=`, `==` or `!=`; enums, booleans and flags take the last two
   * @param out at least as long as the array
   * @returns how many there are
   *
   * @example
   * const found = orders.filterIndex('price', '>', 100, indices);
   * for (let k = 0; k < found; k += 1) order.index = indices[k];
   */
  filterIndex(field: FieldPath<F>, compare: Compare, value: unknown, out: Uint32Array): number {
    return filterOf(this.column(field, true), compare, value, out);
  }

  /**
   * The values of a field at some records, in their order: `out[k] = field of record indices[k]`.
   * @param out a typed array of the field's type; made where it is left out
   * @throws INVALID_ARGUMENT for an index outside of the array; values before it have been written then
   */
  gather<T extends TypedArray = TypedArray>(
    field: FieldPath<F>,
    indices: Uint32Array | readonly number[],
    out?: T,
  ): T {
    return gatherOf(this.column(field), indices, out).out as T;
  }

  /**
   * Writes the given fields into all records from `start` to `end`. Fields with a column of their own are filled at
   * the speed of memory, others record by record.
   * @param end one behind the last record; default all
   */
  fill(values: RecordPatch<F>, start = 0, end: number = this.length): this {
    requireMemory(this);
    requireInteger('start', start, 0, this.length);
    requireInteger('end', end, start, this.length);
    requireOptions('values', values);
    if (start === end) return this;
    // Checks all values before any but the first record changes.
    const cursor = this.cursor(start).assign(values);
    const others: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values)) {
      const leaf = this.plan.root.members.find((member) => member.name === name)?.access;
      const view = leaf?.kind === 'leaf' ? this.views[leaf.view] : undefined;
      if (
        this.order !== 'soa' ||
        leaf?.kind !== 'leaf' ||
        leaf.codec.kind === 'utf8' ||
        value === undefined
      ) {
        others[name] = value;
      } else {
        (view as Float64Array).fill(view?.[start] as number, start, end);
      }
    }
    if (Object.keys(others).length === 0) return this;
    for (let index = start + 1; index < end; index += 1) {
      cursor.index = index;
      cursor.assign(others as RecordPatch<F>);
    }
    return this;
  }

  /**
   * Copies all records into another array of the same schema, of any order and layout: this is how records change
   * between rows and columns.
   *
   * @param target at least as long; its further records stay
   * @throws INVALID_ARGUMENT for an array of another schema, or a shorter one; CLOSED
   *
   * @example
   * const columns = Order.array(orders.length, { order: 'soa' });
   * orders.transposeTo(columns);
   */
  transposeTo(target: StructArray<F>): StructArray<F> {
    return this.copyRange(target, 0);
  }

  /**
   * Copies records `start` to `end - 1` to where `targetStart` is in another array of the same schema, of any order and
   * layout, or in this one. Ranges may overlap: the target then holds what the source held before.
   *
   * Costs: equal orders are memory moves (one, or one a column); others run in the addon, from 64 records on and where
   * `aosoa` blocks are entered at their beginning. Where the memory of two orders overlaps, records go by a copy.
   *
   * @param targetStart first record that is overwritten
   * @param start default 0
   * @param end one behind the last record; default all
   * @returns the target
   * @throws INVALID_ARGUMENT for an array of another schema, or records outside of either; CLOSED
   *
   * @example
   * particles.copyRange(particles, 0, 1);                  // drops the first record: all others move down by one
   * rows.copyRange(columns, 0, 5_000, 10_000);
   */
  copyRange(
    target: StructArray<F>,
    targetStart: number,
    start = 0,
    end: number = this.length,
  ): StructArray<F> {
    const { buffer } = this;
    requireInteger('start', start, 0, this.length);
    requireInteger('end', end, start, this.length);
    const count = end - start;
    const isAlike = target instanceof StructArray && target.parts.schema === this.parts.schema;
    if (!isAlike || target.length < count) {
      throw fail('INVALID_ARGUMENT', {
        name: 'target',
        actual:
          target instanceof StructArray
            ? `an array of ${target.length} records of "${target.name}"`
            : describe(target),
        expected: `an array of at least ${count} records of "${this.name}"`,
      });
    }
    const targetBuffer = target.buffer;
    requireInteger('targetStart', targetStart, 0, target.length - count);
    if (count === 0) return target;
    const from = new Uint8Array(buffer, this.offsetBytes, this.sizeBytes);
    const to = new Uint8Array(targetBuffer, target.offsetBytes, target.sizeBytes);
    const overlaps =
      buffer === targetBuffer &&
      this.offsetBytes < target.offsetBytes + target.sizeBytes &&
      target.offsetBytes < this.offsetBytes + this.sizeBytes;
    const isSame = overlaps && this.offsetBytes === target.offsetBytes && this.length === target.length;
    if (
      this.plan === target.plan &&
      this.order !== 'aosoa' &&
      (isSame || !overlaps || this.order === 'aos')
    ) {
      // Moves of memory, which take overlaps as they are.
      for (const { key, scalar, bytesPerRecord } of this.plan.views) {
        const [of, into, size] =
          this.order === 'aos'
            ? [from, to, bytesPerRecord]
            : [this.views[key], target.views[key], bytesPerRecord / scalarBytes(scalar)];
        (into as Uint8Array).set((of as Uint8Array).subarray(start * size, end * size), targetStart * size);
        if (this.order === 'aos') break;
      }
      return target;
    }
    if (overlaps) {
      const held = new StructArray<F>(this.parts, count, {});
      return this.copyRange(held, 0, start, end).copyRange(target, targetStart);
    }
    if (this.moves?.to !== target.plan || this.moves.length !== target.length) {
      this.moves = { to: target.plan, length: target.length, plan: planMoves(this, target) };
    }
    const { plan } = this.moves;
    if (plan === undefined) {
      for (let k = 0; k < count; k += 1) target.set(targetStart + k, this.get(start + k) as RecordPatch<F>);
    } else {
      moveRange(loadNative().kernels, from, start, to, targetStart, count, plan);
    }
    return target;
  }

  private column(field: string, allowsFlags = false): Column {
    requireMemory(this);
    let column = this.columnsByField.get(field);
    if (column === undefined || (column.codec.kind === 'bit' && !allowsFlags)) {
      column = columnOf(this, field, allowsFlags);
      this.columnsByField.set(field, column);
    }
    return column;
  }

  /** For workers. @throws NOT_SUPPORTED unless the array is shared. */
  get descriptor(): ArrayDescriptor {
    const { buffer } = this;
    if (!(buffer instanceof SharedArrayBuffer)) {
      throw fail('NOT_SUPPORTED', {
        what: 'descriptor',
        where: 'for an array in private memory',
        remedy: `Make it with ${this.name}.array(length, { shared: true }).`,
      });
    }
    const { order, length, offsetBytes } = this;
    return { type: this.parts.descriptor, order, length, offsetBytes, buffer };
  }

  /** @internal How kernels of `parallelFor` get the array in other threads. @throws as `descriptor` */
  get [SHARED_FORM](): SharedForm {
    const module = new URL('./struct-type.js', import.meta.url).href;
    return { module, export: 'arrayFromDescriptor', data: this.descriptor };
  }

  /**
   * Lets the memory go; cursors throw CLOSED when they are moved, as they do when the region is closed. Not needed for
   * arrays without a region, and it leaves a region that was passed in open. Harmless twice.
   */
  close(): void {
    this.closed = true;
    this.length = 0;
    this.guard = NO_RECORDS;
    this.memory = undefined;
    this.ownCursor = undefined;
    this.columnViews = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private moved(index: number): Cursor<F> {
    this.ownCursor ??= this.cursor();
    this.ownCursor.index = index;
    return this.ownCursor;
  }

  private obtain(options: ArrayOptions): { buffer: ArrayBuffer | SharedArrayBuffer; offsetBytes: number } {
    const { region, shared = false, offsetBytes = 0 } = options;
    requireBoolean('shared', shared);
    if (region === undefined) {
      if (offsetBytes !== 0) {
        throw fail('INVALID_ARGUMENT', {
          name: 'offsetBytes',
          actual: `${describe(offsetBytes)} without a region`,
          expected: 'the region that it counts in',
        });
      }
      return allocateAligned(loadNative(), this.sizeBytes, this.plan.alignBytes, shared);
    }
    if (!(region instanceof Region) || (shared && !region.shared)) {
      throw fail('INVALID_ARGUMENT', {
        name: 'region',
        actual: region instanceof Region ? 'private' : describe(region),
        expected: shared ? 'a shared Region, as shared: true asks for' : 'a Region',
      });
    }
    requireInteger('offsetBytes', offsetBytes, 0, region.sizeBytes);
    requireInteger('offsetBytes / 128', offsetBytes / 128, 0, Number.MAX_SAFE_INTEGER);
    if (offsetBytes + this.sizeBytes > region.sizeBytes) {
      throw fail('OUT_OF_SPACE', {
        what: `Region "${region.name}"`,
        requestedBytes: this.sizeBytes,
        freeBytes: region.sizeBytes - offsetBytes,
        sizeBytes: region.sizeBytes,
      });
    }
    return { buffer: region.buffer, offsetBytes: region.offsetBytes + offsetBytes };
  }
}

/** A generator makes an object for each step; this one hands out the same. */
class RecordIterator<F extends Fields> implements IterableIterator<Cursor<F>> {
  private place = 0;
  private readonly records: StructArray<F>;
  private readonly step: { readonly done: false; readonly value: Cursor<F> };

  constructor(cursor: Cursor<F>, records: StructArray<F>) {
    this.records = records;
    this.step = { done: false, value: cursor };
  }

  next(): IteratorResult<Cursor<F>, undefined> {
    if (this.place >= this.records.length) {
      this.place = Infinity;
      return { done: true, value: undefined };
    }
    this.step.value.index = this.place;
    this.place += 1;
    return this.step;
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** @internal */
export function requireRecords(records: unknown): void {
  if (Array.isArray(records)) return;
  throw fail('INVALID_ARGUMENT', {
    name: 'records',
    actual: describe(records),
    expected: 'an array of objects',
  });
}

function columnsOf(node: AccessPlan['root'], views: Readonly<Record<string, TypedArray>>): object {
  const columns: Record<string, unknown> = {};
  for (const { name, access } of node.members) {
    if (access.kind === 'leaf' && access.codec.kind === 'bit') continue;
    let inner = access;
    while (inner.kind === 'array') inner = inner.element;
    columns[name] = inner.kind === 'leaf' ? views[inner.view] : columnsOf(inner, views);
  }
  return Object.freeze(columns);
}
