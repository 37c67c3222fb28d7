/**
 * Awaits that stand in a row and could run together, as the source tells: a loop over items whose rounds need
 * nothing of each other, or awaits of one block of which none uses what another gave.
 *
 * What the source cannot tell is an effect that one call has on the next. So calls whose names speak of changes,
 * sessions or deliberate waiting are left out, and so is everything behind a check of an earlier result. The rule
 * on top asks in addition that the calls really took long.
 */
import type * as Acorn from 'acorn';
import { isNode, lastName, lineOf, type AnyNode } from './nodes.js';
import { MAX_SOURCE_CHARACTERS, parseProgram } from './syntax.js';

export interface AwaitPlace {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  /** Functions inside the await's expression: what happens in them is not this await's own call. */
  readonly inner: readonly { readonly start: number; readonly end: number }[];
  /** Null for an await that has to stand where it stands. */
  readonly shape: 'loop' | 'sequence' | null;
}

const CHANGES =
  /^(write|save|insert|update|upsert|delete|remove|create|begin|commit|rollback|lock|unlock|set|put|post|patch|close|end|open|connect|init|start|stop|login|authenticate|authorize|acquire|release|unlink|mkdir|rm|rename|append|send|publish|push|flush|sync|next|retry)([A-Z_]|$)/;
const WAITS = /^(sleep|delay|wait|pause|backoff|throttle|setTimeout|setImmediate|tick|yield)/i;

