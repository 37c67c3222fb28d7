/**
 * Gives a leaf's time to a function of the user and to what it did there.
 *
 * Responsible is the user's innermost function on the stack. An anonymous callback whose enclosing function
 * stands further up the same stack (`rows.map((row) => …)` inside `report`) counts as part of that function:
 * that is the name a reader looks for. A function that V8 inlined is found by the line.
 */
import { isAbsolute } from 'node:path';
import {
  isLoaderFrame,
  operationOfFrames,
  operationOfLine,
  operationOfNode,
  OWN_CODE,
  type Operation,
} from './operation.js';
import type { Frame, FrameResolver } from './frames.js';
import { isTracing } from './own-time.js';
import type { SampledTree } from './samples.js';

export interface Attribution {
  /** Part of the leaf's time, 0 to 1. */
  readonly share: number;
  /** The function in which the time was spent: the leaf, or what V8 had inlined into it. */
  readonly leaf: Frame;
  readonly leafLine: number | undefined;
  /** The user's function that is responsible; null where none is on the stack. */
  readonly responsible: Frame | null;
  /** Line of the responsible function on or below which the time was spent. */
  readonly line: number | undefined;
  readonly via: Frame | null;
  readonly operation: Operation;
}

export interface LeafAttribution {
  /** From the root to the leaf, V8's special nodes left out. */
  readonly path: readonly Frame[];
  readonly parts: readonly Attribution[];
  readonly startup: boolean;
}

interface LineShare {
  readonly line: number;
  readonly share: number;
}

export class Attributor {
  readonly #tree: SampledTree;
  readonly #frames: FrameResolver;
  readonly #known = new Map<number, LeafAttribution>();

  constructor(tree: SampledTree, frames: FrameResolver) {
    this.#tree = tree;
    this.#frames = frames;
  }

  of(node: number): LeafAttribution {
    let known = this.#known.get(node);
    if (known === undefined) {
      known = this.#attribute(node);
      this.#known.set(node, known);
    }
    return known;
  }

  #attribute(node: number): LeafAttribution {
    const path: Frame[] = [];
    for (let at = node; at >= 0 && this.#tree.parents[at]! >= 0; at = this.#tree.parents[at]!) {
      const frame = this.#frames.resolve(this.#tree.nodes[at]!.callFrame);
      if (!isTracing(frame.file, frame.name)) path.push(frame);
    }
    path.reverse();
    const startup = path.some(isLoaderFrame);
    const lines = lineShares(this.#tree, node);
    const parts =
      lines.length === 0
        ? [this.#part(path, undefined, 1)]
        : lines.map(({ line, share }) => this.#part(path, line, share));
    return { path, parts, startup };
  }

  #part(path: readonly Frame[], tickLine: number | undefined, share: number): Attribution {
    const v8Leaf = path.at(-1);
    let leaf = v8Leaf;
    if (leaf !== undefined && tickLine !== undefined && isScriptOrigin(leaf.origin))
      leaf = this.#inlined(leaf, tickLine);
    if (leaf === undefined) {
      const none = {
        key: '',
        name: '',
        origin: 'program',
        file: '',
        line: 0,
        column: 0,
        function: null,
        isUnnamed: false,
      } as const;
      return {
        share,
        leaf: none,
        leafLine: undefined,
        responsible: null,
        line: undefined,
        via: null,
        operation: OWN_CODE,
      };
    }
    const stack = leaf === v8Leaf ? path : [...path, leaf];
    const innermostAt = innermost(stack);
    const responsibleAt = throwerAt(stack, innermostAt, this.#frames.sources);
    if (responsibleAt < 0) {
      const operation = operationOfNode(stack) ?? OWN_CODE;
      return { share, leaf, leafLine: tickLine, responsible: null, line: undefined, via: null, operation };
    }

    const below = stack.slice(responsibleAt + 1);
    const shown = stack[responsibleAt]!;
    const innermostUser = this.#callerOf(shown, below);
    const via = below.findLast((frame) => frame.origin === 'dependency') ?? null;
    const operation =
      (responsibleAt < innermostAt ? MAKING_AN_ERROR : operationOfFrames(below)) ??
      operationOfLine(
        isInside(leaf, tickLine) ? this.#frames.sources.marks(leaf.file, tickLine!, leaf.function) : [],
      );
    // A native function carries the line of its caller, which is the user's own only directly below it.
    const isDirect = below.length === 0 || (below.length === 1 && below[0]!.origin === 'native');
    const shownLine = isDirect ? tickLine : this.#lineOfCall(innermostUser, below);
    // The line of a call, for a function whose own lines V8 did not know, is no line of that function.
    const line = isInside(innermostUser, shownLine) ? shownLine : undefined;
    const responsible = innermostUser === shown ? this.#named(stack, responsibleAt) : innermostUser;
    return { share, leaf, leafLine: tickLine, responsible, line, via, operation };
  }

  #inlined(leaf: Frame, line: number): Frame {
    const { sources } = this.#frames;
    const found = sources.functionOnLine(leaf.file, leaf.function, line);
    const ran =
      found === leaf.function ? (sources.calledOnLine(leaf.file, leaf.function, line) ?? found) : found;
    return ran === null || ran === leaf.function
      ? leaf
      : this.#frames.ofFunction(leaf.file, leaf.origin, ran);
  }

  /** The frame itself, or the function inlined into it that calls what stands below. */
  #callerOf(frame: Frame, below: readonly Frame[]): Frame {
    if (below.length === 0 || frame.function === null || isScriptOrigin(below[0]!.origin)) return frame;
    const inlined = this.#frames.sources.inlinedCaller(frame.file, frame.function, below[0]!.name);
    return inlined === null ? frame : this.#frames.ofFunction(frame.file, frame.origin, inlined);
  }

