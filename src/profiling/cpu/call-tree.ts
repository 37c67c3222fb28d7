/** One tree for the flame graph: nodes of one function under one parent are merged, inlined functions added. */
import type { StackNode } from '../../model/signals.js';
import type { Attributor } from './attribution.js';
import type { Frame, FrameResolver } from './frames.js';
import type { SampledTree } from './samples.js';

interface Building {
  readonly name: string;
  readonly file?: string;
  readonly line?: number;
  value: number;
  readonly children: Map<string, Building>;
}

/** Nodes below this share of the whole are left out: no flame graph shows them. */
const SMALLEST_SHARE = 0.0005;

export function buildCallTree(
  tree: SampledTree,
  attributor: Attributor,
  frames: FrameResolver,
): StackNode | null {
  const root: Building = { name: 'all', value: 0, children: new Map() };
  for (const { node, ms } of tree.leaves) {
    if (node === tree.idle) continue;
    const { path, parts } = attributor.of(node);
    let at = root;
    at.value += ms;
    for (const frame of path) {
      at = childOf(at, frame, frames);
      at.value += ms;
    }
    for (const { leaf, share } of parts) {
      if (leaf.key !== '' && leaf.key !== path.at(-1)!.key) childOf(at, leaf, frames).value += ms * share;
    }
  }
  return root.value === 0 ? null : finish(root, root.value * SMALLEST_SHARE);
}

/** On a stack, the function around an unnamed one stands above it or is not there: its name would mislead. */
export function shownName({ name, isUnnamed }: Frame): string {
  return isUnnamed ? '(anonymous)' : name;
}

function childOf(parent: Building, frame: Frame, frames: FrameResolver): Building {
  let child = parent.children.get(frame.key);
  if (child === undefined) {
    const { file, line } = frames.location(frame);
    child = { name: shownName(frame), ...(file === '' ? {} : { file, line }), value: 0, children: new Map() };
    parent.children.set(frame.key, child);
  }
  return child;
}

function finish(node: Building, smallest: number): StackNode {
  return {
    name: node.name,
    ...(node.file === undefined ? {} : { file: node.file, line: node.line! }),
    value: node.value,
    children: [...node.children.values()]
      .filter((child) => child.value >= smallest)
      .sort((a, b) => b.value - a.value)
      .map((child) => finish(child, smallest)),
  };
}
