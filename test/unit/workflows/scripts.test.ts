/** The CI scripts as child processes, on a small order book and with little time. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import cases from '../../../scripts/ci-watches.js';

const root = resolve(import.meta.dirname, '../../..');
const scratch = mkdtempSync(join(tmpdir(), 'sysopt-ci-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function script(name: string, ...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(root, 'scripts', name), ...args], {
    cwd: root,
    env: { ...process.env, ORDERS_COUNT: '2000' },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((settle, reject) => {
    child.once('error', reject);
    child.once('close', (code) => settle({ code, stdout, stderr }));
  });
}

const read = (...path: string[]) => readFileSync(join(scratch, ...path), 'utf8');

describe('ci-optimization.js', () => {
  const [storage, out] = [join(scratch, 'optimization/store'), join(scratch, 'optimization/out')];

  it('profiles, optimises and reports', { timeout: 300_000 }, async () => {
    const folders = ['--storage', storage, '--out', out];
    const { code, stderr } = await script(
      'ci-optimization.js',
      ...folders,
      '--duration',
      '1',
      '--budget',
      '6',
    );
    expect(code, stderr).toBe(0);
    expect(read('optimization/out/report.html')).toContain('<html');
    const summary = read('optimization/out/summary.md');
    expect(summary).toContain('CPU profile of');
    expect(summary).toContain('Memory profile of');
    expect(summary).toContain('top-customers');
    const stats = JSON.parse(read('optimization/out/stats.json'));
    expect(stats.total).toBeGreaterThanOrEqual(3);
    expect(existsSync(join(storage, 'index.json'))).toBe(true);
  });

  it('says which steps failed, in the log and in the summary, and with 1', { timeout: 120_000 }, async () => {
    const [broken, elsewhere] = [join(scratch, 'broken'), join(scratch, 'broken-out')];
    mkdirSync(broken);
    writeFileSync(join(broken, 'config.json'), '{ "schemaVersion": 1, "upda');
    const { code, stderr } = await script('ci-optimization.js', '--storage', broken, '--out', elsewhere);
    expect(code).toBe(1);
    const failure = 'The profile of type cpu failed with exit code 4';
    expect(stderr).toContain(failure);
    expect(read('broken-out/summary.md')).toContain(failure);
    expect(existsSync(join(elsewhere, 'stats.json'))).toBe(true);
  });

  it('refuses an output folder that is a file', async () => {
    writeFileSync(join(scratch, 'a-file'), '');
    const { code, stderr } = await script('ci-optimization.js', '--out', join(scratch, 'a-file'));
    expect(code).toBe(2);
    expect(stderr).toContain('a-file');
  });
});

describe('ci-monitoring.js', () => {
  const [SCAN, POOL, CONTROL] = cases.map(({ name }) => name) as [string, string, string];
  const [storage, out] = [join(scratch, 'monitoring/store'), join(scratch, 'monitoring/out')];
  const run = () => script('ci-monitoring.js', '--storage', storage, '--out', out, '--budget', '6');
  const series = join(storage, 'monitoring.ndjson');
  const points = (): Record<string, any>[] =>
    readFileSync(series, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('starts a series with one point for each watch', { timeout: 240_000 }, async () => {
    const { code, stderr, stdout } = await run();
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('No change for the worse');
    expect(points().map((point) => point['case'])).toEqual([SCAN, POOL, CONTROL]);
    for (const { ratio } of points()) expect(ratio).toBeGreaterThan(0);
    const { watches, stats } = JSON.parse(read('monitoring/out/monitoring.json'));
    expect(watches.map(({ points: count }: { points: number }) => count)).toEqual([1, 1, 1]);
    expect(stats.total).toBe(0);
    expect(read('monitoring/out/monitoring.md')).toContain(`| ${SCAN} |`);
  });

  it('fails where a ratio became worse, and not where one became better', { timeout: 240_000 }, async () => {
    const lines = points().flatMap((point) => {
      const factor = { [SCAN]: 1 / 3, [POOL]: 3 }[point['case'] as string] ?? 1;
      const past = Array.from({ length: 24 }, (_, i) => ({
        ...point,
        ratio: point['ratio'] * (i < 20 ? factor : 1) * (1 + 0.002 * (i % 5)),
      }));
      return past.map((value) => JSON.stringify(value));
    });
    // A run that was killed left half a line.
    writeFileSync(series, `${lines.join('\n')}\n{"case":"${CONTROL}","rat`);
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toContain(`${SCAN}: struct cursor became`);
    expect(stderr).toMatch(/ slower against plain objects, 5 points ago/);
    expect(stderr).not.toContain(POOL);
    const summary = read('monitoring/out/monitoring.md');
    expect(summary).toContain(`**${SCAN}: struct cursor became`);
    expect(summary).toMatch(new RegExp(`\\| ${POOL} \\|.*× 0\\.\\d`));
    const { watches } = JSON.parse(read('monitoring/out/monitoring.json'));
    expect(watches[2]).toMatchObject({ watch: CONTROL, points: 25, change: null });
    expect(readFileSync(series, 'utf8').split('\n')).toHaveLength(24 * 3 + 1 + 3 + 1);
  });

  it('refuses a time that is none', async () => {
    const { code, stderr } = await script('ci-monitoring.js', '--storage', storage, '--budget', 'soon');
    expect(code).toBe(2);
    expect(stderr).toContain('--budget takes a number of seconds');
  });
});
