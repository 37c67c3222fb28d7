import { describe, expect, it } from 'vitest';
import { axisBounds, lineChart, seriesOf, thin } from '../../../dist/report/time-line.js';

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

  it('are named once, by the drawing', () => {
    const points = [
      [0, 5],
      [1, 6],
    ] as const;
    const { text } = lineChart({ name: 'x', unit: 'count', points });
    expect(text.match(/aria-label="[^"]*"/g)).toEqual([expect.stringContaining('x: mean 5.5')]);
    expect(text).toMatch(/<svg [^>]*aria-label/);
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
