/**
 * Time lines and intervals, drawn as SVG.
 *
 * Rejected: uPlot, which draws on a canvas by a script: 51 KB in every report, blank on paper, in a mail and where scripts are
 * off. These are a few hundred points; a path of them is a kilobyte, and the page's own script only adds a reading
 * under the pointer.
 */
import type { Comparison } from '../model/comparison.js';
import type { TimelinePoint, Unit } from '../model/metric.js';
import { formatGain, formatValue } from './format.js';
import { html, trusted, type Insertable, type Markup } from './markup.js';

/** One metric over time. `points` are `[milliseconds, value]` in ascending order. */
export interface Series {
  readonly name: string;
  readonly unit: Unit | '';
  readonly points: readonly (readonly [atMs: number, value: number])[];
}

/** Splits a run's time line into one series a metric, and leaves those out that have fewer than two points. */
export function seriesOf(
  timeline: readonly TimelinePoint[],
  unitOf: (metric: string) => Unit | '',
): Series[] {
  const byName = new Map<string, [number, number][]>();
  for (const point of timeline) {
    for (const [name, value] of Object.entries(point.values)) {
      if (!Number.isFinite(value)) continue;
      const points = byName.get(name);
      if (points === undefined) byName.set(name, [[point.atMs, value]]);
      else points.push([point.atMs, value]);
    }
  }
  return [...byName]
    .filter(([, points]) => points.length >= 2)
    .map(([name, points]) => ({ name, unit: unitOf(name), points }));
}

const MAX_POINTS = 240;

/**
 * Thins a series for drawing: each bucket keeps its least and its greatest point, so that no spike is lost.
 */
export function thin(points: Series['points'], maxPoints = MAX_POINTS): Series['points'] {
  if (points.length <= maxPoints) return points;
  const buckets = Math.max(1, Math.floor(maxPoints / 2));
  const kept: (readonly [number, number])[] = [];
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const from = Math.floor((bucket * points.length) / buckets);
    const to = Math.floor(((bucket + 1) * points.length) / buckets);
    let least = points[from];
    let greatest = points[from];
    for (let index = from; index < to; index += 1) {
      const point = points[index];
      if (point === undefined || least === undefined || greatest === undefined) continue;
      if (point[1] < least[1]) least = point;
      if (point[1] > greatest[1]) greatest = point;
    }
    if (least === undefined || greatest === undefined) continue;
    if (least === greatest) kept.push(least);
    else kept.push(...(least[0] < greatest[0] ? [least, greatest] : [greatest, least]));
  }
  return kept;
}

/** Bounds of a vertical axis: from zero, unless all values lie in a narrow band far from it. */
export function axisBounds(values: readonly number[], unit: Unit | ''): readonly [low: number, high: number] {
  const least = Math.min(...values);
  const greatest = Math.max(...values);
  if (unit === 'ratio' && least >= 0 && greatest <= 1) return [0, greatest > 0.5 ? 1 : niceCeiling(greatest)];
  if (least >= 0 && least <= greatest * 0.6) return [0, niceCeiling(greatest)];
  const margin = Math.max((greatest - least) * 0.15, Math.abs(greatest) * 0.005, 1e-9);
  return [least - margin, greatest + margin];
}

function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const step =
    [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((candidate) => candidate * magnitude >= value * 0.9999) ?? 10;
  return step * magnitude;
}

/** A small line chart: the drawing stretches with the page, its labels are text beside it. */
export function lineChart(series: Series): Markup {
  const points = thin(series.points);
  const values = points.map(([, value]) => value);
  const [low, high] = axisBounds(values, series.unit);
  const start = points[0]?.[0] ?? 0;
  const end = points[points.length - 1]?.[0] ?? 1;
  const x = (at: number) => fixed(((at - start) / Math.max(1e-9, end - start)) * 100);
  const y = (value: number) => fixed(100 - ((value - low) / (high - low)) * 100);
  const line = points.map(([at, value], index) => `${index === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('');
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const show = (value: number) => formatValue(value, series.unit);
  const description = `${series.name}: mean ${show(mean)}, from ${show(Math.min(...values))} to ${show(Math.max(...values))} over ${formatValue(end - start, 'ms')}`;
  return html`<figure
    class="chart"
    data-points="${JSON.stringify(points.map(([at, value]) => [x(at), y(value), show(value), formatValue(at, 'ms')]))}"
  >
    <figcaption><code>${series.name}</code><b>${show(mean)}</b><span class="quiet">mean</span></figcaption>
    <div class="plot">
      <span class="y-high">${show(high)}</span><span class="y-low">${show(low)}</span>
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${description}">
        <path class="grid" d="M0 0H100M0 50H100M0 100H100" />
        <path class="area" d="${trusted(`${line}L100 100L0 100Z`)}" />
        <path class="line" d="${trusted(line)}" />
      </svg>
    </div>
    <div class="x-axis"><span>${formatValue(start, 'ms')}</span><span>${formatValue(end, 'ms')}</span></div>
  </figure>`;
}

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

function fixed(value: number): number {
  return Number(value.toFixed(2));
}
