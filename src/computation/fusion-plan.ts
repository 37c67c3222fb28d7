/** What a fused loop does, as data: read by the compiler (fusion-codegen.ts) and by the interpreter alike. */
import type { Node } from './expression.js';

/** A value that is carried from row to row. */
export interface Accumulator {
  readonly initial: number;
  /** The next value; `carried` in it is the present one. */
  readonly next: Node;
  /** Divides the result by the rows that were counted: for means. */
  readonly perRow: boolean;
}

export interface FusionPlan {
  /** In order; a row that fails one takes no part in what follows. Each is checked once a row. */
  readonly filters: readonly Node[];
  /** By name of the result. */
  readonly accumulators: Readonly<Record<string, Accumulator>>;
  /** By name of the column that is written. */
  readonly outputs: Readonly<Record<string, Node>>;
  /** Columns that are read, and parameters, in order of first use. */
  readonly columns: readonly string[];
  readonly params: readonly string[];
}

/** Anything that gives a number by index. */
export type ColumnValues = ArrayLike<number>;

/**
 * The loop of a plan. Writes accumulators into `results` in the plan's order, rows that passed into the outputs from 0.
 *
 * @returns number of rows that passed all filters.
 */
export type FusedLoop = (
  columns: readonly ColumnValues[],
  params: readonly number[],
  rows: number,
  outputs: readonly { [index: number]: number }[],
  results: Float64Array,
) => number;
