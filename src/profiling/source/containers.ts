/**
 * What a program puts things into where they outlive a call, and which of these containers are bounded, as the source
 * tells: the constructor is given a limit, a check of the size stands beside a removal, or a timer removes entries.
 *
 * It is for one question only: a cache that fills up and a leak look alike in a window of seconds, whatever is sampled.
 * Asking the running program (its maps' sizes, a heap snapshot) tells that a container grew and neither that it will stop.
 * Names are compared, not variables: the source knows no types, and a container of the same name in the same file
 * counts as the same.
 */
import type * as Acorn from 'acorn';
import { KEEPING_CALLS } from './known-names.js';
import { isNode, lastName, type AnyNode } from './nodes.js';
import { MAX_SOURCE_CHARACTERS, parseProgram } from './syntax.js';

export interface Containers {
  /** Names of the containers that a function puts something into, by the function's start in the text. */
  readonly kept: ReadonlyMap<number, ReadonlySet<string>>;
  /** How a container is bounded, by its name: `new LRUCache`, `its size is checked`. */
  readonly bounds: ReadonlyMap<string, string>;
}

const NONE: Containers = { kept: new Map(), bounds: new Map() };
const LIMIT_OPTION = /^(max|limit$|capacity$|ttl$)/i;
const LIMITED_CLASS = /lru|lfu|fifo|bounded|limited|expiring|ttl|cache|ring/i;
const REMOVING_CALLS = new Set(['delete', 'shift', 'pop', 'splice', 'clear']);
const SIZES = new Set(['size', 'length']);
const TIMERS = new Set(['setTimeout', 'setInterval']);
/** Their callback runs before they return: what the caller declared is as local to it. */
const ITERATING_CALLS = new Set(['forEach', 'map', 'filter', 'flatMap', 'reduce', 'some', 'every', 'find']);
/** A queue is emptied down to nothing; that is no bound. */
const LEAST_LIMIT = 2;

export function findContainers(acorn: typeof Acorn, text: string): Containers {
  if (text.length > MAX_SOURCE_CHARACTERS) return NONE;
  const program = parseProgram(acorn, text);
  return program === null ? NONE : new ContainerCollector().collect(program as unknown as AnyNode);
}

interface Scope {
  /** Of the function; -1 for the module. */
  readonly start: number;
  readonly locals: Set<string>;
  readonly checked: Set<string>;
  readonly removed: Set<string>;
  readonly isTimed: boolean;
}

class ContainerCollector {
  readonly #kept = new Map<number, Set<string>>();
  readonly #bounds = new Map<string, string>();
  readonly #iterating = new Set<AnyNode>();
  readonly #timed = new Set<AnyNode>();
  #scope: Scope = newScope(-1, false);

  collect(program: AnyNode): Containers {
    this.#visit(program);
    this.#close();
    return { kept: this.#kept, bounds: this.#bounds };
  }

  #visit(node: AnyNode): void {
    if (isFunction(node)) {
      this.#enter(node);
      return;
    }
    if (node.type === 'CallExpression') this.#call(node);
    else if (node.type === 'AssignmentExpression') this.#assignment(node);
    else if (node.type === 'BinaryExpression') this.#comparison(node);
    else if (node.type === 'UnaryExpression' && node.operator === 'delete')
      this.#removal(memberOf(node.argument));
    else if (node.type === 'VariableDeclarator') this.#made(node.id as AnyNode, node.init);
    else if (node.type === 'PropertyDefinition') this.#made(node.key as AnyNode, node.value);
    if (node.type === 'VariableDeclarator') for (const name of namesIn(node.id)) this.#scope.locals.add(name);
    this.#visitChildren(node);
  }

