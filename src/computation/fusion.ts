/**
 * Loop fusion over columns: a chain of maps, filters and one end is compiled into a single loop, so that each column
 * is read once and nothing is stored between the steps (Wadler 1990 called it deforestation). The separate passes that
 * it replaces write every intermediate result to memory and read it back.
 *
 * Rejected: taking the callbacks of an array chain and calling them in one loop. Calls per row stay calls wherever
 * V8 does not inline them, and the boxes of captured numbers stay too; expressions as data have neither.
 */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import {
  conditionNode,
  isCarriedIn,
  numberNode,
  partsOf,
  substitute,
  type Bool,
  type Node,
  type Operand,
} from './expression.js';
import { compileLoop } from './fusion-codegen.js';
import { interpretLoop } from './fusion-interpreter.js';
import type { Accumulator, ColumnValues, FusedLoop, FusionPlan } from './fusion-plan.js';
import { Reduction } from './reductions.js';

export type { ColumnValues } from './fusion-plan.js';

/** Columns by name: typed arrays, arrays of numbers, or `columns` of a struct array in the order `soa`. */
export type FusionColumns = Readonly<Record<string, ColumnValues>>;
/** Values of `param(name)`. */
export type FusionParams = Readonly<Record<string, number>>;

/** A typed array's constructor, for columns that are written. BigInt arrays hold no numbers. */
export type OutputType =
  | Float64ArrayConstructor
  | Float32ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Uint8ClampedArrayConstructor;

/** Combinations of column types that get a loop of their own; beyond, the last is shared. */
const MAX_LOOPS = 16;

/** A chain that has no end yet. Immutable: every step gives a new one. */
export class FusedChain {
  readonly #filters: readonly Node[];
  readonly #mapped: ReadonlyMap<string, Node>;

  /** @internal */
  constructor(filters: readonly Node[] = [], mapped: ReadonlyMap<string, Node> = new Map()) {
    this.#filters = filters;
    this.#mapped = mapped;
  }

