/**
 * Reads the function that `compileLoop` and `compileReduce` are given, and refuses what would not mean the same once it
 * stands in a loop of its own: names of the scope around it, `this`, functions within it, `var`.
 *
 * Method: the text that `toString` gives is parsed by acorn, which loads at the first use; scopes are walked as the
 * language has them, so that a name counts as the function's own only where it is.
 */
import type * as Acorn from 'acorn';
import { createRequire } from 'node:module';
import { fail } from '../../errors.js';

/** A node of acorn's tree, with children by name. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export type LoopKind = 'loop' | 'reduce';

export interface LoopFunction {
  readonly kind: LoopKind;
  /** What the positions in the tree count in. */
  readonly text: string;
  /** Identifier or pattern; the accumulator of a reducer only. */
  readonly accumulator: SyntaxNode | undefined;
  readonly record: SyntaxNode;
  readonly context: SyntaxNode | undefined;
  readonly index: SyntaxNode | undefined;
  /** A block, or the expression of an arrow. */
  readonly body: SyntaxNode;
  /** What no name in the text begins with. */
  readonly prefix: string;
}

/** Names that mean the same everywhere. */
const GLOBALS = new Set(
  (
    'Math Number BigInt Boolean String Infinity NaN undefined isNaN isFinite parseInt parseFloat ' +
    'Error RangeError TypeError'
  ).split(' '),
);
const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassDeclaration',
  'ClassExpression',
]);
const SCOPES = new Set([
  'BlockStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'SwitchStatement',
  'CatchClause',
]);
const BOUND_TO_CALL = new Set([
  'ThisExpression',
  'Super',
  'MetaProperty',
  'ImportExpression',
  'AwaitExpression',
  'YieldExpression',
]);

/** Acorn, at the first call. Undefined where a deployment has left it out. */
export function loadAcorn(): typeof Acorn | undefined {
  try {
    return createRequire(import.meta.url)('acorn') as typeof Acorn;
  } catch {
    return undefined;
  }
}

/** @throws LOOP_NOT_COMPILABLE */
export function parseLoop(acorn: typeof Acorn, body: unknown, kind: LoopKind): LoopFunction {
  const text = String(body);
  const { node, source } = parseFunction(acorn, text);
  const at = { text: source };
  if (node.async === true || node.generator === true) {
    refuse(at, node, 'it is async or a generator', 'Pass a plain function.');
  }
  const params = [...(node.params as SyntaxNode[])];
  const limit = kind === 'reduce' ? 4 : 3;
  const extra = params[limit];
  if (extra !== undefined) {
    refuse(at, extra, 'there are too many parameters', `Take ${parametersOf(kind)}.`);
  }
  for (const param of params) {
    if (param.type === 'AssignmentPattern' || param.type === 'RestElement') {
      refuse(
        at,
        param,
        'a parameter has a default or is a rest',
        'Give the value in the context when running the loop.',
      );
    }
  }
  const accumulator = kind === 'reduce' ? params.shift() : undefined;
  const [record, context, index] = params;
  if (record === undefined || (kind === 'reduce' && accumulator === undefined)) {
    refuse(at, node, 'parameters are missing', `Take ${parametersOf(kind)}.`);
  }
  for (const [name, param] of [
    ['accumulator', accumulator],
    ['index', index],
  ] as const) {
    if (param !== undefined && param.type !== 'Identifier') {
      refuse(at, param, `the ${name} is taken apart`, 'Take it by one name.');
    }
  }
  let prefix = '$';
  while (source.includes(prefix)) prefix += '_';
  const loop = {
    kind,
    text: source,
    accumulator,
    record,
    context,
    index,
    body: node.body as SyntaxNode,
    prefix,
  };
  requireSelfContained(loop, node.params as SyntaxNode[]);
  if (kind === 'reduce' && loop.body.type === 'BlockStatement' && mayFallThrough(loop.body)) {
    refuse(loop, loop.body, 'not every path returns the new value', 'End each with return.');
  }
  return loop;
}

function parametersOf(kind: LoopKind): string {
  return kind === 'reduce' ? '(accumulator, record, context?, index?)' : '(record, context?, index?)';
}

function parseFunction(acorn: typeof Acorn, text: string): { node: SyntaxNode; source: string } {
  // A method's text is none of an expression.
  for (const source of [`(${text}\n)`, `({${text}\n})`]) {
    let expression: SyntaxNode;
    try {
      expression = acorn.parseExpressionAt(source, 0, {
        ecmaVersion: 'latest',
        sourceType: 'module',
      }) as unknown as SyntaxNode;
    } catch {
      continue;
    }
    const properties = expression.properties as SyntaxNode[] | undefined;
    const node = properties === undefined ? expression : (properties[0]?.value as SyntaxNode);
    if (node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression')
      return { node, source };
  }
  throw fail('LOOP_NOT_COMPILABLE', {
    place: text.slice(0, 60),
    problem: 'this is no function whose source can be read',
    remedy: 'Pass a function of the program itself: not a native, bound or class one.',
  });
}

/** Throws LOOP_NOT_COMPILABLE with the place. */
export function refuse(
  loop: { readonly text: string },
  node: SyntaxNode,
  problem: string,
  remedy: string,
): never {
  const before = loop.text.slice(0, node.start);
  const line = before.split('\n').length;
  const excerpt = loop.text.slice(node.start, node.end).split('\n')[0] as string;
  const shown = excerpt.length > 60 ? `${excerpt.slice(0, 57)}...` : excerpt;
  throw fail('LOOP_NOT_COMPILABLE', { place: `line ${line}, \`${shown}\``, problem, remedy });
}

export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (const value of Object.values(node)) {
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (isNode(each)) children.push(each);
    }
  }
  return children;
}

