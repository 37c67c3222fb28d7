/**
 * The loop of a plan without generated code, for processes that forbid it (`--disallow-code-generation-from-strings`).
 * Every node becomes a closure that reads the row's state, and one that is used several times remembers its value of the
 * row: results are the same, bit for bit.
 */
import { BINARY, UNARY, type Node } from './expression.js';
import { usesOf, type ColumnValues, type FusedLoop, type FusionPlan } from './fusion-plan.js';

interface RowState {
  columns: readonly ColumnValues[];
  params: readonly number[];
  row: number;
  carried: number;
  /** Another one for each row, and for each carried value. */
  stamp: number;
}
type Evaluate = (state: RowState) => number | boolean;

let stamps = 0;

export function interpretLoop(plan: FusionPlan): FusedLoop {
  const known = new Map<Node, Evaluate>();
  const uses = usesOf(plan);
  const of = (node: Node): Evaluate => {
    const existing = known.get(node);
    if (existing) return existing;
    const plain = evaluator(node, plan, of);
    const made = uses.get(node)!.count > 1 ? remembering(plain) : plain;
    known.set(node, made);
    return made;
  };
  const filters = plan.filters.map(of);
  const accumulators = Object.values(plan.accumulators).map((each) => ({ ...each, next: of(each.next) }));
  const written = Object.values(plan.outputs).map(of);
  return (columns, params, rows, outputs, results) => {
    const state: RowState = { columns, params, row: 0, carried: NaN, stamp: 0 };
    const carried = Float64Array.from(accumulators, ({ initial }) => initial);
    let kept = 0;
    for (let row = 0; row < rows; row += 1) {
      state.row = row;
      state.stamp = stamps += 1;
      if (!filters.every((passes) => passes(state))) continue;
      for (const [i, value] of written.entries()) outputs[i]![kept] = value(state) as number;
      for (const [i, { next }] of accumulators.entries()) {
        state.carried = carried[i]!;
        state.stamp = stamps += 1;
        carried[i] = next(state) as number;
      }
      kept += 1;
    }
    for (const [i, { perRow }] of accumulators.entries()) {
      results[i] = perRow ? carried[i]! / kept : carried[i]!;
    }
    return kept;
  };
}

function remembering(evaluate: Evaluate): Evaluate {
  let [stamp, value]: [number, number | boolean] = [-1, NaN];
  return (state) => {
    if (stamp !== state.stamp) [value, stamp] = [evaluate(state), state.stamp];
    return value;
  };
}

function evaluator(node: Node, plan: FusionPlan, of: (node: Node) => Evaluate): Evaluate {
  switch (node.kind) {
    case 'column': {
      const place = plan.columns.indexOf(node.name);
      return ({ columns, row }) => columns[place]![row]!;
    }
    case 'param': {
      const place = plan.params.indexOf(node.name);
      return ({ params }) => params[place]!;
    }
    case 'literal':
      return () => node.value;
    case 'row':
      return ({ row }) => row;
    case 'carried':
      return ({ carried }) => carried;
    case 'unary': {
      const a = of(node.a);
      const apply = UNARY[node.op] as (a: number | boolean) => number | boolean;
      return (state) => apply(a(state));
    }
    case 'binary': {
      const [a, b] = [of(node.a), of(node.b)];
      const apply = BINARY[node.op] as (a: number | boolean, b: number | boolean) => number | boolean;
      return (state) => apply(a(state), b(state));
    }
    case 'choose': {
      const [when, a, b] = [of(node.when), of(node.a), of(node.b)];
      return (state) => (when(state) ? a(state) : b(state));
    }
  }
}
