/** Speed-ups with their intervals, one above the other on one axis. */
import type { Comparison } from '../model/comparison.js';
import { fixed, formatGain } from './format.js';
import { html, type Insertable, type Markup } from './markup.js';

/** One row of a forest plot. */
export interface ForestRow {
  readonly label: Insertable;
  readonly detail?: Insertable;
  readonly comparison: Comparison;
  readonly nested?: boolean;
  readonly muted?: boolean;
}

/**
 * Speed-ups with their intervals on a logarithmic axis, 1× as the line of no difference and the region of
 * practical equivalence shaded. All rows share one axis, so they can be compared by eye.
 */
export function forestPlot(rows: readonly ForestRow[]): Markup {
  const [low, high] = forestBounds(rows.map((row) => row.comparison));
  const position = (gain: number) =>
    fixed((Math.log(Math.min(high, Math.max(low, gain)) / low) / Math.log(high / low)) * 100);
  const margin = rows[0]?.comparison.equivalenceMargin ?? 0;
  const band = [position(1 - margin), position(1 + margin)] as const;
  const ticks = forestTicks(low, high);
  const axis = html`<div class="forest-axis">
    <span></span>
    <div class="track">
      ${ticks.map((tick) => html`<span class="tick" style="left:${position(tick)}%">${String(tick)}×</span>`)}
    </div>
    <span class="quiet">speed-up (interval)</span>
  </div>`;
  return html`<div class="forest" role="table" aria-label="Speed-ups with their confidence intervals">
    ${axis}
    ${rows.map((row) => {
      const { comparison } = row;
      const gain = 1 / comparison.ratio;
      const interval = comparison.interval;
      return html`<div
        class="forest-row v-${comparison.verdict}${row.nested === true ? ' nested' : ''}${row.muted === true ? ' muted' : ''}"
        role="row"
      >
        <div class="forest-label" role="cell">
          ${row.label}${row.detail === undefined ? '' : html`<small>${row.detail}</small>`}
        </div>
        <div class="track" role="cell" title="${formatGain(comparison)}">
          <i class="band" style="left:${band[0]}%;width:${fixed(Math.max(0.3, band[1] - band[0]))}%"></i>
          <i class="one" style="left:${position(1)}%"></i>
          ${interval !== null && html`<i class="interval" style="left:${position(1 / interval[1])}%;width:${fixed(position(1 / interval[0]) - position(1 / interval[1]))}%"></i>`}
          <i class="point${interval === null ? ' open' : ''}" style="left:${position(gain)}%"></i>
        </div>
        <div class="forest-value" role="cell">
          <b>${formatGain(comparison)}</b><small>${comparison.verdict}, ${replicatesOf(comparison)}</small>
        </div>
      </div>`;
    })}
  </div>`;
}

function replicatesOf({ form, processes }: Comparison): string {
  const [one, many] =
    form === 'fresh-processes' || form === 'commands' ? ['process', 'processes'] : ['block', 'blocks'];
  return `${processes} ${processes === 1 ? one : many}`;
}

function forestBounds(comparisons: readonly Comparison[]): readonly [low: number, high: number] {
  let low = 0.95;
  let high = 1.05;
  for (const { ratio, interval } of comparisons) {
    const [least, greatest] = interval ?? [ratio, ratio];
    if (greatest > 0) low = Math.min(low, 1 / greatest);
    if (least > 0) high = Math.max(high, 1 / least);
  }
  // An axis over more than three decades shows nothing but the outlier.
  low = Math.max(low, 1e-3);
  high = Math.min(high, 1e3);
  return [low / 1.06, high * 1.06];
}

function forestTicks(low: number, high: number): number[] {
  const wide = high / low;
  const candidates =
    wide > 60
      ? [0.001, 0.01, 0.1, 1, 10, 100, 1000]
      : wide > 8
        ? [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
        : wide > 2
          ? [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6]
          : [0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5];
  return candidates.filter((tick) => tick >= low && tick <= high);
}
