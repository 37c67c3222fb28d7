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
  /**
   * 1-based lines that write to one place of shared memory again and again: by `Atomics`, or to an element of a view that
   * was made over a buffer. Writes that go on through memory with their loop are left out.
   */
  readonly sharedWriteLines: ReadonlySet<number>;
}

/** Fields of a record beside each other, as in `points[i * 3 + 1]`, are on one cache line or the next. */
const LEAST_STRIDE = 16;
const ATOMIC_WRITES = new Set(['add', 'and', 'compareExchange', 'exchange', 'or', 'store', 'sub', 'xor']);
const TYPED_ARRAY =
  /^(Int8|Uint8|Uint8Clamped|Int16|Uint16|Int32|Uint32|Float16|Float32|Float64|BigInt64|BigUint64)Array$/;
const SHARED_NAME = /shared|workerData|\bsab\b/i;

const NOTHING: ReadonlySet<string> = new Set();

/** What the innermost loop around a place moves from one round to the next. */
interface Loop {
  /** Variables that go up or down by one. */
  readonly steps: ReadonlySet<string>;
  /** Variables that go by a greater stride. */
  readonly strides: ReadonlySet<string>;
  /** Variables that take values out of a list. */
  readonly values: ReadonlySet<string>;
}

/**
 * One pass, then a look at the candidates: constants and views may stand below their use. It takes about a third of the
 * time that parsing took.
 */
export function findMemoryAccess(program: Program): MemoryAccess {
  const collector = new AccessCollector();
  collector.visit(program as unknown as AnyNode, null);
  return collector.judged();
}

class AccessCollector {
  /** Indexed places within loops, with the innermost of these. */
  readonly #indexed: (readonly [place: AnyNode, loop: AnyNode])[] = [];
  /** Writes that may be shared, with the innermost loop around them. */
  readonly #writes: (readonly [write: AnyNode, loop: AnyNode | null])[] = [];
  readonly #loops = new Map<AnyNode, Loop>();
  /** Constants that are written as a number, by name. */
  readonly #numbers = new Map<string, number>();
  /** Variables and properties that hold a view of a buffer which is or may be shared. */
  readonly #views = new Set<string>();
  #sharesMemory = false;

  visit(node: AnyNode, loop: AnyNode | null): void {
    let inner = loop;
    switch (node.type) {
      case 'Identifier':
        if (node.name === 'SharedArrayBuffer' || node.name === 'Atomics') this.#sharesMemory = true;
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        // What calls it may be a loop; what that moves is not seen from here.
        inner = null;
        break;
      case 'ForStatement':
      case 'ForOfStatement':
      case 'ForInStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
        inner = node;
        break;
      case 'MemberExpression':
        if (loop !== null && node.computed === true) this.#indexed.push([node, loop]);
        break;
      case 'CallExpression':
        if (isAtomicWrite(node)) this.#writes.push([node, loop]);
        break;
      case 'VariableDeclaration':
        for (const { id, init } of node.declarations as AnyNode[]) {
          this.#learnView(id, init);
          if (node.kind === 'const') this.#learnNumber(id, init);
        }
        break;
      case 'Property':
      case 'PropertyDefinition':
        this.#learnView(node.key, node.value);
        break;
      case 'UpdateExpression':
        if ((node.argument as AnyNode).computed === true) this.#writes.push([node, loop]);
        break;
      case 'AssignmentExpression':
        this.#learnView(node.left, node.right);
        if ((node.left as AnyNode).computed === true) this.#writes.push([node, loop]);
        break;
    }
    eachChild(node, (child) => this.visit(child, inner));
  }

  judged(): MemoryAccess {
    const scatteredLines = new Set<number>();
    for (const [place, loop] of this.#indexed)
      if (this.#scatters(place, this.#loopOf(loop))) scatteredLines.add(lineOf(place));
    const sharedWriteLines = new Set<number>();
    for (const [write, loop] of this.#sharesMemory ? this.#writes : [])
      if (this.#isShared(write, loop)) sharedWriteLines.add(lineOf(write));
    return { scatteredLines, sharedWriteLines };
  }

  #learnNumber(target: unknown, value: unknown): void {
    if (!isNode(target) || !isNode(value) || value.type !== 'Literal') return;
    if (typeof value.value === 'number') this.#numbers.set(lastName(target), value.value);
  }

  #learnView(target: unknown, value: unknown): void {
    if (!isNode(target) || !isNode(value) || value.type !== 'NewExpression') return;
    if (isSharedView(value)) this.#views.add(lastName(target));
  }

  #loopOf(node: AnyNode): Loop {
    const known = this.#loops.get(node);
    if (known !== undefined) return known;
    const loop = { steps: new Set<string>(), strides: new Set<string>(), values: new Set<string>() };
    this.#loops.set(node, loop);
    if (node.type === 'ForStatement' && isNode(node.update))
      this.#moved(node.update, loop.steps, loop.strides);
    if (node.type === 'ForOfStatement') {
      const left = node.left as AnyNode;
      const declared = (left.declarations as AnyNode[] | undefined)?.[0]?.id as AnyNode | undefined;
      loop.values.add(lastName(declared ?? left));
    }
    return loop;
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

  /** A write that goes on through memory shares a line with another thread's at most where their parts meet. */
  #isShared(write: AnyNode, loop: AnyNode | null): boolean {
    const moves = loop === null ? NOTHING : this.#loopOf(loop).steps;
    if (write.type === 'CallExpression') {
      const [, index] = write.arguments as (AnyNode | undefined)[];
      return index === undefined || !mentions(index, moves);
    }
    const target = (write.type === 'UpdateExpression' ? write.argument : write.left) as AnyNode;
    return (
      this.#views.has(lastName(target.object as AnyNode)) && !mentions(target.property as AnyNode, moves)
    );
  }
}

function isAtomicWrite({ callee }: AnyNode): boolean {
  const { type, object } = callee as AnyNode;
  return (
    type === 'MemberExpression' &&
    lastName(object as AnyNode) === 'Atomics' &&
    ATOMIC_WRITES.has(lastName(callee as AnyNode))
  );
}

/** `new Int32Array(shared, 128, 1)`: over a buffer that is made shared, is called so, or is cut into parts. */
function isSharedView(value: AnyNode): boolean {
  if (!TYPED_ARRAY.test(lastName(value.callee as AnyNode))) return false;
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
  if (fits(node)) return true;
  let isFound = false;
  eachChild(node, (child) => (isFound ||= some(child, fits)));
  return isFound;
}

/** Without the lists that `Object.values` would make of each of a million nodes. */
function eachChild(node: AnyNode, visit: (child: AnyNode) => void): void {
  for (const key in node) {
    const value = node[key];
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) visit(item);
    } else if (isNode(value)) visit(value);
  }
}
