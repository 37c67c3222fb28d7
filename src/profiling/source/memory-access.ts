/**
 * Lines whose cost may lie in where their data lies, as far as a source text shows it: loops that visit elements out of
 * the order of memory, and writes to memory that threads share. Neither is a fault by itself: whether it costs anything
 * depends on sizes and on the machine, so these lines give rise to an experiment, never to a finding.
 *
 * Rejected: taking every indexed access. Nearly all of them go forward through memory, which processors read ahead.
 */
import type { Program } from 'acorn';
import { isNode, lastName, lineOf, type AnyNode } from './nodes.js';

export interface MemoryAccess {
  /** 1-based lines that visit elements out of the order of memory, over and over. */
  readonly scatteredLines: ReadonlySet<number>;
  /** 1-based lines that write to shared memory: by `Atomics`, or to an element of a view that was made over a buffer. */
  readonly sharedWriteLines: ReadonlySet<number>;
}

/** Fields of a record beside each other, as in `points[i * 3 + 1]`, are on one cache line or the next. */
const LEAST_STRIDE = 16;
const ATOMIC_WRITES = new Set(['add', 'and', 'compareExchange', 'exchange', 'or', 'store', 'sub', 'xor']);
const TYPED_ARRAY =
  /^(Int8|Uint8|Uint8Clamped|Int16|Uint16|Int32|Uint32|Float16|Float32|Float64|BigInt64|BigUint64)Array$/;
const SHARED_NAME = /shared|workerData|\bsab\b/i;
const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const LOOPS = new Set([
  'ForStatement',
  'ForOfStatement',
  'ForInStatement',
  'WhileStatement',
  'DoWhileStatement',
]);

/** What the innermost loop around a place moves from one round to the next. */
interface Loop {
  /** Variables that go up or down by one. */
  readonly steps: ReadonlySet<string>;
  /** Variables that go by a greater stride. */
  readonly strides: ReadonlySet<string>;
  /** Variables that take values out of a list. */
  readonly values: ReadonlySet<string>;
}

/** One pass for names, one for accesses; a fraction of the time that parsing took. */
export function findMemoryAccess(program: Program): MemoryAccess {
  const collector = new AccessCollector();
  collector.learn(program as unknown as AnyNode);
  collector.visit(program as unknown as AnyNode, null);
  return collector;
}

class AccessCollector implements MemoryAccess {
  readonly scatteredLines = new Set<number>();
  readonly sharedWriteLines = new Set<number>();
  /** Constants that are written as a number, by name. */
  readonly #numbers = new Map<string, number>();
  /** Variables and properties that hold a view of a buffer which is or may be shared. */
  readonly #views = new Set<string>();
  #sharesMemory = false;

  learn(node: AnyNode): void {
    if (node.type === 'Identifier' && (node.name === 'SharedArrayBuffer' || node.name === 'Atomics'))
      this.#sharesMemory = true;
    const [target, value] =
      node.type === 'VariableDeclarator'
        ? [node.id, node.init]
        : node.type === 'AssignmentExpression'
          ? [node.left, node.right]
          : node.type === 'PropertyDefinition' || node.type === 'Property'
            ? [node.key, node.value]
            : [];
    if (isNode(target) && isNode(value)) {
      const name = lastName(target);
      if (value.type === 'Literal' && typeof value.value === 'number') this.#numbers.set(name, value.value);
      if (name !== '' && isSharedView(value)) this.#views.add(name);
    }
    for (const child of childrenOf(node)) this.learn(child);
  }

