import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  appendRatios,
  findSeriesChanges,
  readRatios,
  type RatioPoint,
} from '../../../dist/storage/ratio-series.js';
import { normals, seeded } from '../validation/random.js';
import { scratch } from './samples.js';

const point = (ratio: number, day: number, over: Partial<RatioPoint> = {}): RatioPoint => ({
  at: new Date(Date.UTC(2026, 0, 1 + day)).toISOString(),
  case: 'sum',
  baseline: 'pinned',
  variant: 'ours',
  machine: 'one',
  ratio,
  interval: null,
  processes: 6,
  ...over,
});

/** Half a percent of noise around 1, and around `step` from the point `from` on. */
const pointsWithStep = (step: number, from: number, over: Partial<RatioPoint> = {}) =>
  normals(seeded(3), 40).map((noise, i) => point((i < from ? 1 : step) * Math.exp(0.005 * noise), i, over));

it('keeps cases, variants and machines apart, in the order of their points', async () => {
  const path = join(scratch(), 'deep', 'ratios.ndjson');
  await appendRatios(path, [point(1, 0), point(2, 0, { machine: 'two' }), point(3, 0, { variant: 'other' })]);
  await appendRatios(path, [point(1.5, 1)]);
  const { series, problems } = await readRatios(path);
  expect(problems).toEqual([]);
  expect(
    series.map(({ machine, variant, points }) => [machine, variant, points.map((p) => p.ratio)]),
  ).toEqual([
    ['one', 'ours', [1, 1.5]],
    ['two', 'ours', [2]],
    ['one', 'other', [3]],
  ]);
});

it('names the first point after a change, with its interval', async () => {
  const path = join(scratch(), 'ratios.ndjson');
  await appendRatios(path, pointsWithStep(1.05, 30));
  const [change, ...others] = findSeriesChanges((await readRatios(path)).series);
  expect(others).toEqual([]);
  expect(change).toMatchObject({ index: 30, pointsSince: 10, point: { at: '2026-01-31T00:00:00.000Z' } });
  expect(change!.interval[0]).toBeGreaterThan(1.03);
  expect(change!.interval[1]).toBeLessThan(1.07);
});

it('leaves steps out that are too small to tell, and points that are too old to look at', async () => {
  const points = pointsWithStep(1.015, 30);
  const series = [{ ...point(1, 0), points }];
  expect(findSeriesChanges(series)).toEqual([]);
  expect(findSeriesChanges(series, { minimumStep: 0.01 })).toHaveLength(1);
  expect(findSeriesChanges(series, { minimumStep: 0.01, newestPoints: 10 })).toEqual([]);
});

it('skips a torn line, tells of it, and writes on', async () => {
  const path = join(scratch(), 'ratios.ndjson');
  await appendRatios(path, [point(1, 0)]);
  appendFileSync(path, '{"case":"sum","rat');
  await appendRatios(path, [point(1, 1)]);
  const { series, problems } = await readRatios(path);
  expect(series[0]!.points).toHaveLength(2);
  expect(problems).toEqual([expect.stringMatching(/line 2 was skipped, it is no point of a ratio series/)]);
  expect(readFileSync(path, 'utf8').endsWith('}\n')).toBe(true);
});

it('a file that is not there holds no series', async () => {
  expect(await readRatios(join(scratch(), 'none.ndjson'))).toEqual({ series: [], problems: [] });
});
