/**
 * The source of one loop for a whole chain. Each text is used for one combination of column types only, and numbered,
 * because V8 keeps what it learnt of element kinds by source text: a loop that saw four kinds of arrays reads all of
 * them through the slow path.
 *
 * Nothing of a caller's gets into the text: names of columns and parameters become places in arrays.
 */
import { BINARY, partsOf, UNARY, type Node } from './expression.js';
import { usesOf, type FusedLoop, type FusionPlan } from './fusion-plan.js';

let made = 0;

const OPERATORS: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  mod: '%',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
  eq: '===',
  ne: '!==',
  and: '&&',
  or: '||',
};

/** Undefined where code generation from strings is forbidden. */
export function compileLoop(plan: FusionPlan): FusedLoop | undefined {
  made += 1;
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- of operators and places; no text of a caller's is in it
    return new Function(
      'columns',
      'params',
      'rows',
      'outputs',
      'results',
      `/* ${made} */ ${sourceOf(plan)}`,
    ) as FusedLoop;
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

/** The body of the loop's function. */
export function sourceOf(plan: FusionPlan): string {
  const { filters, columns, params } = plan;
  const accumulators = Object.values(plan.accumulators);
  const outputs = Object.values(plan.outputs);
  const uses = usesOf(plan);
  const lines: string[] = [];
  const names = new Map<Node, string>();
  // What contains a carried value is another value for each accumulator.
  const carriedNames = accumulators.map(() => new Map<Node, string>());
  let named = 0;
  const columnNames = new Set<string>();

  /** Text of a node; what is used more than once is computed once and named. `at`: the accumulator that it is for. */
  const text = (node: Node, at: number): string => {
    const known = names.get(node) ?? carriedNames[at]?.get(node);
    if (known !== undefined) return known;
    if (node.kind === 'column') {
      const place = columns.indexOf(node.name);
      if (!columnNames.has(node.name)) {
        columnNames.add(node.name);
        lines.push(`const v${place} = c${place}[i];`);
      }
      return `v${place}`;
    }
    if (node.kind === 'param') return `p${params.indexOf(node.name)}`;
    if (node.kind === 'literal') return numberText(node.value);
    if (node.kind === 'row') return 'i';
    if (node.kind === 'carried') return `a${at}`;
    const parts = partsOf(node).map((part) => text(part, at));
    const own = operation(node, parts);
    const { count, isCarried } = uses.get(node)!;
    if (count < 2) return own;
    const name = `t${named}`;
    named += 1;
    (isCarried ? carriedNames[at]! : names).set(node, name);
    lines.push(`const ${name} = ${own};`);
    return name;
  };

  for (const filter of filters) {
    const condition = text(filter, -1);
    lines.push(`if (!${condition}) continue;`);
  }
  // All are computed from the values before this row, then stored.
  const stores = outputs.map((node, i) => `o${i}[kept] = ${text(node, -1)};`);
  const steps = accumulators.map(({ next }, i) => `a${i} = ${text(next, i)};`);
  const declared = [
    ...columns.map((_, i) => `const c${i} = columns[${i}];`),
    ...params.map((_, i) => `const p${i} = params[${i}];`),
    ...outputs.map((_, i) => `const o${i} = outputs[${i}];`),
    ...accumulators.map(({ initial }, i) => `let a${i} = ${numberText(initial)};`),
  ];
  const finish = accumulators.map(({ perRow }, i) => `results[${i}] = ${perRow ? `a${i} / kept` : `a${i}`};`);
  return `${declared.join('\n')}
let kept = 0;
for (let i = 0; i < rows; i += 1) {
${[...lines, ...stores, ...steps].map((line) => `  ${line}`).join('\n')}
  kept += 1;
}
${finish.join('\n')}
return kept;`;
}

function operation(node: Node, parts: readonly string[]): string {
  if (node.kind === 'choose') return `(${parts[0]!} ? ${parts[1]!} : ${parts[2]!})`;
  // A node that was not built by the calls of expression.ts could bring text of its own.
  const known = node.kind === 'unary' ? UNARY : node.kind === 'binary' ? BINARY : {};
  if (!('op' in node) || !Object.hasOwn(known, node.op)) throw new TypeError('A node is no operation.');
  if (node.kind === 'unary') {
    if (node.op === 'neg') return `(-${parts[0]!})`;
    return node.op === 'not' ? `(!${parts[0]!})` : `Math.${node.op}(${parts[0]!})`;
  }
  const operator = OPERATORS[node.op];
  return operator === undefined
    ? `Math.${node.op}(${parts[0]!}, ${parts[1]!})`
    : `(${parts[0]!} ${operator} ${parts[1]!})`;
}

/** In brackets where it has a sign: `a - -1`, and −0 is written as it is. */
function numberText(value: number): string {
  if (typeof value !== 'number') throw new TypeError('A literal is no number.');
  if (Object.is(value, -0)) return '(-0)';
  return value < 0 ? `(${value})` : String(value);
}