  visit(node: AnyNode, loop: Loop | null): void {
    if (FUNCTIONS.has(node.type)) {
      // What calls it may be a loop; what its own variables do is not seen from here.
      for (const child of childrenOf(node)) this.visit(child, null);
      return;
    }
    if (LOOPS.has(node.type)) {
      const inner = this.#loopOf(node);
      for (const child of childrenOf(node)) this.visit(child, inner);
      return;
    }
    if (loop !== null && node.type === 'MemberExpression' && node.computed === true) {
      if (this.#scatters(node, loop)) this.scatteredLines.add(lineOf(node));
    }
    if (this.#sharesMemory && this.#writesShared(node)) this.sharedWriteLines.add(lineOf(node));
    for (const child of childrenOf(node)) this.visit(child, loop);
  }

  #loopOf(node: AnyNode): Loop {
    const steps = new Set<string>();
    const strides = new Set<string>();
    const values = new Set<string>();
    if (node.type === 'ForStatement' && isNode(node.update)) this.#moved(node.update, steps, strides);
    if (node.type === 'ForOfStatement') {
      const left = node.left as AnyNode;
      const declared = (left.declarations as AnyNode[] | undefined)?.[0]?.id as AnyNode | undefined;
      values.add(lastName(declared ?? left));
    }
    return { steps, strides, values };
  }

  #moved(update: AnyNode, steps: Set<string>, strides: Set<string>): void {
    if (update.type === 'SequenceExpression') {
      for (const part of update.expressions as AnyNode[]) this.#moved(part, steps, strides);
    } else if (update.type === 'UpdateExpression') {
      steps.add(lastName(update.argument as AnyNode));
    } else if (update.type === 'AssignmentExpression' && /^[+-]=$/.test(String(update.operator))) {
      const isNear = this.#numberOf(update.right as AnyNode) < LEAST_STRIDE;
      (isNear ? steps : strides).add(lastName(update.left as AnyNode));
    }
  }

  #scatters({ object, property }: AnyNode, { steps, strides, values }: Loop): boolean {
    const index = property as AnyNode;
    if (mentions(index, strides)) return true;
    // By numbers out of another list: table[rows[i]], or for (const row of rows) table[row].
    if (some(index, (part) => part.type === 'MemberExpression' && part.computed === true)) return true;
    if (index.type === 'Identifier' && values.has(String(index.name))) return true;
    // By whole rows: table[row * width + column] in a loop over rows.
    const leaps = some(
      index,
      (part) =>
        part.type === 'BinaryExpression' &&
        ((part.operator === '*' && this.#multiplies(part, steps)) ||
          (part.operator === '<<' &&
            mentions(part.left as AnyNode, steps) &&
            2 ** this.#numberOf(part.right as AnyNode) >= LEAST_STRIDE)),
    );
    if (leaps) return true;
    // rows[i][column] in a loop over i: another row, which lies somewhere else, for every element.
    const list = object as AnyNode;
    return (
      list.type === 'MemberExpression' &&
      list.computed === true &&
      mentions(list.property as AnyNode, steps) &&
      !mentions(index, steps)
    );
  }

  #multiplies({ left, right }: AnyNode, steps: ReadonlySet<string>): boolean {
    const [one, other] = [left as AnyNode, right as AnyNode];
    return (
      (mentions(one, steps) && this.#numberOf(other) >= LEAST_STRIDE) ||
      (mentions(other, steps) && this.#numberOf(one) >= LEAST_STRIDE)
    );
  }

  /** Infinity for what only the run tells: a width, mostly. */
  #numberOf(node: AnyNode): number {
    if (node.type === 'Literal' && typeof node.value === 'number') return node.value;
    return this.#numbers.get(lastName(node)) ?? Infinity;
  }

  #writesShared(node: AnyNode): boolean {
    if (node.type === 'CallExpression') {
      const callee = node.callee as AnyNode;
      return (
        callee.type === 'MemberExpression' &&
        lastName(callee.object as AnyNode) === 'Atomics' &&
        ATOMIC_WRITES.has(lastName(callee))
      );
    }
    const target =
      node.type === 'AssignmentExpression'
        ? node.left
        : node.type === 'UpdateExpression'
          ? node.argument
          : undefined;
    if (!isNode(target) || target.type !== 'MemberExpression' || target.computed !== true) return false;
    return this.#views.has(lastName(target.object as AnyNode));
  }
}

/** `new Int32Array(shared, 128, 1)`: over a buffer that is made shared, is called so, or is cut into parts. */
function isSharedView(value: AnyNode): boolean {
  if (value.type !== 'NewExpression' || !TYPED_ARRAY.test(lastName(value.callee as AnyNode))) return false;
  const given = value.arguments as AnyNode[];
  const [buffer] = given;
  if (buffer === undefined) return false;
  if (given.length > 1) return true;
  return some(
    buffer,
    (part) =>
      part.type === 'Identifier' &&
      (part.name === 'SharedArrayBuffer' || SHARED_NAME.test(String(part.name))),
  );
}

function mentions(node: AnyNode, names: ReadonlySet<string>): boolean {
  if (names.size === 0) return false;
  return some(node, (part) => part.type === 'Identifier' && names.has(String(part.name)));
}

function some(node: AnyNode, fits: (part: AnyNode) => boolean): boolean {
  return fits(node) || childrenOf(node).some((child) => some(child, fits));
}

function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node).flat().filter(isNode);
}
