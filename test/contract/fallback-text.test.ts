import { describe, expect, it } from 'vitest';
import { findCount, lastCpu, parseCount, parseCpuList } from '../../dist/native/procfs.js';

describe('the fallback’s reading of procfs text', () => {
  it.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['0-1,4,6-7\n', [0, 1, 4, 6, 7]],
    ['', []],
  ])('takes the CPU list %j apart', (list, cpus) => {
    expect(parseCpuList(list)).toEqual(cpus);
  });

  it.each([
    ['42\n', 42],
    ['', NaN],
    ['max', NaN],
    ['-1', NaN],
    ['1 2', NaN],
    [undefined, NaN],
  ])('counts %j as %d', (text, count) => {
    expect(parseCount(text)).toBe(count);
  });

  it('matches keys whole', () => {
    const text = 'RssAnon:\t 1 kB\nRss:\t 2 kB\nnr_periods 3\n';
    expect([findCount(text, 'Rss'), findCount(text, 'nr_periods'), findCount(text, 'Anon')]).toEqual([
      2,
      3,
      NaN,
    ]);
  });

  it('finds the last CPU behind a hostile thread name', () => {
    const fields = Array.from({ length: 36 }, (_, i) => i + 4).join(' ');
    expect(lastCpu(`7 (a) R 1 (b\n) S ${fields} 40 41\n`)).toBe(39);
    expect(lastCpu('')).toBeNaN();
    expect(lastCpu(undefined)).toBeNaN();
  });
});