/** Every await of the text, innermost ones after those around them. Empty where it cannot be parsed. */
export function findSerialAwaits(acorn: typeof Acorn, text: string): AwaitPlace[] {
  if (text.length > MAX_SOURCE_CHARACTERS) return [];
  const program = parseProgram(acorn, text);
  if (program === null) return [];
  const places: AwaitPlace[] = [];
  visitFunctions(program as unknown as AnyNode, (body) => new FunctionAwaits(places).collect(body));
  return places.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** The innermost await whose own call is at `offset`, where it need not stand in a row. */
export function serialAwaitAround(places: readonly AwaitPlace[], offset: number): AwaitPlace | null {
  let found: AwaitPlace | null = null;
  for (const place of places) {
    if (place.start > offset) break;
    const isOwn =
      place.end > offset && !place.inner.some(({ start, end }) => start <= offset && offset < end);
    if (isOwn) found = place;
  }
  return found === null || found.shape === null ? null : found;
}

function isFunction({ type }: AnyNode): boolean {
  return (
    type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression'
  );
}

function children(node: AnyNode): AnyNode[] {
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
}

/** Calls `use` with the program and with the body of every function. */
function visitFunctions(node: AnyNode, use: (body: AnyNode) => void): void {
  if (node.type === 'Program') use(node);
  else if (isFunction(node)) use(node.body as AnyNode);
  for (const child of children(node)) visitFunctions(child, use);
}

/** All nodes of one function, those of functions inside it left out. */
function* ownNodes(node: AnyNode): Generator<AnyNode> {
  yield node;
  if (isFunction(node)) return;
  for (const child of children(node)) yield* ownNodes(child);
}

function* allNodes(node: AnyNode): Generator<AnyNode> {
  yield node;
  for (const child of children(node)) yield* allNodes(child);
}

/**
 * What an expression reads, as paths from a variable: `order.customer`. A method may read all of its object, and a
 * computed property may be any, so they stand for the object. What a plain assignment only writes is not read.
 */
function namesIn(node: AnyNode): Set<string> {
  const names = new Set<string>();
  const visit = (at: AnyNode) => {
    if (at.type === 'Identifier') names.add(at.name as string);
    else if (at.type === 'AssignmentExpression' && at.operator === '=') {
      visitTarget(at.left as AnyNode);
      visit(at.right as AnyNode);
    } else if (at.type === 'CallExpression' && isMember(at.callee as AnyNode)) {
      visitMember(at.callee as AnyNode);
      for (const argument of at.arguments as AnyNode[]) visit(argument);
    } else if (at.type === 'MemberExpression') {
      const path = pathOf(at);
      if (path === null) visitMember(at);
      else names.add(path);
    } else if (at.type === 'Property' && at.computed !== true) visit(at.value as AnyNode);
    else children(at).forEach(visit);
  };
  const visitMember = (at: AnyNode) => {
    visit(at.object as AnyNode);
    if (at.computed === true) visit(at.property as AnyNode);
  };
  const visitTarget = (at: AnyNode) => {
    if (!isMember(at)) {
      if (at.type !== 'Identifier') visit(at);
    } else if (at.computed === true) visit(at.property as AnyNode);
  };
  visit(node);
  return names;
}

function isMember({ type }: AnyNode): boolean {
  return type === 'MemberExpression';
}

/** `order.customer.id`; null where the chain does not begin with a variable or computes a property. */
function pathOf(node: AnyNode): string | null {
  if (node.type === 'Identifier') return node.name as string;
  if (node.type !== 'MemberExpression' || node.computed === true) return null;
  const of = pathOf(node.object as AnyNode);
  return of === null ? null : `${of}.${lastName(node)}`;
}

/** What a target of an assignment stands for: its path, or for `list[i]` the list. */
function targetsOf(target: AnyNode): Iterable<string> {
  if (!isMember(target)) return namesIn(target);
  const path = pathOf(target);
  return path === null ? targetsOf(target.object as AnyNode) : [path];
}

/** What a statement gives a value: declared, assigned, or counted on. */
function namesGiven(statement: AnyNode): Set<string> {
  const names = new Set<string>();
  const give = (target: unknown) => {
    for (const name of targetsOf(target as AnyNode)) names.add(name);
  };
  for (const node of allNodes(statement)) {
    if (node.type === 'VariableDeclarator') give(node.id);
    else if (node.type === 'AssignmentExpression') give(node.left);
    else if (node.type === 'UpdateExpression') give(node.argument);
  }
  return names;
}

/** Whether one set has a path that is, holds or belongs to one of the other. */
const intersects = (a: ReadonlySet<string>, b: ReadonlySet<string>) =>
  [...a].some((one) =>
    [...b].some((other) => one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`)),
  );

class FunctionAwaits {
  readonly #places: AwaitPlace[];
  readonly #serial = new Map<AnyNode, 'loop' | 'sequence'>();

  constructor(places: AwaitPlace[]) {
    this.#places = places;
  }

  collect(body: AnyNode): void {
    const awaits = [...ownNodes(body)].filter(({ type }) => type === 'AwaitExpression');
    if (awaits.length === 0) return;
    for (const node of ownNodes(body)) {
      if (node.type === 'BlockStatement' || node.type === 'Program')
        this.#sequence(((node.body as AnyNode[]) ?? []).flatMap(declarations));
      else if (GATHERING.has(node.type)) this.#gathered(node);
      else if (node.type === 'ForOfStatement' || node.type === 'ForStatement') this.#loop(node);
    }
    for (const node of awaits) {
      const inner = [...ownNodes(node.argument as AnyNode)].filter(isFunction);
      this.#places.push({
        start: node.start,
        end: node.end,
        line: lineOf(node),
        inner: inner.map(({ start, end }) => ({ start, end })),
        shape: this.#serial.get(node) ?? null,
      });
    }
  }

  /** Statements of one block: an await is serial where another one before or after it shares nothing with it. */
  #sequence(statements: readonly AnyNode[]): void {
    for (let first = 0; first < statements.length; first += 1) {
      const before = awaitOf(statements[first]!);
      if (before === null || !isRead(before)) continue;
      const tainted = namesGiven(statements[first]!);
      for (let next = first + 1; next < statements.length; next += 1) {
        const statement = statements[next]!;
        if (endsEarly(statement)) break;
        const uses = namesIn(statement);
        const depends = intersects(uses, tainted);
        const after = awaitOf(statement);
        if (!depends && after !== null && isRead(after)) {
          this.#mark(before, 'sequence');
          this.#mark(after, 'sequence');
        }
        if (depends) for (const name of namesGiven(statement)) tainted.add(name);
      }
    }
  }

  /** Members of one value, each awaited for itself: what stands in one cannot need what another gives. */
  #gathered(node: AnyNode): void {
    const awaits = membersOf(node)
      .map(unconditionalAwait)
      .filter((found): found is AnyNode => found !== null && isRead(found));
    if (awaits.length > 1) for (const each of awaits) this.#mark(each, 'sequence');
  }

  /** A loop over items, each awaited for itself: no round reads what an earlier one was given, none ends the loop. */
  #loop(loop: AnyNode): void {
    if (loop.await === true) return;
    const head = (loop.type === 'ForOfStatement' ? loop.left : loop.init) as AnyNode | null;
    if (head === null) return;
    const items = namesGiven(head);
    const body = loop.body as AnyNode;
    const own = [...ownNodes(body)];
    if (own.some(({ type }) => type === 'BreakStatement' || type === 'ReturnStatement')) return;
    const declared = new Set(
      own
        .filter(({ type }) => type === 'VariableDeclarator')
        .flatMap(({ id }) => [...namesIn(id as AnyNode)]),
    );
    // What a round leaves in variables from outside of the loop may be what the next one asks for.
    const carried = new Set([...namesGiven(body)].filter((name) => !declared.has(name)));
    const test = loop.type === 'ForStatement' ? (loop.test as AnyNode | null) : null;
    if (test !== null && intersects(namesIn(test), carried)) return;
    for (const node of own) if (node.type === 'VariableDeclarator') addDerived(node, items);
    for (const node of own) {
      if (node.type !== 'AwaitExpression' || !isRead(node)) continue;
      const uses = namesIn(node.argument as AnyNode);
      const awaited = new Set(
        own
          .filter((other) => other.type === 'VariableDeclarator' && other.init != null)
          .filter((other) =>
            [...ownNodes(other.init as AnyNode)].some(({ type }) => type === 'AwaitExpression'),
          )
          .flatMap(({ id }) => [...namesIn(id as AnyNode)]),
      );
      if (intersects(uses, items) && !intersects(uses, carried) && !intersects(uses, awaited))
        this.#mark(node, 'loop');
    }
  }

  #mark(node: AnyNode, shape: 'loop' | 'sequence'): void {
    if (this.#serial.get(node) !== 'loop') this.#serial.set(node, shape);
  }
}

/** Values that are put together of several: objects, lists, texts, arguments. */
const GATHERING = new Set(['ObjectExpression', 'ArrayExpression', 'CallExpression', 'TemplateLiteral']);

function membersOf(node: AnyNode): AnyNode[] {
  if (node.type === 'CallExpression') return node.arguments as AnyNode[];
  if (node.type === 'TemplateLiteral') return node.expressions as AnyNode[];
  const members = (node.properties ?? node.elements) as (AnyNode | null)[];
  return members.filter(
    (member): member is AnyNode =>
      member !== null && !(member.type === 'Property' && member.computed === true),
  );
}

/** The await of a member that is reached whatever the program's state is. */
function unconditionalAwait(member: AnyNode): AnyNode | null {
  if (member.type === 'AwaitExpression') return member;
  const isConditional = member.type === 'ConditionalExpression' || member.type === 'LogicalExpression';
  if (isConditional || isFunction(member)) return null;
  for (const child of children(member)) {
    const found = unconditionalAwait(child);
    if (found !== null) return found;
  }
  return null;
}

/** `const a = …, b = …` as the statements that it stands for. */
function declarations(statement: AnyNode): AnyNode[] {
  const parts = statement.type === 'VariableDeclaration' ? (statement.declarations as AnyNode[]) : [];
  return parts.length < 2 ? [statement] : parts.map((part) => ({ ...statement, declarations: [part] }));
}

/** What is made of an item stands for it. */
function addDerived(declarator: AnyNode, items: Set<string>): void {
  const init = declarator.init as AnyNode | null;
  if (init != null && intersects(namesIn(init), items))
    for (const name of namesIn(declarator.id as AnyNode)) items.add(name);
}

/** The await that a plain statement is about; null for blocks, branches and loops. */
function awaitOf(statement: AnyNode): AnyNode | null {
  if (statement.type !== 'ExpressionStatement' && statement.type !== 'VariableDeclaration') return null;
  for (const node of ownNodes(statement)) if (node.type === 'AwaitExpression') return node;
  return null;
}

function endsEarly(statement: AnyNode): boolean {
  return [...ownNodes(statement)].some(
    ({ type }) => type === 'ReturnStatement' || type === 'ThrowStatement' || type === 'BreakStatement',
  );
}

/** Whether the awaited call asks for something, as far as its name tells. */
function isRead(node: AnyNode): boolean {
  let argument = node.argument as AnyNode;
  if (argument.type === 'ChainExpression') argument = argument.expression as AnyNode;
  if (argument.type !== 'CallExpression') return false;
  const callee = argument.callee as AnyNode;
  // Rounds of several calls at once are so by intention: more of them at a time might be too many.
  if (isMember(callee) && lastName(callee.object as AnyNode) === 'Promise') return false;
  const name = lastName(callee).replace(/^#/, '');
  return !CHANGES.test(name) && !WAITS.test(name);
}
