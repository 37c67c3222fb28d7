/**
 * Two profiles of the same program in one flame graph: widths are the newer profile's, colours say what grew and what
 * shrank (Gregg's differential flame graph). Both sides are brought to the same length of window first. Frames are
 * matched by name and file along their path, not by line, which moves with every edit; of several that agree in both,
 * as functions without a name do, those on equal lines belong together, and the others in their order in the file. What
 * is gone from the newer profile has no width, so a table beside the graph lists it.
 */
import type { ProfilingResult } from '../model/profiling-result.js';
import type { StackNode } from '../model/signals.js';
import { formatDurationMs } from '../units.js';
import { flameGraph } from './flame-graph.js';
import { formatFunctionName, formatInstant, formatPlace, formatValue } from './format.js';
import { html, type Markup } from './markup.js';

/** A frame of the newer profile with what the older one had in its place. */
export interface DiffNode extends StackNode {
  readonly before: number;
  readonly children: readonly DiffNode[];
}

/** A function whose own cost changed, over all places where it was called. */
export interface SelfChange {
  readonly name: string;
  readonly file?: string;
  readonly line?: number;
  readonly before: number;
  readonly after: number;
}

const SHOWN_CHANGES = 12;
/** Changes below this share of the whole are noise of sampling. */
const LEAST_CHANGE = 0.005;
/** Deeper trees are programs that recurse without end; the rest counts in its caller. */
const MAX_DEPTH = 400;

/**
 * @param scale what the older profile's values are multiplied by, such as the ratio of the windows' lengths.
 *
 * @example
 * diffTrees(before.callTree, after.callTree, after.durationMs / before.durationMs).before;
 */
export function diffTrees(
  before: StackNode | undefined,
  after: StackNode,
  scale: number,
  depth = 0,
): DiffNode {
  const earlier = matched(before?.children ?? [], after.children);
  const children = depth >= MAX_DEPTH ? [] : after.children;
  return {
    ...after,
    before: (before?.value ?? 0) * scale,
    children: children.map((child) => diffTrees(earlier.get(child), child, scale, depth + 1)),
  };
}

/** The older frame of each newer one that has one; each older one belongs to one newer at most. */
function matched(older: readonly StackNode[], newer: readonly StackNode[]): Map<StackNode, StackNode> {
  const pairs = new Map<StackNode, StackNode>();
  const byKey = grouped(older);
  for (const [key, nodes] of grouped(newer)) {
    const left = [...(byKey.get(key) ?? [])].sort(byLine);
    const alone: StackNode[] = [];
    for (const node of nodes) {
      const at = left.findIndex(({ line }) => line === node.line);
      const [same] = at < 0 ? [] : left.splice(at, 1);
      if (same === undefined) alone.push(node);
      else pairs.set(node, same);
    }
    for (const [k, node] of alone.sort(byLine).entries()) {
      const next = left[k];
      if (next !== undefined) pairs.set(node, next);
    }
  }
  return pairs;
}

function byLine(a: StackNode, b: StackNode): number {
  return (a.line ?? 0) - (b.line ?? 0);
}

/** Functions by how much their own cost changed, greatest first; those that one side lacks are among them. */
export function selfChanges(before: StackNode, after: StackNode, scale: number): SelfChange[] {
  const changes = new Map<string, { node: StackNode; before: number; after: number }>();
  const add = (root: StackNode, side: 'before' | 'after', factor: number) => {
    const pending = [root];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      const self = Math.max(0, node.value - node.children.reduce((sum, child) => sum + child.value, 0));
      const key = keyOf(node);
      let change = changes.get(key);
      if (change === undefined) changes.set(key, (change = { node, before: 0, after: 0 }));
      change.node = node;
      change[side] += self * factor;
      pending.push(...node.children);
    }
  };
  add(before, 'before', scale);
  // Second, so that the newer line is shown where both have one.
  add(after, 'after', 1);
  return [...changes.values()]
    .map(({ node: { name, file, line }, ...values }) => ({
      name,
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
      ...values,
    }))
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
}

/** The section of a report; undefined where one of the two has no call tree, or they are of different kinds. */
export function flameDiffSection(
  before: ProfilingResult,
  after: ProfilingResult,
  root: string,
): Markup | undefined {
  if (before.callTree === null || after.callTree === null) return undefined;
  if ((before.type === 'memory') !== (after.type === 'memory')) return undefined;
  const unit = after.type === 'memory' ? 'bytes' : 'ms';
  const scale = after.durationMs / Math.max(1, before.durationMs);
  const tree = diffTrees(before.callTree, after.callTree, scale);
  const whole = Math.max(tree.value, tree.before, Number.MIN_VALUE);
  const changes = selfChanges(before.callTree, after.callTree, scale)
    .filter((change) => Math.abs(change.after - change.before) / whole >= LEAST_CHANGE)
    .slice(0, SHOWN_CHANGES);
  const show = (value: number) => formatValue(value, unit);
  return html`<p>
      Against <code>${before.target.description}</code>, ${formatInstant(before.createdAt)}
      (<code>${before.id}</code>): ${show(tree.before)} then, ${show(tree.value)} now, in
      ${formatDurationMs(after.durationMs)}. Widths are now; <span class="more">red</span> frames take more
      than then, <span class="less">blue</span> ones less.
    </p>
    ${flameGraph(tree, { unit, root, diff: true })}
    ${
      changes.length === 0
        ? html`<p class="quiet">No function’s own cost changed by ${LEAST_CHANGE * 100} % of the whole.</p>`
        : html`<div class="scroll">
            <table class="costs">
              <thead>
                <tr>
                  <th>Function</th>
                  <th>Place</th>
                  <th class="number">Self, then</th>
                  <th class="number">Self, now</th>
                  <th class="number">Change</th>
                </tr>
              </thead>
              <tbody>
                ${changes.map((change) => {
                  const grew = change.after > change.before;
                  return html`<tr>
                    <td><code>${formatFunctionName(change.name)}</code></td>
                    <td>
                      <code class="quiet"
                        >${change.file === undefined ? '–' : formatPlace({ file: change.file, line: change.line ?? 0 }, root)}</code
                      >
                    </td>
                    <td class="number">${show(change.before)}</td>
                    <td class="number">${show(change.after)}</td>
                    <td class="number ${grew ? 'more' : 'less'}">
                      ${grew ? '+' : '−'}${show(Math.abs(change.after - change.before))}
                    </td>
                  </tr>`;
                })}
              </tbody>
            </table>
          </div>`
    }`;
}

function grouped(nodes: readonly StackNode[]): Map<string, StackNode[]> {
  const groups = new Map<string, StackNode[]>();
  for (const node of nodes) {
    const group = groups.get(keyOf(node));
    if (group === undefined) groups.set(keyOf(node), [node]);
    else group.push(node);
  }
  return groups;
}

function keyOf({ name, file }: StackNode): string {
  return `${name}\n${file ?? ''}`;
}