  /**
   * Names values of the row for the steps that follow. A name that exists is replaced; all are computed from what was
   * there before.
   *
   * @throws INVALID_ARGUMENT
   */
  map(values: Readonly<Record<string, Operand>>): FusedChain {
    requireNamed('values', values);
    const next = new Map(this.#mapped);
    for (const [name, value] of Object.entries(values)) next.set(name, this.#own(numberNode(value)));
    return new FusedChain(this.#filters, next);
  }

  /** Lets only rows pass for which the condition holds. @throws INVALID_ARGUMENT */
  filter(condition: Bool): FusedChain {
    return new FusedChain([...this.#filters, this.#own(conditionNode(condition))], this.#mapped);
  }

  /**
   * Ends the chain with numbers over all rows that pass.
   *
   * @throws INVALID_ARGUMENT
   */
  reduce<K extends string>(reductions: Readonly<Record<K, Reduction>>): Fused<Record<K, number>> {
    requireNamed('reductions', reductions);
    const accumulators = Object.fromEntries(
      Object.entries(reductions).map(([name, reduction]): [string, Accumulator] => {
        if (!(reduction instanceof Reduction)) {
          const expected = 'one of reduction: sum(…), count(), mean(…), least(…), greatest(…), fold(…)';
          throw fail('INVALID_ARGUMENT', { name, actual: describe(reduction), expected });
        }
        const { accumulator } = reduction;
        return [name, { ...accumulator, next: this.#resolved(accumulator.next) }];
      }),
    );
    const names = Object.keys(accumulators);
    return new Fused(planOf(this.#filters, accumulators, {}), [], (_, results) => {
      return Object.fromEntries(names.map((name, i) => [name, results[i]!])) as Record<K, number>;
    });
  }

  /**
   * Ends the chain with new columns of the rows that pass, in their order. Values are converted as by assignment to
   * an element of the type.
   *
   * @throws INVALID_ARGUMENT
   */
  collect<T extends Readonly<Record<string, readonly [Operand, OutputType]>>>(
    columns: T,
  ): Fused<{ [K in keyof T]: InstanceType<T[K][1]> }> {
    requireNamed('columns', columns);
    const types: OutputType[] = [];
    const outputs = Object.fromEntries(
      Object.entries(columns).map(([name, pair]): [string, Node] => {
        if (!Array.isArray(pair)) {
          const expected = 'a value and its type: [col(…), Float64Array]';
          throw fail('INVALID_ARGUMENT', { name, actual: describe(pair), expected });
        }
        const [value, type] = pair as readonly [Operand, OutputType];
        const isWide = [BigInt64Array, BigUint64Array].includes(type as never);
        if (typeof type !== 'function' || typeof type.BYTES_PER_ELEMENT !== 'number' || isWide) {
          const expected = 'the constructor of a typed array that is none of BigInts, like Float64Array';
          throw fail('INVALID_ARGUMENT', { name: `type of ${name}`, actual: describe(type), expected });
        }
        types.push(type);
        return [name, this.#own(numberNode(value))];
      }),
    );
    const names = Object.keys(outputs);
    return new Fused(planOf(this.#filters, {}, outputs), types, (arrays) => {
      return Object.fromEntries(names.map((name, i) => [name, arrays[i]])) as {
        [K in keyof T]: InstanceType<T[K][1]>;
      };
    });
  }

  /** Of a row alone: there is nothing carried where nothing is folded. */
  #own(node: Node): Node {
    if (!isCarriedIn(node)) return this.#resolved(node);
    const expected = 'it inside the step that it was given to alone';
    throw fail('INVALID_ARGUMENT', { name: 'operand', actual: 'the carried value of a fold', expected });
  }

  #resolved(node: Node): Node {
    return substitute(node, this.#mapped);
  }
}

/** A chain with an end, ready to run. */
export class Fused<Result> {
  readonly #plan: FusionPlan;
  readonly #types: readonly OutputType[];
  readonly #finish: (outputs: readonly ArrayLike<number>[], results: Float64Array) => Result;
  readonly #loops = new Map<string, FusedLoop>();

  /** @internal */
  constructor(
    plan: FusionPlan,
    types: readonly OutputType[],
    finish: (outputs: readonly ArrayLike<number>[], results: Float64Array) => Result,
  ) {
    this.#plan = plan;
    this.#types = types;
    this.#finish = finish;
  }

  /** Columns that `run` reads. */
  get columns(): readonly string[] {
    return this.#plan.columns;
  }

  /**
   * Runs the loop once over all rows. The first run for each combination of column types compiles it (about 0.1 ms).
   *
   * @param columns as many values in each as in the others; what is not read may be anything.
   * @param params a number for each `param`.
   * @param rows how many rows there are, where no column is read, or only the first of them are meant.
   * @throws INVALID_ARGUMENT for columns that are missing, differ in length or hold no numbers, for parameters that
   *   are missing, and for more rows than there are.
   */
  run(columns: FusionColumns, params: FusionParams = {}, rows?: number): Result {
    const { columns: names, params: paramNames, accumulators } = this.#plan;
    requireOptions('columns', columns);
    requireOptions('params', params);
    const values = names.map((name) => requireColumn(columns, name));
    for (const [i, { length }] of values.entries()) {
      if (length === values[0]!.length) continue;
      throw fail('INVALID_ARGUMENT', {
        name: `column "${names[i]!}"`,
        actual: `${length} values long`,
        expected: `${values[0]!.length} values, as in "${names[0]!}"`,
      });
    }
    const given = paramNames.map((name) => {
      const value: unknown = Object.hasOwn(params, name) ? params[name] : undefined;
      if (typeof value === 'number') return value;
      throw fail('INVALID_ARGUMENT', {
        name: `param "${name}"`,
        actual: describe(value),
        expected: 'a number',
      });
    });
    const most = values[0]?.length ?? Infinity;
    const wanted = rows ?? values[0]?.length;
    if (!(typeof wanted === 'number' && Number.isSafeInteger(wanted) && wanted >= 0 && wanted <= most)) {
      const expected = values.length === 0 ? 'an integer from 0' : `an integer from 0 to ${most}`;
      throw fail('INVALID_ARGUMENT', { name: 'rows', actual: describe(rows), expected });
    }
    const outputs = this.#types.map((Type) => new Type(wanted));
    const results = new Float64Array(Object.keys(accumulators).length);
    const kept = this.#loopFor(values)(values, given, wanted, outputs, results);
    // A copy of what was kept, so that the room for all rows goes.
    const whole = kept === wanted ? outputs : outputs.map((output) => output.slice(0, kept));
    return this.#finish(whole, results);
  }

  #loopFor(values: readonly ColumnValues[]): FusedLoop {
    // By what they are, not by a constructor that anybody can change.
    const key = values.map((value) => Object.prototype.toString.call(value)).join();
    const known = this.#loops.get(key);
    if (known) return known;
    if (this.#loops.size >= MAX_LOOPS) return [...this.#loops.values()].at(-1)!;
    const loop = compileLoop(this.#plan) ?? interpretLoop(this.#plan);
    this.#loops.set(key, loop);
    return loop;
  }
}

/**
 * Starts a chain over columns.
 *
 * @example
 * const turnover = fuse()
 *   .filter(col('quantity').ge(param('least')))
 *   .map({ value: col('price').mul(col('quantity')) })
 *   .reduce({ total: reduction.sum(col('value')), orders: reduction.count() });
 * turnover.run({ price, quantity }, { least: 10 }); // { total, orders }
 */
export function fuse(): FusedChain {
  return new FusedChain();
}

function planOf(
  filters: readonly Node[],
  accumulators: Readonly<Record<string, Accumulator>>,
  outputs: Readonly<Record<string, Node>>,
): FusionPlan {
  const columns = new Set<string>();
  const params = new Set<string>();
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'column') columns.add(node.name);
    if (node.kind === 'param') params.add(node.name);
    partsOf(node).forEach(visit);
  };
  [...filters, ...Object.values(accumulators).map(({ next }) => next), ...Object.values(outputs)].forEach(
    visit,
  );
  return { filters, accumulators, outputs, columns: [...columns], params: [...params] };
}

/** @throws INVALID_ARGUMENT for what gives no names: a function would be taken for an object without any. */
function requireNamed(what: string, given: unknown): void {
  const isNamed = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (isNamed && Object.keys(given).length > 0) return;
  throw fail('INVALID_ARGUMENT', {
    name: what,
    actual: isNamed ? 'an object without keys' : describe(given),
    expected: 'an object with a name for each, like { total: … }',
  });
}

function requireColumn(columns: FusionColumns, name: string): ColumnValues {
  const column: unknown = columns[name];
  const isTyped = ArrayBuffer.isView(column) && 'length' in column;
  const isWide = column instanceof BigInt64Array || column instanceof BigUint64Array;
  // Of an array the first alone: to look at all would be a second loop.
  if ((isTyped && !isWide) || (Array.isArray(column) && !isText(column[0]))) return column as ColumnValues;
  throw fail('INVALID_ARGUMENT', {
    name: `column "${name}"`,
    actual: Array.isArray(column) ? `an array with ${describe(column[0])} in it` : describe(column),
    expected: `numbers: a typed array that is none of BigInts, or an array; there are ${Object.keys(columns).join(', ') || 'none'}`,
  });
}

const isText = (value: unknown) => typeof value === 'string' || typeof value === 'bigint';
