import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, scratch } from '../fixtures/cli/run-cli.js';

/** One side does a hundred times the work: a verdict that no noise can turn. */
const CASE = `
const work = (rounds) => { let sum = 0; for (let i = 0; i < rounds; i += 1) sum += Math.sqrt(i); return sum > 0; };
export default { name: 'square roots', variants: { many: () => work(100_000), few: () => work(1_000) } };
`;

describe('sysopt bench', () => {
  it('reaches a verdict, saves the run and compares it with a later one', async () => {
    using folder = scratch();
    const file = join(folder.path, 'roots.bench.mjs');
    const saved = join(folder.path, 'run.json');
    writeFileSync(file, CASE);
    const { code, json } = await runCli(['bench', '--json', '--budget', '20', '--save', saved, file]);
    expect(code).toBe(0);
    expect(json.results).toHaveLength(1);
    expect(json.results[0].comparison.verdict).toBe('faster');
    expect(JSON.parse(readFileSync(saved, 'utf8')).results).toEqual(json.results);

    // As if the variant had been ten times as fast then.
    const earlier = JSON.parse(readFileSync(saved, 'utf8'));
    const { comparison } = earlier.results[0];
    comparison.ratio /= 10;
    comparison.interval = comparison.interval.map((bound: number) => bound / 10);
    writeFileSync(saved, JSON.stringify(earlier));
    const later = await runCli([
      'bench',
      '--json',
      '--budget',
      '20',
      '--against',
      saved,
      '--fail-on-slower',
      file,
    ]);
    expect(later.json.changes.changes[0].verdict).toBe('slower');
    expect(later.code).toBe(1);
  });

  it('appends to a series and fails where its level became worse', async () => {
    using folder = scratch();
    const file = join(folder.path, 'roots.bench.mjs');
    const series = join(folder.path, 'ratios.ndjson');
    writeFileSync(file, CASE);
    const bench = () =>
      runCli(['bench', '--json', '--budget', '20', '--series', series, '--fail-on-slower', file]);
    const first = await bench();
    expect(first.code).toBe(0);
    expect(first.json.seriesChanges).toEqual([]);

    // As if the variant had been ten times as fast until two points ago.
    const point = JSON.parse(readFileSync(series, 'utf8'));
    const past = Array.from({ length: 24 }, (_, i) => ({
      ...point,
      ratio: point.ratio * (i < 22 ? 0.1 : 1) * (1 + 0.002 * (i % 5)),
    }));
    writeFileSync(series, past.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const later = await bench();
    expect(later.code).toBe(1);
    expect(later.json.seriesChanges).toMatchObject([{ index: 22, pointsSince: 3 }]);
  });

  it.each([
    [[], 2, 'USAGE'],
    [['nowhere.bench.js'], 2, 'USAGE'],
    [['--save', '/proc/none/run.json', resolve('package.json')], 4, 'OUTPUT_NOT_WRITABLE'],
    [['--fail-on-slower', 'x.bench.js'], 2, 'USAGE'],
    [['--against', 'nowhere.json', 'x.bench.js'], 2, 'USAGE'],
    [['--against', resolve('package.json'), 'x.bench.js'], 2, 'USAGE'],
    [['--filter', 'x'], 2, 'USAGE'],
  ])('refuses %j', async (args, expected, errorCode) => {
    using folder = scratch();
    const { code, json } = await runCli(['bench', '--json', ...args], {}, folder.path);
    expect(code).toBe(expected);
    expect(json.error.code).toBe(errorCode);
  });
});
