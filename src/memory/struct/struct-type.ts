/**
 * Record types: a schema with a layout that can be chosen, and arrays of records in plain memory. Nothing per record
 * lies on the JavaScript heap, so the garbage collector never visits them.
 */
import { isDeepStrictEqual } from 'node:util';
import { describe, fail } from '../../errors.js';
import type { ArrayOrder, Choice, MemoryChoice, StructPacking } from '../../model/choice.js';
import type { Subject } from '../../model/subject.js';
import { requireInteger, requireOneOf } from '../arguments.js';
import { requireOptions } from '../../options.js';
import { planLayout, type LayoutPlan, type PlanOptions } from '../layout-planner.js';
import { canGenerate, generateCursorClass } from './accessor-codegen.js';
import { interpretCursorClass } from './accessor-interpreter.js';
import type { CursorClass } from './accessor-runtime.js';
import { planAccess, type AccessPlan } from './access-plan.js';
import { AccessRecorder, type FieldAccesses } from './access-recorder.js';
import { cHeader } from './c-header.js';
import { requireDescriptor, requireFieldName, type StructDescriptor } from './descriptor.js';
import {
  alignOf,
  sizeOf,
  type AccessorOf,
  type ColumnsOf,
  type FieldNode,
  type FieldType,
  type Fields,
  type RecordOf,
  type RecordPatch,
  type StructNode,
} from './field-types.js';
import {
  requireRecords,
  StructArray,
  type ArrayDescriptor,
  type ArrayOptions,
  type ArrayParts,
} from './struct-array.js';

export interface StructOptions {
  /** Default `minimal_padding`. `declared` gives the offsets that C gives. */
  readonly packing?: StructPacking;
  /** Fields that most accesses touch; they come first. */
  readonly hot?: readonly string[];
  /** Fields by the thread or role that writes them; groups get cache lines of their own. */
  readonly writers?: Readonly<Record<string, readonly string[]>>;
  /** 64 (default) or 128. */
  readonly cacheLineBytes?: 64 | 128;
  /** How arrays lie in memory unless they say so themselves. Default `aos`. */
  readonly order?: ArrayOrder;
}

const OPTION_KEYS: Readonly<Record<keyof StructOptions, true>> = {
  packing: true,
  hot: true,
  writers: true,
  cacheLineBytes: true,
  order: true,
};
const ARRAY_OPTION_KEYS: Readonly<Record<keyof ArrayOptions, true>> = {
  order: true,
  region: true,
  offsetBytes: true,
  shared: true,
};

/** A choice in force, and where it came from. */
export type StructChoice = MemoryChoice & {
  /** `declared`: the type's own options. `stored`: loaded from config.json. `measured`: won a comparison just now. */
  readonly source: 'declared' | 'stored' | 'measured';
};

/** What a cursor gives for a field that is a struct. */
export type NestedAccessor<F extends Fields> = AccessorOf<F> & {
  toObject(): RecordOf<F>;
  assign(values: RecordPatch<F>): NestedAccessor<F>;
};

const PACKINGS: readonly StructPacking[] = ['minimal_padding', 'cache_line', 'declared'];
const ORDERS: readonly ArrayOrder[] = ['aos', 'soa', 'aosoa'];
const MAX_RECORDS = 2 ** 31 - 1;

/**
 * Made by `struct()`. Can be a field of another type, which then holds it in place, in the layout in force when
 * that type was made.
 */