  #visitChildren(node: AnyNode): void {
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) {
        for (const item of value) if (isNode(item)) this.#visit(item);
      } else if (isNode(value)) this.#visit(value);
    }
  }

  #enter(node: AnyNode): void {
    if (this.#iterating.has(node)) {
      this.#visitChildren(node);
      return;
    }
    const outer = this.#scope;
    this.#scope = newScope(node.start, outer.isTimed || this.#timed.has(node));
    this.#visitChildren(node);
    this.#close();
    this.#scope = outer;
  }

  #close(): void {
    const { checked, removed, isTimed } = this.#scope;
    for (const name of removed) {
      if (checked.has(name)) this.#bounds.set(name, 'its size is checked and entries are removed');
      else if (isTimed) this.#bounds.set(name, 'a timer removes entries');
    }
  }

  #call(node: AnyNode): void {
    const callee = node.callee as AnyNode;
    const name = lastName(callee);
    const args = node.arguments as AnyNode[];
    if (TIMERS.has(name)) for (const each of args) this.#timed.add(each);
    if (callee.type !== 'MemberExpression') return;
    if (ITERATING_CALLS.has(name)) for (const each of args) this.#iterating.add(each);
    const object = callee.object as AnyNode;
    if (KEEPING_CALLS.has(name)) this.#keep(object);
    if (REMOVING_CALLS.has(name)) this.#removal(object);
  }

  /** `table[key] = x` keeps, `list.length = 0` and `list = []` outside of the declaration remove. */
  #assignment(node: AnyNode): void {
    const target = node.left as AnyNode;
    const value = node.right as AnyNode;
    if (target.type === 'MemberExpression') {
      if (target.computed === true) this.#keep(target.object as AnyNode);
      else if (lastName(target) === 'length') this.#removal(target.object as AnyNode);
    }
    const isEmptied = value.type === 'ArrayExpression' || value.type === 'NewExpression';
    if (isEmptied && this.#scope.start >= 0) this.#removal(target);
    this.#made(target, value);
  }

  #comparison(node: AnyNode): void {
    const operator = node.operator as string;
    const [greater, less] = operator.startsWith('>')
      ? [node.left as AnyNode, node.right as AnyNode]
      : [node.right as AnyNode, node.left as AnyNode];
    if (!/^[<>]=?$/.test(operator) || greater.type !== 'MemberExpression' || !SIZES.has(lastName(greater)))
      return;
    if (less.type === 'Literal' && Number(less.value) < LEAST_LIMIT) return;
    this.#scope.checked.add(lastName(greater.object as AnyNode));
  }

  #keep(object: AnyNode): void {
    const name = lastName(object);
    // What a call returned, or `this`: not known by a name.
    const container = name === '' ? '?' : name;
    if (object.type === 'Identifier' && this.#scope.locals.has(name)) return;
    const kept = this.#kept.get(this.#scope.start) ?? new Set();
    this.#kept.set(this.#scope.start, kept.add(container));
  }

  #removal(object: AnyNode | null): void {
    const name = object === null ? '' : lastName(object);
    if (name !== '') this.#scope.removed.add(name);
  }

  /** `new LRUCache({ max: 500 })`, `new Lru(500)`, `cache({ maxSize })`. */
  #made(target: AnyNode, value: unknown): void {
    if (!isNode(value) || (value.type !== 'NewExpression' && value.type !== 'CallExpression')) return;
    const name = lastName(target);
    const maker = lastName(value.callee as AnyNode);
    const args = value.arguments as AnyNode[];
    if (name === '' || args.length === 0) return;
    const isLimited =
      args.some(hasLimit) ||
      (value.type === 'NewExpression' && LIMITED_CLASS.test(maker) && args.some(isNumber));
    if (isLimited)
      this.#bounds.set(name, `${value.type === 'NewExpression' ? 'new ' : ''}${maker} was given a limit`);
  }
}

function newScope(start: number, isTimed: boolean): Scope {
  return { start, locals: new Set(), checked: new Set(), removed: new Set(), isTimed };
}

function isFunction({ type }: AnyNode): boolean {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type);
}

/** The object of `delete object[key]`. */
function memberOf(node: unknown): AnyNode | null {
  return isNode(node) && node.type === 'MemberExpression' ? (node.object as AnyNode) : null;
}

function namesIn(pattern: unknown): string[] {
  if (!isNode(pattern)) return [];
  if (pattern.type === 'Identifier') return [pattern.name as string];
  if (pattern.type === 'ArrayPattern') return (pattern.elements as unknown[]).flatMap(namesIn);
  if (pattern.type === 'ObjectPattern')
    return (pattern.properties as AnyNode[]).flatMap((each) => namesIn(each.value ?? each.argument));
  return pattern.type === 'AssignmentPattern' ? namesIn(pattern.left) : [];
}

function hasLimit(argument: AnyNode): boolean {
  if (argument.type !== 'ObjectExpression') return false;
  return (argument.properties as AnyNode[]).some(
    ({ type, key }) => type === 'Property' && isNode(key) && LIMIT_OPTION.test(lastName(key)),
  );
}

/** A number, or a constant by the way that they are written. */
function isNumber(argument: AnyNode): boolean {
  if (argument.type === 'Literal') return typeof argument.value === 'number';
  return (
    argument.type === 'Identifier' &&
    /^[A-Z][A-Z0-9_]*$|max|limit|capacity|size/i.test(argument.name as string)
  );
}
