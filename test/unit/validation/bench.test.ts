import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { compareRuns, formatBench } from '../../../dist/validation/bench-table.js';
import { runBench, type BenchReport } from '../../../dist/validation/bench.js';

const file = fileURLToPath(new URL('../../fixtures/validation/sums.cases.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const written = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('runBench', () => {
  it('compares every variant with the baseline and goes on after one that fails', async () => {
    const seen: string[] = [];
    const report = await runBench([file], {
      maxProcesses: 10,
      onResult: ({ variant }) => seen.push(variant),
    });
    expect(seen).toEqual(['eight times', 'wrong', 'b']);
    const [slow, wrong, other] = report.results;
    expect(slow).toMatchObject({ case: 'sum of 4,000 numbers', baseline: 'once', variant: 'eight times' });
    expect(slow!.comparison!.ratio).toBeGreaterThan(3);
    expect(wrong).toMatchObject({ comparison: null, error: { code: 'SUBJECTS_DISAGREE' } });
    expect(other!.comparison).not.toBeNull();
    expect(report.environment.host.id).toBeTruthy();

    const table = formatBench(report);
    expect(table).toContain('### sum of 4,000 numbers');
    expect(table).toMatch(/\| eight times +\|.*×.*\| +(slower|inconclusive) \|/);
    expect(table).toContain('failed: SUBJECTS_DISAGREE');
  });

  it('runs only cases that match the filter', async () => {
    const report = await runBench([file], { filter: 'OTHER', maxProcesses: 4 });
    expect(report.results.map((result) => result.case)).toEqual(['other']);
    await expect(runBench([file], { filter: 'nothing' })).rejects.toThrow(/"sum of 4,000 numbers", "other"/);
  });

  it('stops when it is aborted', async () => {
    await expect(runBench([file], { signal: AbortSignal.timeout(300) })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it.each([
    ['a missing file', () => join(folder, 'gone.js'), /no such file/],
    ['a file with an error', () => written('broken.mjs', 'throw new Error("boom")'), /Error: boom/],
    ['a file without a case', () => written('empty.mjs', ''), /default export of case 0/],
    ['a case without a name', () => written('a.mjs', 'export default { variants: {} }'), /^name of case 0/],
    [
      'a single variant',
      () => written('b.mjs', 'export default { name: "n", variants: { a() {} } }'),
      /two or more/,
    ],
    [
      'a baseline that is none',
      () => written('c.mjs', 'export default { name: "n", baseline: "x", variants: { a() {}, b() {} } }'),
      /one of a, b/,
    ],
    [
      'a variant that is none',
      () => written('d.mjs', 'export default { name: "n", variants: { a() {}, b: 1 } }'),
      /variants\.b/,
    ],
  ])('names %s before anything runs', async (_, path, message) => {
    await expect(runBench([path()])).rejects.toThrow(message);
  });
});

describe('compareRuns', () => {
  const runWith = (ratio: number, hostId = 'a') =>
    ({
      environment: { host: { id: hostId } },
      results: [
        {
          case: 'c',
          baseline: 'b',
          variant: 'v',
          comparison: { ratio, interval: [ratio * 0.99, ratio * 1.01], equivalenceMargin: 0.01 },
        },
      ],
    }) as unknown as BenchReport;

  it('compares ratios and carries both errors', () => {
    const { sameHost, changes } = compareRuns(runWith(0.5), runWith(0.6));
    expect(sameHost).toBe(true);
    expect(changes[0]).toMatchObject({ case: 'c', variant: 'v', verdict: 'slower' });
    expect(changes[0]!.ratio).toBeCloseTo(1.2, 10);
    const width = Math.log(changes[0]!.interval![1] / changes[0]!.interval![0]) / 2;
    expect(width).toBeCloseTo(0.01 * Math.SQRT2, 4);
  });

  it('claims nothing within the errors, and tells another host', () => {
    const { sameHost, changes } = compareRuns(runWith(0.5), runWith(0.505, 'b'));
    expect(sameHost).toBe(false);
    expect(changes[0]!.verdict).toBe('inconclusive');
  });
});
