/**
 * Makes the loop over records of which `loop-rewriter.ts` made the body: as source, once per access plan and text, with
 * the array handed in at each call, so that one function serves all arrays of a schema and stays monomorphic. Where
 * code cannot be made from strings, and for what cannot be rewritten, the same loop runs over a cursor.
 *
 * An array that is looped over much gets kernels of its own, whose views are constants of the enclosing function: V8
 * then has addresses and lengths in the code, which it otherwise loads and checks anew in every turn. In cache that is
 * 1.4 to 2 times the speed, and random access out of cache has more loads under way. Rejected: such kernels for every
 * array (each is compiled and optimised by itself, some milliseconds), and unrolling the turns of the shared one, which
 * gains half of it.
 */
import type { AccessNode, AccessPlan } from './access-plan.js';
import { canGenerate } from './accessor-codegen.js';
import { interpretCursorClass } from './accessor-interpreter.js';
import * as runtime from './accessor-runtime.js';
import type { CursorClass, CursorHost } from './accessor-runtime.js';
import { loadAcorn, parseLoop, type LoopFunction, type LoopKind } from './loop-syntax.js';
import { namesFor, rewriteLoop } from './loop-rewriter.js';

export type IndexList = Uint32Array | Int32Array;

/** Both return the accumulator; loops that have none hand it through. */
export interface LoopKernels {
  readonly range: (host: CursorHost, from: number, to: number, context: unknown, value: unknown) => unknown;
  /** Records `indices[from]` to `indices[to - 1]`. */
  readonly at: (
    host: CursorHost,
    indices: IndexList,
    from: number,
    to: number,
    context: unknown,
    value: unknown,
  ) => unknown;
  /** Whether the function has a parameter for the context. */
  readonly takesContext: boolean;
  readonly compiled: boolean;
  /** Why it is not compiled. */
  readonly reason: string | undefined;
  /** The same for one array alone; undefined where enough have theirs. */
  readonly forArray?: (array: CursorHost) => LoopKernels | undefined;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type LoopBody = (...parameters: any[]) => unknown;

const byPlan = new WeakMap<AccessPlan, Map<string, LoopKernels>>();
const parsed: Record<LoopKind, WeakMap<LoopBody, LoopFunction>> = {
  loop: new WeakMap(),
  reduce: new WeakMap(),
};
let generated = 0;
/** Arrays with kernels of their own for one loop. */
const MAX_SPECIALISED = 16;

/**
 * @param fallsBack runs what cannot be compiled over a cursor
 * @throws LOOP_NOT_COMPILABLE
 */
export function loopKernels(
  plan: AccessPlan,
  cursorClass: CursorClass,
  body: LoopBody,
  kind: LoopKind,
  fallsBack: boolean,
): LoopKernels {
  const acorn = loadAcorn();
  if (acorn === undefined) {
    return loopOverCursor(plan, cursorClass, body, kind, 'acorn, the parser, is not installed');
  }
  try {
    let loop = parsed[kind].get(body);
    if (loop === undefined) {
      loop = parseLoop(acorn, body, kind);
      parsed[kind].set(body, loop);
    }
    let made = byPlan.get(plan);
    if (made === undefined) byPlan.set(plan, (made = new Map<string, LoopKernels>()));
    const key = `${kind} ${loop.text}`;
    let kernels = canGenerate() ? made.get(key) : undefined;
    if (kernels === undefined) {
      const source = new KernelSource(loop, plan);
      if (!canGenerate()) {
        return loopOverCursor(
          plan,
          cursorClass,
          body,
          kind,
          'this process forbids code generation from strings',
        );
      }
      kernels = source.make();
      made.set(key, kernels);
    }
    return kernels;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (!fallsBack || code !== 'LOOP_NOT_COMPILABLE') throw error;
    return loopOverCursor(plan, cursorClass, body, kind, message);
  }
}

class KernelSource {
  private readonly loop: LoopFunction;
  private specialised = 0;
  private readonly names;
  private readonly rewritten;

  constructor(loop: LoopFunction, plan: AccessPlan) {
    this.loop = loop;
    this.names = namesFor(loop.prefix);
    this.rewritten = rewriteLoop(loop, plan, this.names);
  }

