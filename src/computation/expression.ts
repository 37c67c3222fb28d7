/**
 * Expressions over the columns of a row, as data: what a fused loop (`fuse`) is compiled from.
 *
 * They are built by calls, not read from the source text of a function: a function's text says nothing of what its
 * names are bound to, and transpilers, coverage tools and minifiers change it. All operations are those of JavaScript's
 * numbers, so that a fused loop gives bit for bit what the same loop written by hand gives.
 */
import { describe, fail } from '../errors.js';

export const BINARY = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  mod: (a: number, b: number) => a % b,
  min: (a: number, b: number) => Math.min(a, b),
  max: (a: number, b: number) => Math.max(a, b),
  gt: (a: number, b: number) => a > b,
  ge: (a: number, b: number) => a >= b,
  lt: (a: number, b: number) => a < b,
  le: (a: number, b: number) => a <= b,
  eq: (a: number, b: number) => a === b,
  ne: (a: number, b: number) => a !== b,
  and: (a: boolean, b: boolean) => a && b,
  or: (a: boolean, b: boolean) => a || b,
} as const;
export const UNARY = {
  neg: (a: number) => -a,
  abs: (a: number) => Math.abs(a),
  sqrt: (a: number) => Math.sqrt(a),
  floor: (a: number) => Math.floor(a),
  ceil: (a: number) => Math.ceil(a),
  round: (a: number) => Math.round(a),
  exp: (a: number) => Math.exp(a),
  log: (a: number) => Math.log(a),
  not: (a: boolean) => !a,
} as const;

/** What an expression consists of. Nodes are immutable, pure and total, and may be shared. */
export type Node =
  | { readonly kind: 'column' | 'param'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: number }
  | { readonly kind: 'row' | 'carried' }
  | { readonly kind: 'unary'; readonly op: keyof typeof UNARY; readonly a: Node }
  | { readonly kind: 'binary'; readonly op: keyof typeof BINARY; readonly a: Node; readonly b: Node }
  | { readonly kind: 'choose'; readonly when: Node; readonly a: Node; readonly b: Node };

/** A number, or an expression that gives one. */
export type Operand = Num | number;

/** An expression that gives a number. */
export class Num {
  /** @internal */
  readonly node: Node;

  /** @internal Made by `col`, `param`, `literal`, `rowIndex` and the methods below. */
  constructor(node: Node) {
    this.node = node;
  }

  add = (other: Operand): Num => this.#with('add', other);
  sub = (other: Operand): Num => this.#with('sub', other);
  mul = (other: Operand): Num => this.#with('mul', other);
  div = (other: Operand): Num => this.#with('div', other);
  /** The remainder, with the sign of the dividend, as `%` gives it. */
  mod = (other: Operand): Num => this.#with('mod', other);
  /** The smaller as `Math.min` has it: NaN where one is NaN. */
  min = (other: Operand): Num => this.#with('min', other);
  /** The greater as `Math.max` has it. */
  max = (other: Operand): Num => this.#with('max', other);
  neg = (): Num => this.#of('neg');
  abs = (): Num => this.#of('abs');
  sqrt = (): Num => this.#of('sqrt');
  floor = (): Num => this.#of('floor');
  ceil = (): Num => this.#of('ceil');
  round = (): Num => this.#of('round');
  exp = (): Num => this.#of('exp');
  log = (): Num => this.#of('log');
  gt = (other: Operand): Bool => this.#compared('gt', other);
  ge = (other: Operand): Bool => this.#compared('ge', other);
  lt = (other: Operand): Bool => this.#compared('lt', other);
  le = (other: Operand): Bool => this.#compared('le', other);
  /** Equal as `===` has it: NaN equals nothing, 0 equals −0. */
  eq = (other: Operand): Bool => this.#compared('eq', other);
  ne = (other: Operand): Bool => this.#compared('ne', other);

