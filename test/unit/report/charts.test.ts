import { describe, expect, it } from 'vitest';
import { axisBounds, forestPlot, lineChart, seriesOf, thin } from '../../../dist/report/charts.js';
import { commonDirectory, formatGain, formatPlace, formatValue } from '../../../dist/report/format.js';
import { comparison } from './sample.js';

describe('time lines', () => {
  it('keep a spike of one point in ten thousand when thinned', () => {
    const points = Array.from({ length: 10_000 }, (_, i) => [i, i === 5432 ? 99 : 1] as const);
    const kept = thin(points);
    expect(kept.length).toBeLessThanOrEqual(240);
    expect(kept.some(([at, value]) => at === 5432 && value === 99)).toBe(true);
    expect(kept.every(([at], i) => i === 0 || at > kept[i - 1]![0])).toBe(true);
  });

  it('leave out figures that are not finite and series of one point', () => {
    const series = seriesOf(
      [
        { atMs: 0, values: { a: 1, b: 1 } },
        { atMs: 10, values: { a: Number.NaN, b: 2 } },
      ],
      () => 'count',
    );
    expect(series.map(({ name }) => name)).toEqual(['b']);
  });

  it('draw a flat series without dividing by its range', () => {
    const text = lineChart({
      name: 'x',
      unit: 'count',
      points: [
        [0, 5],
        [1, 5],
      ],
    }).text;
    expect(text).not.toMatch(/NaN|Infinity/);
  });

  it('draw a series of zeros', () => {
    const text = lineChart({
      name: 'x',
      unit: 'ms',
      points: [
        [0, 0],
        [1, 0],
      ],
    }).text;
    expect(text).not.toMatch(/NaN|Infinity/);
  });

  it('start at zero unless the values lie far from it', () => {
    expect(axisBounds([1, 50, 98], 'count')).toEqual([0, 100]);
    expect(axisBounds([100, 101], 'bytes')[0]).toBeGreaterThan(90);
    expect(axisBounds([0.7, 0.9], 'ratio')).toEqual([0, 1]);
  });
});

describe('the forest plot', () => {
  const positions = (text: string, kind: string) =>
    [...text.matchAll(new RegExp(`class="${kind}"\\s+style="left:\\s*([\\d.]+)%`, 'g'))].map((match) =>
      Number(match[1]),
    );

  it('puts faster to the right of the line of no difference and slower to the left', () => {
    const text = forestPlot([
      { label: 'faster', comparison: comparison({ ratio: 0.5, interval: [0.45, 0.55] }) },
      { label: 'slower', comparison: comparison({ ratio: 2, interval: [1.8, 2.2], verdict: 'slower' }) },
    ]).text;
    const [one] = positions(text, 'one');
    const [faster, slower] = positions(text, 'point');
    expect(faster!).toBeGreaterThan(one!);
    expect(slower!).toBeLessThan(one!);
    // A logarithmic axis: twice as fast lies as far from 1× as half as fast.
    expect(faster! - one!).toBeCloseTo(one! - slower!, 1);
  });

  it('keeps every interval on the axis and around its point', () => {
    const text = forestPlot([
      { label: 'x', comparison: comparison({ ratio: 0.01, interval: [0.008, 0.02] }) },
    ]).text;
    const [left] = positions(text, 'interval');
    const [point] = positions(text, 'point');
    expect(left!).toBeGreaterThanOrEqual(0);
    expect(point!).toBeGreaterThan(left!);
    expect(point!).toBeLessThanOrEqual(100);
  });

  it('draws an open point where there is no interval yet', () => {
    const text = forestPlot([{ label: 'x', comparison: comparison({ interval: null }) }]).text;
    expect(text).toContain('point open');
    expect(text).not.toContain('class="interval"');
    expect(text).toContain('no bound yet');
  });
});

describe('figures for people', () => {
  it('stand in their unit', () => {
    expect(formatValue(0.934, 'ratio')).toBe('93.4 %');
    expect(formatValue(0, 'ms')).toBe('0 ms');
    expect(formatValue(1536, 'bytes/s')).toBe('1.5 KiB/s');
    expect(formatValue(12, 'requests')).toBe('12 requests');
  });

  it('turn a ratio and its interval into a speed-up', () => {
    expect(formatGain({ ratio: 0.5, interval: [0.4, 0.8] })).toBe('2× (1.25 to 2.5)');
  });

  it('shorten places by what all files share', () => {
    const root = commonDirectory(['/srv/app/a.js', '/srv/app/lib/b.js', 'node:fs']);
    expect(formatPlace({ file: '/srv/app/lib/b.js', line: 7 }, root)).toBe('lib/b.js:7');
    expect(formatPlace({ file: 'node:fs', line: 7 }, root)).toBe('node:fs:7');
    expect(formatPlace({ file: '', line: 4 }, root)).toBe('');
    expect(commonDirectory(['/a/x.js', '/b/y.js'])).toBe('');
  });
});
