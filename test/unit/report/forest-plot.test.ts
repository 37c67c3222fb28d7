import { describe, expect, it } from 'vitest';
import { forestPlot } from '../../../dist/report/forest-plot.js';
import { comparison } from './sample.js';

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