export class StructType<F extends Fields = Fields>
  implements Subject, FieldType<RecordOf<F>, NestedAccessor<F>, ColumnsOf<F>>
{
  readonly kind = 'struct';
  declare readonly '~types'?: {
    readonly value: RecordOf<F>;
    readonly access: NestedAccessor<F>;
    readonly column: ColumnsOf<F>;
  };
  readonly name: string;
  private readonly nodes: readonly { readonly name: string; readonly node: FieldNode }[];
  private readonly schema: string;
  private readonly writers: Readonly<Record<string, readonly string[]>>;
  private inForce: StructChoice;
  private currentPlan: LayoutPlan;
  /** By order, for the layout in force. */
  private parts = new Map<ArrayOrder, ArrayParts>();
  private readonly recorder: AccessRecorder | undefined;

  /** @internal Use `struct()` or `structFromDescriptor()`. */
  constructor(
    name: string,
    nodes: readonly { readonly name: string; readonly node: FieldNode }[],
    writers: Readonly<Record<string, readonly string[]>>,
    choice: StructChoice,
    fixed?: StructNode,
    recorder?: AccessRecorder,
  ) {
    this.recorder = recorder;
    this.name = name;
    this.nodes = nodes;
    this.schema = JSON.stringify(nodes);
    this.writers = writers;
    this.inForce = choice;
    const plan = this.plan(choice);
    this.currentPlan = fixed === undefined ? plan : withOffsets(plan, fixed);
  }

  /** The layout in force: size, alignment, and where each field lies. */
  get layout(): LayoutPlan {
    return this.currentPlan;
  }

  /** What arrays made from now on use, and where that came from. */
  get choice(): StructChoice {
    return this.inForce;
  }

  get sizeBytes(): number {
    return this.layout.sizeBytes;
  }

  get alignBytes(): number {
    return this.layout.alignBytes;
  }

  /** The layout in force as plain JSON; makes a struct type usable as a field. */
  get node(): StructNode {
    const offsets = new Map(this.layout.fields.map((field) => [field.name, field.offsetBytes]));
    return {
      kind: 'struct',
      name: this.name,
      sizeBytes: this.sizeBytes,
      alignBytes: this.alignBytes,
      fields: this.nodes.map(({ name, node }) => ({
        name,
        offsetBytes: offsets.get(name) as number,
        node,
      })),
    };
  }

  /** The type as plain JSON for `structFromDescriptor`, with the offsets in force. */
  get descriptor(): StructDescriptor {
    const { kind, packing, cacheLineBytes, order, hot, writers } = this.inForce;
    const choice = {
      kind,
      packing,
      cacheLineBytes,
      order,
      ...(hot === undefined ? {} : { hot }),
      ...(writers === undefined ? {} : { writers }),
    };
    return {
      version: 1,
      node: this.node,
      choice,
      writers: writers ?? this.writers,
      ...(this.recorder !== undefined && { recording: this.recorder.memory }),
    };
  }

  /**
   * An array of `length` records, all zero.
   * @param length 0 to 2^31 - 1; arrays of order `aos` and `aosoa` may take up to 2 GiB at least
   * @throws INVALID_ARGUMENT, OUT_OF_MEMORY; OUT_OF_SPACE where `region` is too small
   */
  array(length: number, options: ArrayOptions = {}): StructArray<F> {
    requireInteger('length', length, 0, MAX_RECORDS);
    requireOptions('array options', options, ARRAY_OPTION_KEYS);
    const order = requireOneOf('order', options.order ?? this.inForce.order, ORDERS);
    return new StructArray<F>(this.partsFor(order), length, options);
  }

  /** An array that holds copies of `records`. */
  fromObjects(records: readonly RecordPatch<F>[], options: ArrayOptions = {}): StructArray<F> {
    requireRecords(records);
    return this.array(records.length, options).fromObjects(records);
  }

  /** @internal For `arrayFromDescriptor`. */
  attach(descriptor: ArrayDescriptor): StructArray<F> {
    const parts = this.partsFor(descriptor.order);
    const { buffer, offsetBytes, length } = descriptor;
    requireInteger('descriptor.length', length, 0, MAX_RECORDS);
    requireInteger('descriptor.offsetBytes', offsetBytes, 0, buffer.byteLength);
    if (offsetBytes + parts.plan.sizeBytes(length) > buffer.byteLength || offsetBytes % 8 !== 0) {
      throw fail('INVALID_ARGUMENT', {
        name: 'descriptor',
        actual: `for ${length} records at ${offsetBytes} of ${buffer.byteLength} bytes`,
        expected: 'array.descriptor as it was given',
      });
    }
    return new StructArray<F>(parts, length, descriptor);
  }

  /**
   * Puts another layout and order in force for arrays made from now on. Arrays that exist keep theirs.
   * @throws INVALID_ARGUMENT for a choice of another kind, or one that names fields that the type does not have.
   */
  applyChoice(choice: Choice, source: StructChoice['source'] = 'stored'): void {
    requireOptions('choice', choice);
    if (choice.kind !== 'memory') {
      throw fail('INVALID_ARGUMENT', {
        name: `choice for struct "${this.name}"`,
        actual: `of kind "${choice.kind}"`,
        expected: 'a choice of kind "memory"',
      });
    }
    requireOneOf('choice.order', choice.order, ORDERS);
    const plan = this.plan(choice);
    // The optimiser applies what it measured; putting the same in force again does not make it any less measured.
    const same =
      this.inForce.source === 'measured' &&
      isDeepStrictEqual({ ...choice, source: 'measured' }, this.inForce);
    this.inForce = { ...choice, source: same ? 'measured' : source };
    this.currentPlan = plan;
    this.parts = new Map();
  }

  /** The layout that a choice would give; changes nothing. */
  plan(
    choice: Omit<MemoryChoice, 'kind' | 'order'>,
    extra: Pick<PlanOptions, 'frequencies'> = {},
  ): LayoutPlan {
    requireOneOf('packing', choice.packing, PACKINGS);
    return planLayout(
      this.nodes.map(({ name, node }) => ({ name, sizeBytes: sizeOf(node), alignBytes: alignOf(node) })),
      {
        structPacking: choice.packing,
        cacheLineBytes: choice.cacheLineBytes,
        writers: choice.writers ?? this.writers,
        ...(choice.hot === undefined ? {} : { hot: choice.hot }),
        ...extra,
      },
    );
  }

  /**
   * A type of the same layout whose cursors count reads, writes and writing threads by field, in every thread that
   * attaches one of its arrays by its descriptor. Slower by an order of magnitude: for learning, not for service.
   *
   * @example
   * const recorded = Order.recording();
   * runTheWorkloadOn(recorded.array(1_000, { shared: true }));
   * recorded.accesses();   // { price: { reads, writes, writers: { 0: … } }, … }
   */
  recording(): StructType<F> {
    const recorder = new AccessRecorder(this.nodes.map(({ name }) => name));
    return typeFrom({ ...this.descriptor, recording: recorder.memory }) as unknown as StructType<F>;
  }

  /**
   * What cursors of a recording type did to each field; undefined for other types.
   * @param options `reset: true` begins again from zero afterwards
   */
  accesses(options: { readonly reset?: boolean } = {}): Record<string, FieldAccesses> | undefined {
    const counts = this.recorder?.read();
    if (options.reset === true) this.recorder?.reset();
    return counts;
  }

  /**
   * The type as C and C++ see it, with a `static_assert` on every offset and size.
   * Compiles as C11 and C++11.
   */
  toCHeader(): string {
    return cHeader(this.node);
  }

  private cursorClassFor(plan: AccessPlan): CursorClass {
    const made = canGenerate() ? generateCursorClass(plan) : interpretCursorClass(plan);
    return this.recorder === undefined ? made : this.recorder.counting(plan, made);
  }

  private partsFor(order: ArrayOrder): ArrayParts {
    let parts = this.parts.get(order);
    if (parts === undefined) {
      const plan = planAccess(this.node, order, this.inForce.cacheLineBytes);
      parts = {
        name: this.name,
        layout: this.layout,
        schema: this.schema,
        plan,
        cursorClass: this.cursorClassFor(plan),
        isRecording: this.recorder !== undefined,
        descriptor: this.descriptor,
      };
      this.parts.set(order, parts);
    }
    return parts;
  }
}