  /** @param own the array that the kernels are for; by default any, which is handed in at each call */
  make(own?: CursorHost): LoopKernels {
    const { names, rewritten } = this;
    const { prefix } = this.loop;
    const host = `${prefix}host`;
    const from = `${prefix}from`;
    const to = `${prefix}to`;
    const n = `${prefix}n`;
    const indices = `${prefix}indices`;
    const guard = `${prefix}guard`;
    const tables = [
      ...rewritten.enums.flatMap((_, k) => [
        `const ${names.names(k)} = ${prefix}enums[${k}].names;`,
        `const ${names.codes(k)} = ${prefix}enums[${k}].codes;`,
      ]),
      ...[...rewritten.guards].map((count) => `const ${names.guard(count)} = ${prefix}guards[${count}];`),
    ];
    const views = [
      `const ${guard} = ${host}.guard;`,
      ...[...rewritten.views].map((key) => `const ${names.view(key)} = ${host}.views.${key};`),
    ];
    const [outside, inside] = own === undefined ? [tables, views] : [[...tables, ...views], []];
    // Without one where the views are constants, so that nothing can stand for another array.
    const first = own === undefined ? host : `${prefix}unused`;
    const { temporaries } = rewritten;
    const fresh = temporaries.length === 0 ? '' : `let ${temporaries.join(', ')};`;
    const turn = `${fresh}\n${rewritten.statements}\n}\nreturn ${names.accumulator};`;
    const tail = `${names.context}, ${names.accumulator}`;
    // A number of its own: V8 shares compiled code, and what it learnt of types, between equal sources.
    const source = `'use strict'; // ${(generated += 1)}
${outside.join('\n')}
return [function (${first}, ${from}, ${to}, ${tail}) {
${inside.join('\n')}
${names.label}: for (let ${names.record} = ${from}; ${names.record} < ${to}; ${names.record} += 1) {
${turn}
}, function (${first}, ${indices}, ${from}, ${to}, ${tail}) {
${inside.join('\n')}
${names.label}: for (let ${n} = ${from}; ${n} < ${to}; ${n} += 1) {
const ${names.record} = ${indices}[${n}];
if (${guard}[${names.record}] === undefined) ${names.runtime}.indexOutOfRange(${host}, ${names.record});
${turn}
}];`;
    const guards = Object.fromEntries(
      [...rewritten.guards].map((count) => [count, runtime.elementGuard(count)]),
    );
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const make = new Function(
      names.runtime,
      `${prefix}enums`,
      `${prefix}guards`,
      `${prefix}host`,
      source,
    ) as (...given: unknown[]) => [LoopKernels['range'], LoopKernels['at']];
    const [range, at] = make(runtime, rewritten.enums, guards, own);
    return {
      range,
      at,
      takesContext: this.loop.context !== undefined,
      compiled: true,
      reason: undefined,
      ...(own === undefined && { forArray: (array: CursorHost) => this.forArray(array) }),
    };
  }

  private forArray(array: CursorHost): LoopKernels | undefined {
    if (this.specialised >= MAX_SPECIALISED) return undefined;
    this.specialised += 1;
    return this.make(array);
  }
}

/** The same loop over cursors. */
export function loopOverCursor(
  plan: AccessPlan,
  made: CursorClass,
  body: LoopBody,
  kind: LoopKind,
  reason: string,
): LoopKernels {
  // Elements of their own for each `.at(k)`, as compiled loops have them; nothing else differs.
  const cursorClass = holdsElements(plan.root) ? interpretCursorClass(plan, true) : made;
  const step =
    kind === 'reduce'
      ? body
      : (value: unknown, record: unknown, context: unknown, index: number) => {
          body(record, context, index);
          return value;
        };
  return {
    range: (host, from, to, context, value) => {
      const cursor = new cursorClass(host);
      for (let index = from; index < to; index += 1) {
        cursor.index = index;
        value = step(value, cursor, context, index);
      }
      return value;
    },
    at: (host, indices, from, to, context, value) => {
      const cursor = new cursorClass(host);
      for (let k = from; k < to; k += 1) {
        const index = indices[k] as number;
        cursor.index = index;
        value = step(value, cursor, context, index);
      }
      return value;
    },
    takesContext: body.length > (kind === 'reduce' ? 2 : 1),
    compiled: false,
    reason,
  };
}

/** Whether there are arrays of anything that has fields or elements itself. */
function holdsElements(node: AccessNode): boolean {
  if (node.kind === 'leaf') return false;
  if (node.kind === 'array') return node.element.kind !== 'leaf';
  return node.members.some(({ access }) => holdsElements(access));
}
