/**
 * A layout plan as a picture: one row a cache line, before on the left, after on the right. Pure strings: the SVG
 * stands alone, so that it can be pasted into a document or a pull request.
 *
 * Rejected: one long strip of bytes, in which a record of more than two lines becomes unreadable.
 */
import type { Layout, LayoutPlan } from '../memory/layout-planner.js';
import { formatShare } from '../units.js';
// Under this name the formatter leaves the templates alone, whose white space would end up in the picture.
import { html as svg, trusted, type Markup } from './markup.js';

/** A plan and the name of what it is for. */
export interface NamedPlan {
  readonly name: string;
  readonly plan: LayoutPlan;
}

const PANEL = 512;
const GUTTER = 44;
const GAP = 28;
const WIDTH = 2 * (PANEL + GUTTER) + GAP;
const ROW = 26;
const HEAD = 46;
/** Of the label's font, on average. */
const LETTER = 6.3;
/** Rows drawn of a record; what is beyond is counted. */
const MAX_ROWS = 64;

const STYLE = `.layout{--card:#fff;--ink:#171b19;--soft:#5b645f;--grid:#c9cfca;--cold:#dfe6e2;--moved:#bfe0d9;--hot:#f4c987;--edge:#7c8781}
@media(prefers-color-scheme:dark){.layout{--card:#191d1b;--ink:#e7ebe8;--soft:#98a39d;--grid:#3a423e;--cold:#2e3733;--moved:#1f5249;--hot:#7a4f14;--edge:#6d7872}}
.layout text{font:12px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--ink)}
.layout .soft{fill:var(--soft);font-size:11px}.layout .name{font-size:15px;font-weight:600}
.layout .field{stroke:var(--edge);fill:var(--cold)}.layout .moved{fill:var(--moved)}.layout .hot{fill:var(--hot)}
.layout .both{fill:var(--hot);stroke:#0a6b5e;stroke-width:2.5}
.layout .hole{fill:url(#layout-hole);stroke:var(--grid)}.layout .paper{fill:var(--card)}.layout .hatch{stroke:var(--soft)}`;

const HATCH =
  '<defs><pattern id="layout-hole" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
  '<line class="hatch" x1="0" y1="0" x2="0" y2="7" stroke-width="1.6" opacity=".6"/></pattern></defs>';

/**
 * @param plans drawn one below the other
 * @returns an SVG document: fields with names, holes hatched, hot and moved fields marked; light and dark by the
 *   reader's preference
 *
 * @example
 * writeFileSync('order.svg', layoutSvg([{ name: 'Order', plan: Order.layout }]));
 */
export function layoutSvg(plans: readonly NamedPlan[]): string {
  const drawn = plans.map(drawing);
  const height = drawn.reduce((sum, each) => sum + each.height, 0) + 34;
  let top = 0;
  const parts = drawn.map(({ markup, height: own }) => {
    const part = svg`<g transform="translate(0 ${top})">${markup}</g>`;
    top += own;
    return part;
  });
  const width = WIDTH + 28;
  const label = `Layout of ${plans.map(({ name }) => name).join(', ')}`;
  return svg`<svg class="layout" xmlns="http://www.w3.org/2000/svg" viewBox="-14 -10 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">
${trusted(`<style>${STYLE}</style>`)}
${trusted(HATCH)}
<rect class="paper" x="-14" y="-10" width="${width}" height="${height}"/>
${parts}${legend(top)}</svg>
`.text;
}

function legend(top: number): Markup {
  const marks = [
    ['field', 'field'],
    ['field moved', 'moved'],
    ['field hot', 'hot'],
    ['field both', 'hot and moved'],
    ['hole', 'hole'],
  ] as const;
  const drawn = marks.map(([style, label], k) => {
    const x = k * 120;
    return svg`<rect class="${style}" x="${x}" y="0" width="16" height="14"/><text class="soft" x="${x + 22}" y="11">${label}</text>`;
  });
  return svg`<g transform="translate(${GUTTER} ${top})">${drawn}</g>
`;
}

function drawing({ name, plan }: NamedPlan): { markup: Markup; height: number } {
  const before = rowsOf(plan.declared, plan.cacheLineBytes);
  const after = rowsOf(plan, plan.cacheLineBytes);
  const rows = Math.max(
    before.rows.length + (before.left > 0 ? 1 : 0),
    after.rows.length + (after.left > 0 ? 1 : 0),
  );
  const { sizeBytes, share } = plan.savings;
  const change =
    sizeBytes > 0 ? `${formatShare(share)} saved` : sizeBytes < 0 ? `${-sizeBytes} B added` : 'same size';
  const title = (layout: Layout, what: string) =>
    `${what}: ${layout.sizeBytes} B, ${layout.paddingBytes} B padding`;
  const left = panel(before, plan, false, 0, title(plan.declared, 'declared'));
  const right = panel(after, plan, true, PANEL + GUTTER + GAP, `${title(plan, plan.packing)} (${change})`);
  const markup = svg`<text class="name" x="${GUTTER}" y="14">${name}</text>${left}${right}`;
  return { markup, height: HEAD + rows * ROW + 22 };
}

