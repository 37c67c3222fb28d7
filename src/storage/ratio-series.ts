/**
 * Ratios against a pinned baseline, run after run: the memory of a benchmark. One point a line; one file may hold
 * the series of many cases and machines.
 *
 * A ratio depends on the processor and on V8, so each kind of machine and each major version of Node has series of
 * its own: a new runner is not a regression.
 */
import { findChangePoints, type ChangePoint, type ChangePointOptions } from '../validation/change-points.js';
import type { BenchReport } from '../validation/bench.js';
import { appendJsonLines, readJsonLines } from './json-lines.js';

export interface RatioPoint {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly case: string;
  readonly baseline: string;
  readonly variant: string;
  /** Kind of machine: processor, architecture, major version of Node. */
  readonly machine: string;
  /** The variant's cost over its baseline's; below 1 is better. */
  readonly ratio: number;
  readonly interval: readonly [low: number, high: number] | null;
  readonly processes: number;
}

/** The points of one variant of one case on one kind of machine, oldest first. */
export interface RatioSeries {
  readonly case: string;
  readonly baseline: string;
  readonly variant: string;
  readonly machine: string;
  readonly points: readonly RatioPoint[];
}

export interface SeriesChange extends ChangePoint {
  readonly series: RatioSeries;
  /** The first point after the change. */
  readonly point: RatioPoint;
  /** How many points there are from the change to now. */
  readonly pointsSince: number;
}

export interface SeriesChangeOptions extends ChangePointOptions {
  /** Looks at so many of the newest points of each series. 300 by default. */
  readonly newestPoints?: number;
  /** Leaves steps out that are smaller than this share. 0.02 by default. */
  readonly minimumStep?: number;
}

/** A step that began among so many of the newest points is news; an older one is the level one lives with. */
export const NEWS_POINTS = 12;

/**
 * Probability of a false change in one look at one series. Series are looked at with every new point, so it has to
 * be far below 5 % for an alarm to mean something; much less would need more points than three to see a step.
 */
const SIGNIFICANCE = 0.01;

/** The points of a run: one for each variant that could be compared. */
export function ratioPointsOf(report: BenchReport): RatioPoint[] {
  const { host, node } = report.environment;
  const major = parseInt(node.replace('v', ''), 10);
  const machine = `${host.cpuModel}, ${host.arch}, Node ${major}`;
  return report.results.flatMap(({ case: name, baseline, variant, comparison }) => {
    if (comparison === null) return [];
    const { ratio, interval, processes } = comparison;
    return [{ at: report.createdAt, case: name, baseline, variant, machine, ratio, interval, processes }];
  });
}

/**
 * Appends points to a file, which is made where there is none.
 * @throws STORAGE_NOT_WRITABLE, STORAGE_NOT_A_DIRECTORY
 * @example
 * const report = await runBench(['sum.bench.js']);
 * await appendRatios('ratios.ndjson', ratioPointsOf(report));
 * const { series } = await readRatios('ratios.ndjson');
 * for (const { series: { variant }, ratio, point } of findSeriesChanges(series))
 *   console.log(`${variant} became ${ratio} times as slow on ${point.at}`);
 */
export async function appendRatios(path: string, points: readonly RatioPoint[]): Promise<void> {
  await appendJsonLines(path, points);
}

/** Every series of a file. What cannot be read is told in `problems`, one sentence for each line. */
export async function readRatios(path: string): Promise<{ series: RatioSeries[]; problems: string[] }> {
  const { values, problems } = await readJsonLines<RatioPoint>(path, 'point of a ratio series', isPoint);
  const byKey = new Map<string, RatioSeries & { points: RatioPoint[] }>();
  for (const point of values) {
    const { case: name, baseline, variant, machine } = point;
    const key = JSON.stringify([name, baseline, variant, machine]);
    let series = byKey.get(key);
    if (series === undefined)
      byKey.set(key, (series = { case: name, baseline, variant, machine, points: [] }));
    series.points.push(point);
  }
  return { series: [...byKey.values()], problems };
}

function isPoint(point: Partial<RatioPoint>): boolean {
  const texts = [point.at, point.case, point.baseline, point.variant, point.machine];
  return texts.every((text) => typeof text === 'string') && Number.isFinite(point.ratio) && point.ratio! > 0;
}

/**
 * Changes of level in some series, by `findChangePoints`.
 * @throws INVALID_ARGUMENT for options out of range.
 */
export function findSeriesChanges(
  series: readonly RatioSeries[],
  options: SeriesChangeOptions = {},
): SeriesChange[] {
  const { newestPoints = 300, minimumStep = 0.02, significance = SIGNIFICANCE, minSegment = 3 } = options;
  return series.flatMap((one) => {
    const points = one.points.slice(-newestPoints);
    const ratios = points.map(({ ratio }) => ratio);
    return findChangePoints(ratios, { significance, minSegment })
      .filter(({ ratio }) => Math.abs(ratio - 1) >= minimumStep)
      .map((change) => ({
        ...change,
        series: one,
        point: points[change.index]!,
        pointsSince: points.length - change.index,
      }));
  });
}