function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
  );
}

/** The children that are evaluated: not the names of properties and labels. */
export function evaluatedIn(node: SyntaxNode): SyntaxNode[] {
  switch (node.type) {
    case 'MemberExpression':
      return node.computed === true ? childrenOf(node) : [node.object as SyntaxNode];
    case 'Property':
      return node.computed === true ? childrenOf(node) : [node.value as SyntaxNode];
    case 'LabeledStatement':
      return [node.body as SyntaxNode];
    case 'BreakStatement':
    case 'ContinueStatement':
      return [];
    default:
      return childrenOf(node);
  }
}

/** Identifiers that a pattern binds. */
function boundBy(pattern: SyntaxNode): SyntaxNode[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern];
    case 'ObjectPattern':
      return (pattern.properties as SyntaxNode[]).flatMap((each) =>
        boundBy((each.type === 'Property' ? each.value : each) as SyntaxNode),
      );
    case 'ArrayPattern':
      return (pattern.elements as (SyntaxNode | null)[]).flatMap((each) =>
        each === null ? [] : boundBy(each),
      );
    case 'AssignmentPattern':
      return boundBy(pattern.left as SyntaxNode);
    case 'RestElement':
      return boundBy(pattern.argument as SyntaxNode);
    default:
      return [];
  }
}

interface Scope {
  readonly names: ReadonlySet<string>;
  readonly around: Scope | undefined;
}

function requireSelfContained(loop: LoopFunction, params: readonly SyntaxNode[]): void {
  const record = loop.record.type === 'Identifier' ? (loop.record.name as string) : undefined;
  const visit = (node: SyntaxNode, scope: Scope): void => {
    if (FUNCTIONS.has(node.type)) {
      refuse(
        loop,
        node,
        'a function within the body',
        'Write its body in place, or call it through the context.',
      );
    }
    if (BOUND_TO_CALL.has(node.type)) {
      refuse(loop, node, 'this has no meaning in a compiled loop', 'Hand what it needs in by the context.');
    }
    if (node.type === 'VariableDeclaration' && node.kind === 'var') {
      refuse(loop, node, 'a var would keep its value from record to record', 'Declare it with let or const.');
    }
    if (node.type === 'Identifier') {
      const name = node.name as string;
      for (let each: Scope | undefined = scope; each !== undefined; each = each.around) {
        if (each.names.has(name)) return;
      }
      if (GLOBALS.has(name)) return;
      refuse(
        loop,
        node,
        `"${name}" is a variable of the scope around the function, which a compiled loop cannot see`,
        `Hand it in: (${record ?? 'record'}, { ${name} }) => …, and pass { ${name} } when running the loop.`,
      );
    }
    const inner = SCOPES.has(node.type) ? { names: declaredIn(loop, node, record), around: scope } : scope;
    for (const child of evaluatedIn(node)) visit(child, inner);
  };
  const names = new Set(params.flatMap(boundBy).map((each) => each.name as string));
  const scope = { names, around: undefined };
  for (const param of params) visit(param, scope);
  visit(loop.body, scope);
}

/** What a block, loop head or catch clause declares. */
function declaredIn(loop: LoopFunction, node: SyntaxNode, record: string | undefined): Set<string> {
  const statements: (SyntaxNode | null)[] =
    node.type === 'BlockStatement'
      ? (node.body as SyntaxNode[])
      : node.type === 'SwitchStatement'
        ? (node.cases as SyntaxNode[]).flatMap((each) => each.consequent as SyntaxNode[])
        : [((node.init ?? node.left) as SyntaxNode | undefined) ?? null];
  const patterns = statements.flatMap((each) =>
    each?.type === 'VariableDeclaration'
      ? (each.declarations as SyntaxNode[]).map((declarator) => declarator.id as SyntaxNode)
      : [],
  );
  if (node.type === 'CatchClause' && isNode(node.param)) patterns.push(node.param);
  const bound = patterns.flatMap(boundBy);
  for (const each of bound) {
    if (each.name === record) {
      refuse(loop, each, `"${each.name as string}" is declared again`, 'Give one of the two another name.');
    }
  }
  return new Set(bound.map((each) => each.name as string));
}

/** Whether control may reach the end of a statement. Errs on the side of yes. */
function mayFallThrough(node: SyntaxNode): boolean {
  switch (node.type) {
    case 'ReturnStatement':
    case 'ThrowStatement':
      return false;
    case 'BlockStatement':
      return (node.body as SyntaxNode[]).every(mayFallThrough);
    case 'IfStatement':
      return (
        !isNode(node.alternate) ||
        mayFallThrough(node.consequent as SyntaxNode) ||
        mayFallThrough(node.alternate)
      );
    case 'TryStatement':
      if (isNode(node.finalizer) && !mayFallThrough(node.finalizer)) return false;
      return (
        mayFallThrough(node.block as SyntaxNode) ||
        (isNode(node.handler) && mayFallThrough(node.handler.body as SyntaxNode))
      );
    case 'SwitchStatement': {
      // With a default, and every case returning or falling into the next that does.
      const cases = node.cases as SyntaxNode[];
      const last = cases.at(-1);
      return (
        !cases.some((each) => each.test === null) ||
        last === undefined ||
        (last.consequent as SyntaxNode[]).every(mayFallThrough) ||
        holdsBreak(node)
      );
    }
    default:
      return true;
  }
}

function holdsBreak(node: SyntaxNode): boolean {
  return node.type === 'BreakStatement' || childrenOf(node).some(holdsBreak);
}