function panel(
  { rows, left: notDrawn }: Rows,
  plan: LayoutPlan,
  isAfter: boolean,
  x: number,
  title: string,
): Markup {
  const scale = PANEL / plan.cacheLineBytes;
  const moved = new Set(isAfter ? plan.moved : []);
  const hot = new Set(plan.hot);
  const drawn = rows.map(({ firstLine, lines, pieces }, k) => {
    const y = HEAD + k * ROW;
    const number = lines === 1 ? String(firstLine * plan.cacheLineBytes) : `×${lines}`;
    const drawnPieces = pieces.map((piece) => drawnPiece(piece, y));
    return svg`<text class="soft" x="${GUTTER - 7}" y="${y + 15}" text-anchor="end">${number}</text>${drawnPieces}`;
  });
  const rest =
    notDrawn > 0 &&
    svg`<text class="soft" x="${GUTTER}" y="${HEAD + rows.length * ROW + 15}">… ${notDrawn} more lines</text>`;
  return svg`<g transform="translate(${x} 0)">
<text class="soft" x="${GUTTER}" y="34">${title}</text>${drawn}${rest}</g>
`;

  function drawnPiece({ name, at, bytes, offset, whole }: Piece, y: number): Markup {
    const left = GUTTER + at * scale;
    const width = bytes * scale;
    const isHot = name !== null && hot.has(name);
    const isMoved = name !== null && moved.has(name);
    const mark = isHot && isMoved ? ' both' : isHot ? ' hot' : isMoved ? ' moved' : '';
    const label = name === null ? '' : fitted(name, width);
    const text =
      label !== '' && svg`<text x="${left + width / 2}" y="${y + 15}" text-anchor="middle">${label}</text>`;
    return svg`<g><title>${name ?? 'hole'}: offset ${offset}, ${whole} B</title><rect class="${name === null ? 'hole' : `field${mark}`}" x="${left}" y="${y}" width="${width}" height="${ROW - 4}"/>${text}</g>
`;
  }
}

function fitted(name: string, width: number): string {
  const letters = Math.floor((width - 4) / LETTER);
  if (name.length <= letters) return name;
  return letters >= 3 ? `${name.slice(0, letters - 1)}…` : '';
}

interface Piece {
  /** Null for a hole. */
  readonly name: string | null;
  /** Within the line. */
  readonly at: number;
  readonly bytes: number;
  /** Of the field or hole that the piece belongs to. */
  readonly offset: number;
  readonly whole: number;
}

interface Row {
  readonly firstLine: number;
  /** More than 1 for lines that one field or hole fills. */
  readonly lines: number;
  readonly pieces: readonly Piece[];
}

interface Rows {
  readonly rows: readonly Row[];
  /** Lines that are not drawn. */
  readonly left: number;
}

function rowsOf(layout: Layout, line: number): Rows {
  const extents: { name: string | null; from: number; to: number }[] = [];
  let end = 0;
  for (const { name, offsetBytes, sizeBytes } of layout.fields) {
    if (offsetBytes > end) extents.push({ name: null, from: end, to: offsetBytes });
    if (sizeBytes > 0) extents.push({ name, from: offsetBytes, to: offsetBytes + sizeBytes });
    end = offsetBytes + sizeBytes;
  }
  if (layout.sizeBytes > end) extents.push({ name: null, from: end, to: layout.sizeBytes });
  const rows: Row[] = [];
  let pieces: Piece[] = [];
  let isPartOfRow = false;
  const lastLine = Math.ceil(layout.sizeBytes / line);
  const flush = (at: number) => {
    if (pieces.length > 0) rows.push({ firstLine: Math.floor((at - 1) / line), lines: 1, pieces });
    pieces = [];
    isPartOfRow = false;
  };
  for (const { name, from, to } of extents) {
    const whole = to - from;
    let at = from;
    while (at < to) {
      const inLine = at % line;
      const full = Math.floor((to - at) / line);
      if (inLine === 0 && full > 1 && !isPartOfRow) {
        // A long array: its inner lines are all alike.
        rows.push({
          firstLine: at / line,
          lines: full,
          pieces: [{ name, at: 0, bytes: line, offset: from, whole }],
        });
        at += full * line;
        continue;
      }
      const stop = Math.min(to, (Math.floor(at / line) + 1) * line);
      pieces.push({ name, at: inLine, bytes: stop - at, offset: from, whole });
      isPartOfRow = true;
      at = stop;
      if (at % line === 0) flush(at);
    }
  }
  flush(layout.sizeBytes);
  const drawn = rows.slice(0, MAX_ROWS);
  const shown = drawn.reduce((sum, row) => sum + row.lines, 0);
  return { rows: drawn, left: lastLine - shown };
}
