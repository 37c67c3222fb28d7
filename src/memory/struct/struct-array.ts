/** Many records of one type in one block of memory. */
import { describe, fail } from '../../errors.js';
import type { ArrayOrder } from '../../model/choice.js';
import { loadNative } from '../../native/load.js';
import { requireInteger } from '../arguments.js';
import type { Layout } from '../layout-planner.js';
import { allocateAligned, Region } from '../regions.js';
import { makeViews, requireAddressable, type AccessPlan, type TypedArray } from './access-plan.js';
import type { CursorClass, CursorHost } from './accessor-runtime.js';
import type { AccessorOf, Fields, RecordOf } from './field-types.js';
import type { StructDescriptor } from './descriptor.js';

/** A movable window on one record of an array. */
export type Cursor<F extends Fields> = AccessorOf<F> & {
  /** The record that the cursor stands on. @throws INVALID_ARGUMENT outside the array, CLOSED after `close()`. */
  index: number;
  readonly array: StructArray<F>;
  /** A plain copy of the record. */
  toObject(): RecordOf<F>;
  /** Writes the fields that are given; others stay. */
  assign(values: Partial<RecordOf<F>>): Cursor<F>;
};

/** Columns by field; structs within the record are objects of columns. */
export type ColumnsOf<F extends Fields> = { readonly [K in keyof F]: Columns };
// What a column is depends on the field's type only; `any` here keeps `columns.x[i]` free of casts.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Columns = any;

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
  readonly plan: AccessPlan;
  readonly cursorClass: CursorClass;
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

  private readonly parts: ArrayParts;
  private memory: ArrayBuffer | SharedArrayBuffer | undefined;
  private ownCursor: Cursor<F> | undefined;
  private columnViews: ColumnsOf<F> | undefined;

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
    this.views = makeViews(plan, buffer, offsetBytes, length);
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    if (this.memory === undefined) throw this.closedError();
    return this.memory;
  }

  /** A cursor of its own, standing on `index`. Keep it and move it: one per loop, not one per record. */
  cursor(index = 0): Cursor<F> {
    if (this.closed) throw this.closedError();
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
    if (this.closed) throw this.closedError();
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
  set(index: number, values: Partial<RecordOf<F>>): void {
    this.moved(index).assign(values);
  }

  /** Writes records from `start` on. @throws INVALID_ARGUMENT where they do not fit. */
  fromObjects(records: readonly Partial<RecordOf<F>>[], start = 0): this {
    if (this.closed) throw this.closedError();
    requireRecords(records);
    requireInteger('start', start, 0, this.length);
    requireInteger('records.length', records.length, 0, this.length - start);
    records.forEach((record, k) => this.set(start + k, record));
    return this;
  }

  /** Plain copies of all records. */
  toObjects(): RecordOf<F>[] {
    return Array.from({ length: this.length }, (_, index) => this.get(index));
  }

  /** Gives one and the same cursor for every record. Convenient; an index loop with a cursor is much faster. */
  *[Symbol.iterator](): Iterator<Cursor<F>> {
    const cursor = this.cursor();
    for (let index = 0; index < this.length; index += 1) {
      cursor.index = index;
      yield cursor;
    }
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

  /**
   * Lets the memory go; cursors throw CLOSED when they are moved. Not needed for arrays without a region, and it
   * leaves a region that was passed in open. Harmless twice.
   */
  close(): void {
    this.closed = true;
    this.length = 0;
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

  private closedError(): Error {
    return fail('CLOSED', { what: `The array of "${this.name}"` });
  }

  private obtain(options: ArrayOptions): { buffer: ArrayBuffer | SharedArrayBuffer; offsetBytes: number } {
    const { region, shared = false, offsetBytes = 0 } = options;
    if (region === undefined) {
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
    let inner = access;
    while (inner.kind === 'array') inner = inner.element;
    columns[name] = inner.kind === 'leaf' ? views[inner.view] : columnsOf(inner, views);
  }
  return Object.freeze(columns);
}