/** The plan of a rebuilt type, with the offsets that it had where it came from. */
function withOffsets(plan: LayoutPlan, node: StructNode): LayoutPlan {
  const line = plan.cacheLineBytes;
  const fields = node.fields
    .map(({ name, offsetBytes, node: field }) => ({
      name,
      offsetBytes,
      sizeBytes: sizeOf(field),
      alignBytes: alignOf(field),
      cacheLine: Math.floor(offsetBytes / line),
    }))
    .toSorted((a, b) => a.offsetBytes - b.offsetBytes);
  const used = fields.reduce((sum, field) => sum + field.sizeBytes, 0);
  return {
    ...plan,
    sizeBytes: node.sizeBytes,
    strideBytes: node.sizeBytes,
    alignBytes: node.alignBytes,
    paddingBytes: node.sizeBytes - used,
    fields,
  };
}

/**
 * Defines a record type.
 *
 * @param name shown in errors, the key of stored choices, and the struct's name in C
 * @param fields types by name, in declared order
 * @throws INVALID_SCHEMA for names and types that cannot be; INVALID_ARGUMENT for options
 *
 * @example
 * const Order = struct('Order', {
 *   id: u32,
 *   price: f64,
 *   side: enumOf('buy', 'sell'),
 *   symbol: utf8(8),
 * }, { hot: ['price', 'side'] });
 * const orders = Order.array(200_000);
 * orders.set(0, { id: 1, price: 9.5, side: 'sell', symbol: 'ACME' });
 */