  #lineOfCall(caller: Frame, below: readonly Frame[]): number | undefined {
    const callee = below[0]!;
    return caller.function === null
      ? undefined
      : this.#frames.sources.callLine(caller.file, caller.function, callee.name);
  }

  /** An anonymous function on whose stack its enclosing function stands counts as that function. */
  #named(stack: readonly Frame[], at: number): Frame {
    let frame = stack[at]!;
    for (let above = at - 1; above >= 0; above -= 1) {
      if (!frame.isUnnamed || frame.function?.parent == null) break;
      const candidate = stack[above]!;
      if (candidate.function !== null && candidate.function === frame.function.parent) frame = candidate;
    }
    return frame;
  }
}

const ERROR_CLASS = /(Error|Exception)$/;
const MAKING_AN_ERROR: Operation = { kind: 'exception', name: 'throw' };

/** A class, the class that it extends, and what computes a message: so far below `throw new` the time may lie. */
const CONSTRUCTOR_DEPTH = 4;

/**
 * An exception's own constructor is not what makes exceptions: whoever calls it is, however its class computes its
 * message. Most of the time goes into the stack that `super()` walks. It is told by its name, or by a `throw new` of
 * it in the file of the caller.
 */
function throwerAt(stack: readonly Frame[], at: number, sources: FrameResolver['sources']): number {
  let thrower = at;
  let frame = at;
  for (let depth = 0; depth < CONSTRUCTOR_DEPTH && frame >= 0; depth += 1) {
    const caller = innermost(stack.slice(0, frame));
    if (caller < 0) return thrower;
    const { name } = stack[frame]!;
    if (ERROR_CLASS.test(name) || sources.throwsNew(stack[caller]!.file, name)) thrower = caller;
    frame = caller;
  }
  return thrower;
}

function isScriptOrigin(origin: Frame['origin']): boolean {
  return origin === 'user' || origin === 'dependency';
}

function isInside({ function: own }: Frame, line: number | undefined): boolean {
  return line !== undefined && (own === null || (line >= own.line && line <= own.endLine));
}

/** The innermost user frame; where there is none, the outermost dependency frame. -1 where there is neither. */
/** Code that the program compiles itself (`vm`, templates) has no file to look into: who runs it is responsible. */
function innermost(stack: readonly Frame[]): number {
  const written = stack.findLastIndex(({ origin, file }) => origin === 'user' && isAbsolute(file));
  if (written >= 0) return written;
  const user = stack.findLastIndex((frame) => frame.origin === 'user');
  return user >= 0 ? user : stack.findIndex((frame) => frame.origin === 'dependency');
}

function lineShares(tree: SampledTree, node: number): LineShare[] {
  const ticks = (tree.nodes[node]!.positionTicks ?? []).filter(({ line }) => line > 0);
  const total = ticks.reduce((sum, tick) => sum + tick.ticks, 0);
  return total === 0 ? [] : ticks.map(({ line, ticks: count }) => ({ line, share: count / total }));
}
