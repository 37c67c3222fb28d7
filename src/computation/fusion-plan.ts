/** What a fused loop does, as data: read by the compiler (fusion-codegen.ts) and by the interpreter alike. */
import { partsOf, type Node } from './expression.js';

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

/** How a node is used in a plan. */
export interface NodeUse {
  /** By how many others, and as the root of how many expressions. */
  readonly count: number;
  /** Whether a carried value is in it. */
  readonly isCarried: boolean;
}

/** Uses of all nodes. Each is looked into once, however many paths lead to it. */
export function usesOf({ filters, accumulators, outputs }: FusionPlan): ReadonlyMap<Node, NodeUse> {
  const uses = new Map<Node, NodeUse>();
  const visit = (node: Node): boolean => {
    const known = uses.get(node);
    const isCarried =
      known?.isCarried ?? partsOf(node).reduce((any, part) => visit(part) || any, node.kind === 'carried');
    uses.set(node, { count: (known?.count ?? 0) + 1, isCarried });
    return isCarried;
  };
  for (const root of filters) visit(root);
  for (const { next } of Object.values(accumulators)) visit(next);
  for (const root of Object.values(outputs)) visit(root);
  return uses;
}
