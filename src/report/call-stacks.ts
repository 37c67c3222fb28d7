/**
 * The stacks of a stored result, as other tools' formats want them: every path of the call tree with the time (or
 * bytes) that was spent in its last function itself.
 *
 * The source is the stored tree, not V8's raw profile: that one is ten to a hundred times larger, would have to be
 * stored with every result, and knows neither inlined functions nor source maps. What is lost is the order in time,
 * and branches below 0.05 % of the whole, whose weight counts as their caller's own.
 */
import type { ProfilingResult } from '../model/profiling-result.js';
import type { StackNode } from '../model/signals.js';

export interface CallStack {
  /** Outermost first; never empty. */
  readonly frames: readonly StackNode[];
  /** Milliseconds in the last frame itself, or bytes that it allocated. */
  readonly selfValue: number;
  /** Absent for the main thread. */
  readonly thread?: string;
}

/** Where weight lies in no function: branches that were too small to be kept. */
const REST = '(other)';
/** Sums of floating-point parts differ from their whole by less than this share. */
const ROUNDING = 1e-9;

/**
 * Stacks of the main thread in the order of the tree, then of each worker thread that was profiled.
 *
 * @example
 * const total = callStacks(result).reduce((sum, { selfValue }) => sum + selfValue, 0); // = callTree.value
 */
export function callStacks(result: ProfilingResult): CallStack[] {
  const stacks: CallStack[] = [];
  if (result.callTree !== null) collect(result.callTree, undefined, stacks);
  for (const { callTree, title, workerId } of result.threadProfiles ?? []) {
    if (callTree !== null) collect(callTree, title === '' ? `worker ${workerId}` : title, stacks);
  }
  return stacks;
}

function collect(root: StackNode, thread: string | undefined, stacks: CallStack[]): void {
  const visit = (node: StackNode, frames: readonly StackNode[]): void => {
    const inChildren = node.children.reduce((sum, child) => sum + child.value, 0);
    const selfValue = node.value - inChildren;
    if (selfValue > node.value * ROUNDING) {
      stacks.push({
        frames: frames.length > 0 ? frames : [{ name: REST, value: selfValue, children: [] }],
        selfValue,
        ...(thread === undefined ? {} : { thread }),
      });
    }
    for (const child of node.children) visit(child, [...frames, child]);
  };
  visit(root, []);
}