  #of(op: keyof typeof UNARY): Num {
    return new Num({ kind: 'unary', op, a: this.node });
  }

  #with(op: keyof typeof BINARY, other: Operand): Num {
    return new Num({ kind: 'binary', op, a: this.node, b: numberNode(other) });
  }

  #compared(op: keyof typeof BINARY, other: Operand): Bool {
    return new Bool({ kind: 'binary', op, a: this.node, b: numberNode(other) });
  }
}

/** An expression that is true or false. */
export class Bool {
  /** @internal */
  readonly node: Node;

  /** @internal Made by comparing numbers. */
  constructor(node: Node) {
    this.node = node;
  }

  and = (other: Bool): Bool => new Bool({ kind: 'binary', op: 'and', a: this.node, b: conditionNode(other) });
  or = (other: Bool): Bool => new Bool({ kind: 'binary', op: 'or', a: this.node, b: conditionNode(other) });
  not = (): Bool => new Bool({ kind: 'unary', op: 'not', a: this.node });
  /** The first number where this is true, else the second. */
  choose = (then: Operand, otherwise: Operand): Num =>
    new Num({ kind: 'choose', when: this.node, a: numberNode(then), b: numberNode(otherwise) });
}

/**
 * The value of a column in this row: of one that is passed to `run`, or that an earlier `map` named.
 *
 * @throws INVALID_ARGUMENT for what is no name.
 */
export function col(name: string): Num {
  return new Num({ kind: 'column', name: requireName(name) });
}

/** A number that is passed to each `run` under this name. @throws INVALID_ARGUMENT for what is no name. */
export function param(name: string): Num {
  return new Num({ kind: 'param', name: requireName(name) });
}

/** A constant, where an expression has to start with one: `literal(1).div(col('x'))`. @throws INVALID_ARGUMENT */
export function literal(value: number): Num {
  return new Num(numberNode(value));
}

/** Number of the row, from 0, among all rows that are read: filters do not change it. */
export function rowIndex(): Num {
  return new Num({ kind: 'row' });
}

/** @internal @throws INVALID_ARGUMENT */
export function numberNode(operand: unknown): Node {
  if (operand instanceof Num) return operand.node;
  if (typeof operand === 'number') return { kind: 'literal', value: operand };
  throw fail('INVALID_ARGUMENT', {
    name: 'operand',
    actual: operand instanceof Bool ? 'a condition' : describe(operand),
    expected: 'a number or an expression that gives one: col(…), param(…), literal(…)',
  });
}

/** @internal @throws INVALID_ARGUMENT */
export function conditionNode(condition: unknown): Node {
  if (condition instanceof Bool) return condition.node;
  throw fail('INVALID_ARGUMENT', {
    name: 'condition',
    actual: condition instanceof Num ? 'an expression that gives a number' : describe(condition),
    expected: "a condition, like col('price').gt(10)",
  });
}

/** The parts of a node. */
export function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'unary':
      return [node.a];
    case 'binary':
      return [node.a, node.b];
    case 'choose':
      return [node.when, node.a, node.b];
    default:
      return [];
  }
}

/** Whether the carried value of a fold is in an expression. */
export function isCarriedIn(node: Node, seen = new Set<Node>()): boolean {
  if (seen.has(node)) return false;
  seen.add(node);
  return node.kind === 'carried' || partsOf(node).some((part) => isCarriedIn(part, seen));
}

/** The expression with columns replaced by what they were mapped to. What is shared stays shared. */
export function substitute(node: Node, by: ReadonlyMap<string, Node>, done = new Map<Node, Node>()): Node {
  const known = done.get(node);
  if (known) return known;
  const inner = (part: Node) => substitute(part, by, done);
  let result: Node = node;
  if (node.kind === 'column') result = by.get(node.name) ?? node;
  else if (node.kind === 'unary') result = { ...node, a: inner(node.a) };
  else if (node.kind === 'binary') result = { ...node, a: inner(node.a), b: inner(node.b) };
  else if (node.kind === 'choose') {
    result = { ...node, when: inner(node.when), a: inner(node.a), b: inner(node.b) };
  }
  done.set(node, result);
  return result;
}

function requireName(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw fail('INVALID_ARGUMENT', { name: 'name', actual: describe(name), expected: 'a name' });
}
