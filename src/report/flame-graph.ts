import type { StackNode } from '../model/signals.js';
import { formatFunctionName, formatPlace, formatValue } from './format.js';
import { embeddedJson, html, type Markup } from './markup.js';

/** What kind of code a frame is; decides its colour. */
export type FrameOrigin = 'user' | 'dependency' | 'node' | 'native' | 'gc';

/** A frame laid out: the root has depth 0 and spans 0 to 1. */
export interface Frame {
  readonly name: string;
  readonly place: string;
  readonly origin: FrameOrigin;
  readonly depth: number;
  /** Left edge and width as shares of the root, 0 to 1. */
  readonly left: number;
  readonly width: number;
  readonly total: number;
  readonly self: number;
  /** In a comparison: the total of the older profile in the same place. */
  readonly before?: number;
}

export interface FlameLayout {
  readonly frames: readonly Frame[];
  readonly depth: number;
  /** Frames too narrow to draw. Their time still counts in their callers. */
  readonly hidden: number;
}

export interface FlameOptions {
  /** `ms` for CPU time, `bytes` for allocation. */
  readonly unit: 'ms' | 'bytes';
  /** Directory prefix to leave out of places. */
  readonly root?: string;
  /** The tree is a `DiffNode`: colours say what grew and shrank. */
  readonly diff?: boolean;
  /** Narrowest frame to draw, as a share of the root. Default 0.0005. */
  readonly minShare?: number;
}

const MAX_DEPTH = 160;

/**
 * Lays a call tree out as a flame graph with the root on top: depth first, siblings by value, greatest first.
 * A child that claims more than its parent has left (merged trees round) is cut at the parent's edge.
 */
export function layOut(root: StackNode, options: FlameOptions): FlameLayout {
  const minShare = options.minShare ?? 0.0005;
  const whole = root.value > 0 ? root.value : sumOf(root.children);
  const frames: Frame[] = [];
  let depth = 0;
  let hidden = 0;
  if (!(whole > 0)) return { frames, depth, hidden };

  // An explicit stack: recursive programs give trees deeper than this program's own stack might be.
  const pending = [{ node: root, level: 0, left: 0, width: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, level, left, width } = next;
    const self = Math.max(0, (level === 0 ? whole : node.value) - sumOf(node.children));
    frames.push({
      name: formatFunctionName(node.name),
      place:
        node.file === undefined ? '' : formatPlace({ file: node.file, line: node.line ?? 0 }, options.root),
      origin: frameOrigin(node),
      depth: level,
      left,
      width,
      total: level === 0 ? whole : node.value,
      self,
      ...('before' in node && typeof node.before === 'number' ? { before: node.before } : {}),
    });
    depth = Math.max(depth, level);
    let cursor = left;
    const end = left + width;
    const children = [...node.children].sort((a, b) => b.value - a.value);
    const laidOut: typeof pending = [];
    for (const child of children) {
      const share = Math.min(child.value / whole, end - cursor);
      if (!(share >= minShare) || level + 1 > MAX_DEPTH) {
        hidden += countFrames(child);
        continue;
      }
      laidOut.push({ node: child, level: level + 1, left: cursor, width: share });
      cursor += share;
    }
    for (const child of laidOut.reverse()) pending.push(child);
  }
  return { frames, depth, hidden };
}