export function struct<const F extends Fields>(
  name: string,
  fields: F,
  options: StructOptions = {},
): StructType<F> {
  if (typeof name !== 'string' || name === '') {
    throw fail('INVALID_ARGUMENT', { name: 'name', actual: describe(name), expected: 'a name for the type' });
  }
  requireOptions(`fields of "${name}"`, fields);
  requireOptions(`options of "${name}"`, options, OPTION_KEYS);
  const nodes = Object.entries(fields).map(([field, type]) => {
    requireFieldName(name, field);
    const node = (type as Partial<FieldType> | null | undefined)?.node;
    if (typeof type !== 'object' || typeof node !== 'object' || (node as unknown) === null) {
      throw fail('INVALID_SCHEMA', {
        name,
        problem: `Field "${field}" has ${describe(type)} for a type.`,
        remedy: 'Use u8 … f64, bool, array(), utf8(), enumOf(), flagsOf() or another struct.',
      });
    }
    return { name: field, node };
  });
  if (nodes.length === 0) {
    throw fail('INVALID_SCHEMA', { name, problem: 'It has no fields.', remedy: 'Give it at least one.' });
  }
  const choice: StructChoice = {
    kind: 'memory',
    packing: requireOneOf('packing', options.packing ?? 'minimal_padding', PACKINGS),
    cacheLineBytes: requireOneOf('cacheLineBytes', options.cacheLineBytes ?? 64, [64, 128]),
    order: requireOneOf('order', options.order ?? 'aos', ORDERS),
    ...(options.hot === undefined ? {} : { hot: options.hot }),
    source: 'declared',
  };
  return new StructType<F>(name, nodes, options.writers ?? {}, choice);
}

/**
 * Rebuilds a type from `Type.descriptor`, after JSON or `postMessage`, with exactly its offsets.
 * @throws INVALID_SCHEMA for anything else
 */
export function structFromDescriptor(descriptor: StructDescriptor): StructType {
  return typeFrom(requireDescriptor(descriptor));
}

function typeFrom({ node, choice, writers, recording }: StructDescriptor): StructType {
  const nodes = node.fields.map((field) => ({ name: field.name, node: field.node }));
  const names = nodes.map(({ name }) => name);
  const recorder = recording === undefined ? undefined : new AccessRecorder(names, recording);
  return new StructType(node.name, nodes, writers, { ...choice, source: 'declared' }, node, recorder);
}

/**
 * The same shared array in another thread.
 *
 * @example
 * // main thread: new Worker(file, { workerData: orders.descriptor })
 * // worker:      const orders = arrayFromDescriptor(workerData);
 */
export function arrayFromDescriptor(descriptor: ArrayDescriptor): StructArray<Fields> {
  if (typeof descriptor !== 'object' || (descriptor as unknown) === null) {
    throw fail('INVALID_ARGUMENT', {
      name: 'descriptor',
      actual: describe(descriptor),
      expected: 'array.descriptor as it was given',
    });
  }
  if (!(descriptor.buffer instanceof SharedArrayBuffer) || !ORDERS.includes(descriptor.order)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'descriptor',
      actual: 'without shared buffer and order',
      expected: 'array.descriptor as it was given, by postMessage or workerData',
    });
  }
  return structFromDescriptor(descriptor.type).attach(descriptor);
}
