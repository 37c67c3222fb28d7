/** Who called whom to allocate, as a tree that opens branch by branch: what a flame graph shows as widths, in words. */
import type { StackNode } from '../model/signals.js';
import { formatBytes, formatShare } from '../units.js';
import { frameOrigin } from './flame-graph.js';
import { formatFunctionName, formatPlace } from './format.js';
import { html, type Markup } from './markup.js';

const LEAST_SHARE = 0.01;
const MAX_CHILDREN = 12;
const MAX_DEPTH = 60;
/** Branches with at least this share are open from the start. */
const OPEN_SHARE = 0.25;

/** It needs no script: a reader's browser opens and closes branches. */
export function allocationTree(root: StackNode, directory: string): Markup {
  const whole = root.value > 0 ? root.value : 1;
  return html`<div class="tree">${branches(root, whole, directory, 0)}</div>`;
}

function branches(node: StackNode, whole: number, directory: string, depth: number): Markup {
  const children = node.children
    .filter(({ value }) => value / whole >= LEAST_SHARE)
    .toSorted((a, b) => b.value - a.value)
    .slice(0, MAX_CHILDREN);
  const shown = children.reduce((sum, { value }) => sum + value, 0);
  const rest = node.children.reduce((sum, { value }) => sum + value, 0) - shown;
  return html`${children.map((child) => {
    const row = html`<span class="tree-bytes">${formatBytes(child.value)}</span>
      <span class="tree-share">${formatShare(child.value / whole)}</span>
      <i class="o-${frameOrigin(child)}"></i><code>${formatFunctionName(child.name)}</code> ${
        child.file !== undefined &&
        html`<code class="quiet"
          >${formatPlace({ file: child.file, line: child.line ?? 0 }, directory)}</code
        >`
      }`;
    const hasMore = depth < MAX_DEPTH && child.children.some(({ value }) => value / whole >= LEAST_SHARE);
    if (!hasMore) return html`<div class="tree-leaf">${row}</div>`;
    const below = branches(child, whole, directory, depth + 1);
    return child.value / whole >= OPEN_SHARE
      ? html`<details open>
          <summary>${row}</summary>
          ${below}
        </details>`
      : html`<details>
          <summary>${row}</summary>
          ${below}
        </details>`;
  })}
  ${
    rest / whole >= LEAST_SHARE &&
    html`<div class="tree-leaf quiet">
      <span class="tree-bytes">${formatBytes(rest)}</span>
      <span class="tree-share">${formatShare(rest / whole)}</span> in smaller branches
    </div>`
  }`;
}