/** Draws the graph. It is readable without scripts; the report's script adds zoom, search and the arrow keys. */
export function flameGraph(root: StackNode, options: FlameOptions): Markup {
  const layout = layOut(root, options);
  if (layout.frames.length === 0) return html`<p class="quiet">No samples were taken.</p>`;
  const whole = layout.frames[0]?.total ?? 1;
  const percent = (share: number) => Number((share * 100).toFixed(4));
  const used = new Set(layout.frames.map((frame) => frame.origin));
  return html`<div class="flame" data-unit="${options.unit}">
    <div class="flame-bar">
      <label class="flame-search"
        ><span class="visually-hidden">Search functions and files</span
        ><input type="search" placeholder="Search functions and files" autocomplete="off" spellcheck="false"
      /></label>
      <button type="button" class="flame-reset" hidden>Reset zoom</button>
      <span class="flame-matches" aria-live="polite"></span>
      <span class="legend"
        >${
          options.diff === true
            ? DIFF_LEGEND.map(([kind, label]) => html`<span><i class="${kind}"></i>${label}</span>`)
            : LEGEND.filter(([origin]) => used.has(origin)).map(
                ([origin, label]) => html`<span><i class="o-${origin}"></i>${label}</span>`,
              )
        }</span
      >
    </div>
    <div
      class="flame-frames"
      role="tree"
      aria-label="Call tree by ${options.unit === 'ms' ? 'CPU time' : 'allocated bytes'}"
      style="height:${(layout.depth + 1) * 21}px"
    >
      ${layout.frames.map((frame, index) => {
        const share = percent(frame.total / whole);
        const title = `${frame.name}${frame.place === '' ? '' : ` · ${frame.place}`} · total ${formatValue(frame.total, options.unit)} (${share.toFixed(1)} %), self ${formatValue(frame.self, options.unit)}${frame.before === undefined ? '' : `, then ${formatValue(frame.before, options.unit)}`}`;
        const colour =
          frame.before === undefined ? `o-${frame.origin}` : changeClass(frame.total, frame.before, whole);
        const style = `left:${percent(frame.left)}%;width:${percent(frame.width)}%;top:${frame.depth * 21}px`;
        // There are thousands of these, so no white space.
        // prettier-ignore
        return html`<div class="f ${colour}" role="treeitem" aria-level="${frame.depth + 1}" tabindex="${index === 0 ? 0 : -1}" style="${style}" title="${title}" aria-label="${title}">${frame.name}</div>`;
      })}
    </div>
    <p class="flame-detail" aria-live="polite">
      ${layout.hidden > 0 ? `${layout.hidden} frames narrower than ${((options.minShare ?? 0.0005) * 100).toFixed(2)} % are not drawn; their cost counts in their callers.` : 'Point at a frame, or move with the arrow keys; Enter zooms, Escape goes back.'}
    </p>
    ${embeddedJson(
      'flame-data',
      layout.frames.map((frame) => [
        frame.depth,
        round(frame.left),
        round(frame.width),
        round(frame.total),
        round(frame.self),
        frame.place,
        ...(frame.before === undefined ? [] : [round(frame.before)]),
      ]),
    )}
  </div>`;
}

const DIFF_LEGEND: readonly (readonly [string, string])[] = [
  ['d-more3', 'more than then'],
  ['d-same', 'as then'],
  ['d-less3', 'less than then'],
];

/** By the change as a share of the whole graph: what matters is what the program as a whole gained or lost. */
export function changeClass(after: number, before: number, whole: number): string {
  const change = (after - before) / whole;
  const size = Math.abs(change);
  if (size < 0.005) return 'd-same';
  return `d-${change > 0 ? 'more' : 'less'}${size < 0.03 ? 1 : size < 0.1 ? 2 : 3}`;
}

const LEGEND: readonly (readonly [FrameOrigin, string])[] = [
  ['user', 'your code'],
  ['dependency', 'dependency'],
  ['node', 'Node.js'],
  ['native', 'native'],
  ['gc', 'garbage collection'],
];

export function frameOrigin(node: Pick<StackNode, 'name' | 'file'>): FrameOrigin {
  if (/^\(garbage collector\)$|^\(gc\)$/i.test(node.name)) return 'gc';
  const file = node.file ?? '';
  if (file === '') return 'native';
  if (file.startsWith('node:') || file.startsWith('internal/')) return 'node';
  if (/[/\\]node_modules[/\\]/.test(file)) return 'dependency';
  return 'user';
}

function sumOf(nodes: readonly StackNode[]): number {
  let sum = 0;
  for (const node of nodes) sum += node.value;
  return sum;
}

function countFrames(node: StackNode): number {
  let count = 0;
  const pending: StackNode[] = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    count += 1;
    for (const child of next.children) pending.push(child);
  }
  return count;
}

function round(value: number): number {
  return Number(value.toPrecision(7));
}
