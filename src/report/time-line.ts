/**
 * Time lines: each metric as a small SVG, which is what paper, mails and browsers without scripts show, and the same
 * points for the page's script, which puts a chart of uPlot's in its place.
 */
import type { TimelinePoint, Unit } from '../model/metric.js';
import { fixed, formatValue } from './format.js';
import { embeddedJson, html, trusted, type Markup } from './markup.js';

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

/** Of the drawing, which is no wider than a few hundred pixels. */
const DRAWN_POINTS = 240;
/** Of what can be zoomed into. */
const KEPT_POINTS = 1_000;

/**
 * Thins a series for drawing: each bucket keeps its least and its greatest point, so that no spike is lost.
 */
export function thin(points: Series['points'], maxPoints = DRAWN_POINTS): Series['points'] {
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

/** The charts of one run: the script zooms them together. */
export function timeLines(series: readonly Series[]): Markup {
  return html`<div class="charts time-lines">${series.map(lineChart)}</div>`;
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
  const kept = thin(series.points, KEPT_POINTS);
  return html`<figure class="chart">
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
    ${embeddedJson('series', { unit: series.unit, bounds: [low, high], at: kept.map(([at]) => short(at)), values: kept.map(([, value]) => short(value)) })}
  </figure>`;
}

/** As exact as any reading of a chart is. */
function short(value: number): number {
  return Number(value.toPrecision(6));
}
