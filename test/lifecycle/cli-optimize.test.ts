import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../dist/index.js';
import { fixture, freePort, runCli, scratch, startCli } from '../fixtures/cli/run-cli.js';

function configOf(storage: string): any {
  return JSON.parse(readFileSync(join(storage, 'config.json'), 'utf8'));
}

describe('sysopt optimize', () => {
  it('measures a computation, puts the winner in force and stores the proof', async () => {
    using folder = scratch();
    const { code, json, stdout } = await runCli([
      'optimize',
      '--json',
      '--subjects',
      fixture('subjects.js'),
      '--budget',
      '25',
      '--require-gain',
      '--storage',
      folder.path,
    ]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(json.errors).toEqual([]);
    expect(json.profiles).toHaveLength(1);
    const [profile] = json.profiles;
    expect(profile.subject).toEqual({ kind: 'computation', name: 'sum' });
    expect(profile.status).toBe('applied');
    expect(profile.validation.ratio).toBeLessThan(0.5);
    expect(code).toBe(0);
    expect(configOf(folder.path).subjects['computation:sum'].choice.bySize.at(-1).variant).toBe('closedForm');

    const again = await runCli([
      'optimize',
      '--json',
      '--recommendation',
      profile.id,
      '--storage',
      folder.path,
    ]);
    expect(again.code).toBe(0);
    expect(again.json.profiles[0].id).toBe(profile.id);
  });

  it('goes on after a subject that cannot be measured, and exits with 3', async () => {
    using folder = scratch();
    const { code, json } = await runCli([
      'optimize',
      '--json',
      '--subjects',
      fixture('subjects-registered.js'),
      '--budget',
      '40',
      '--storage',
      folder.path,
    ]);
    const sum = json.profiles.find((profile: any) => profile.subject.name === 'sum');
    expect(sum.status).toBe('applied');
    const broken = json.profiles.find((profile: any) => profile.subject.name === 'broken');
    expect(broken.status).toBe('failed');
    expect(broken.warnings.join(' ')).toContain('another result');
    expect(code).toBe(3);
    expect(configOf(folder.path).subjects).not.toHaveProperty('computation:broken');
  });

  it('has nothing to offer for a computation that is not there', async () => {
    using folder = scratch();
    const { code, json } = await runCli([
      'optimize',
      '--json',
      '--type',
      'computation',
      '--storage',
      folder.path,
    ]);
    expect(code).toBe(2);
    expect(json.error.hint).toContain('--subjects');
  });

  it('measures reference records without subjects, and calls them no gain', async () => {
    using folder = scratch();
    const { code, json } = await runCli([
      'optimize',
      '--json',
      '--budget',
      '15',
      '--require-gain',
      '--storage',
      folder.path,
    ]);
    expect(json.profiles[0].subject.kind).toBe('reference');
    expect(code).toBe(1);
    const stats = await runCli(['stats', '--json', '--storage', folder.path]);
    expect(stats.json.stats.referenceRuns).toBe(1);
    expect(stats.json.stats.gains.count).toBe(0);
  });

  it('refuses a recommendation that is not stored', async () => {
    using folder = scratch();
    const { code, json } = await runCli([
      'optimize',
      '--json',
      '--recommendation',
      'recommendation-01890f3e-0000',
      '--storage',
      folder.path,
    ]);
    expect(code).toBe(2);
    expect(json.error.code).toBe('UNKNOWN_ID');
  });

  it('carries a recommendation out within its budget', async () => {
    using folder = scratch();
    const subjects = join(folder.path, 'slow.mjs');
    const index = new URL('../../dist/index.js', import.meta.url).href;
    // A call of size 10 takes 1 s: within 60 s it is made, within 2 s it is not.
    writeFileSync(
      subjects,
      `import { computation } from ${JSON.stringify(index)};
      const wait = (n) => { const end = performance.now() + 100 * n; while (performance.now() < end); return n; };
      export const slow = computation({
        name: 'slow', variants: { wait, again: (n) => wait(n) }, inputs: (n) => n, sizes: [1, 10],
      });`,
    );
    const storage = join(folder.path, 'store');
    const store = openStore(storage);
    await store.saveRecommendation({
      schemaVersion: 1,
      id: 'recommendation-01890f3e-0002',
      createdAt: '2026-03-02T09:14:15.000Z',
      resultId: 'cpu-01890f3e-7c2a-7b10-9d3e-1f2a3b4c5d6e',
      cause: 'sync-cpu',
      severity: 'high',
      confidence: 1,
      title: 'slow takes long',
      evidence: [],
      action: { kind: 'optimize-computation', subject: 'slow' },
    });
    await store.close();
    const call = [
      '--recommendation',
      'recommendation-01890f3e-0002',
      '--subjects',
      subjects,
      '--budget',
      '2',
    ];
    const { json } = await runCli(['optimize', '--json', ...call, '--storage', storage]);
    expect(json.profiles[0].warnings.join()).toMatch(/Sizes from 10 on are left out: one call of "wait"/);
  });

  it.each([
    [['--url', 'http://127.0.0.1:1/'], /--url has no use here/],
    [['--load', 'mix.json'], /--load has no use here/],
  ])('refuses %j where no service is started', async (options, message) => {
    const { code, json } = await runCli(['optimize', '--json', ...options]);
    expect(json.error).toMatchObject({ code: 'USAGE', message: expect.stringMatching(message) });
    expect(code).toBe(2);
  });

  it.each([
    ['flag', '--try-flag', '--stack-trace-limit=11'],
    ['variable', '--try-env', 'SYSOPT_TEST=1'],
  ] as const)('tries a %s on a service under load and stores the comparison', async (kind, option, text) => {
    using folder = scratch();
    const port = await freePort();
    const { code, json } = await runCli([
      'optimize',
      '--json',
      option,
      text,
      '--budget',
      '8',
      '--storage',
      folder.path,
      '--url',
      `http://127.0.0.1:${port}/`,
      '--',
      process.execPath,
      fixture('service.js'),
      String(port),
    ]);
    expect(code).toBe(0);
    const [profile] = json.profiles;
    expect(profile.plan).toMatchObject(
      kind === 'flag' ? { flag: text } : { variable: 'SYSOPT_TEST', value: '1' },
    );
    expect(profile.validation.form).toBe('service');
    // It does nothing, so it can hardly win; if it did, it is recorded, else it is not.
    const recorded =
      kind === 'flag'
        ? (json.config?.runtimeFlags ?? [])
        : Object.entries(json.config?.environment ?? {}).map((entry) => entry.join('='));
    expect(recorded).toEqual(profile.status === 'applied' ? [text] : []);
    expect(readdirSync(join(folder.path, 'profiles'))).toEqual([`${profile.id}.json`]);
  });

  it('leaves a consistent store when it is interrupted', async () => {
    using folder = scratch();
    const storage = join(folder.path, 'store');
    const cli = startCli(['optimize', '--json', '--subjects', fixture('subjects.js'), '--storage', storage]);
    await cli.saw('Optimising computation sum');
    cli.kill('SIGINT');
    const { code, json } = await cli.ended;
    expect(code).toBe(130);
    expect(json.error.code).toBe('INTERRUPTED');
    expect(existsSync(join(storage, 'config.json'))).toBe(false);
    const stats = await runCli(['stats', '--json', '--storage', storage]);
    expect(stats.code).toBe(0);
    expect(stats.json.stats.total).toBe(0);
  });
});
