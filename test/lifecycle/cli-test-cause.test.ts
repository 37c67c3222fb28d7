import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore, type Recommendation } from '../../dist/index.js';
import { runCli, scratch } from '../fixtures/cli/run-cli.js';

/** The cause costs forty times the work, which no noise can turn; with the same result. */
const MODULE = `
const table = Float64Array.from({ length: 2_000 }, (_, i) => i % 17);
export function total({ order }) {
  let sum = 0;
  for (let round = 0; round < (order === 'as-is' ? 40 : 1); round += 1) {
    sum = 0;
    for (let i = 0; i < table.length; i += 1) sum += table[i];
  }
  return sum;
}
export function parted(parts, { order }) {
  if (parts !== 4) throw new Error('no parts');
  return () => total({ order });
}
export function wrong({ order }) {
  return order;
}
`;
const CAUSE = 'cache-unfriendly-access';
const QUICK = ['--max-processes', '6', '--budget', '30'];

function proposal(changes: Partial<Recommendation> = {}): Recommendation {
  return {
    schemaVersion: 1,
    id: 'recommendation-01890f3e-0001',
    createdAt: '2026-03-02T09:14:15.000Z',
    resultId: 'cpu-01890f3e-7c2a-7b10-9d3e-1f2a3b4c5d6e',
    cause: CAUSE,
    severity: 'info',
    confidence: 0,
    title: 'Measure whether the order of its accesses costs total (/app/table.js:4) time',
    evidence: [],
    location: { function: 'total', file: '/app/table.js', line: 4 },
    action: { kind: 'experiment', cause: CAUSE, rationale: 'Open.', export: 'total', template: MODULE },
    ...changes,
  };
}

async function stored(storage: string, recommendation: Recommendation): Promise<void> {
  const store = openStore(storage);
  await store.saveRecommendation(recommendation);
  await store.close();
}

describe('sysopt test-cause', () => {
  it('finds a cause and its place, and fails the gate that was asked for', async () => {
    using folder = scratch();
    const module = join(folder.path, 'table.mjs');
    writeFileSync(module, MODULE);
    const args = ['test-cause', CAUSE, '--module', module, '--export', 'total', ...QUICK];
    const { code, json } = await runCli([...args, '--json', '--fail-on-found']);
    expect(json).toMatchObject({
      cause: CAUSE,
      status: 'cause_found',
      finding: { cause: CAUSE, location: { function: 'total', file: module, line: 3 } },
      comparison: { verdict: 'faster' },
    });
    expect(json.comparison.ratio).toBeLessThan(0.5);
    expect(code).toBe(1);

    const text = await runCli(args);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain(`${CAUSE}: cause found`);
    expect(text.stdout).toContain('#false-sharing-and-cache-unfriendly-access');
  });

  it('runs the experiment of a recommendation and stores what it came to', async () => {
    using folder = scratch();
    const storage = join(folder.path, 'store');
    const { action } = proposal();
    await stored(storage, proposal({ action: { ...action, export: 'parted' } as Recommendation['action'] }));
    const about = ['test-cause', '--recommendation', proposal().id, '--storage', storage];
    const printed = await runCli([...about, '--template']);
    expect(printed).toMatchObject({ code: 0, stdout: `${MODULE.trimEnd()}\n` });
    const renamed = await runCli([...about, '--template', '--export', 'inParts$']);
    const expected = MODULE.replace('function parted(', 'function inParts$$(');
    expect(renamed).toMatchObject({ code: 0, stdout: `${expected.trimEnd()}\n` });

    const module = join(folder.path, 'experiment.mjs');
    writeFileSync(module, printed.stdout);
    // The name of its function is the recommendation's, which the template has too.
    const run = ['--module', module, '--factory', '--args', '[4]', ...QUICK];
    const { code, json } = await runCli([...about, ...run, '--json']);
    expect(code).toBe(0);
    expect(json.status).toBe('cause_found');
    const { outcome } = await openStore(storage).getRecommendation(proposal().id);
    expect(outcome).toMatchObject({
      status: 'cause_found',
      comparisonId: json.comparisonId,
      ratio: json.comparison.ratio,
    });
    expect(readdirSync(join(storage, 'comparisons'))).toEqual([`${json.comparisonId}.json`]);
    expect((await openStore(storage).getComparison(json.comparisonId)).changedBy).toBe('person');

    // Nothing was put in force, so nothing was gained.
    const stats = await runCli(['stats', '--json', '--storage', storage]);
    expect(stats.json.stats.gains.count).toBe(0);
  });

  it('prints a module to begin with that runs', async () => {
    using folder = scratch();
    const { code, stdout, json } = await runCli([
      'test-cause',
      CAUSE,
      '--template',
      '--export',
      'mine',
      '--json',
    ]);
    expect({ code, lines: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 1 });
    expect(json.template).toContain('export function mine({ order })');
    const module = join(folder.path, 'mine.mjs');
    writeFileSync(module, json.template);
    const run = [
      '--module',
      module,
      '--export',
      'mine',
      '--factory',
      '--max-processes',
      '4',
      '--budget',
      '30',
    ];
    const outcome = await runCli(['test-cause', CAUSE, ...run, '--json']);
    expect(outcome.code).toBe(0);
    expect(['cause_found', 'ruled_out', 'inconclusive']).toContain(outcome.json.status);
  });

  it.each([
    ['no cause', [], 2, 'USAGE', 'false-sharing'],
    ['a cause without an experiment', ['heap-leak'], 2, 'USAGE', 'cache-unfriendly-access'],
    ['a misspelt cause', ['false-shearing'], 2, 'USAGE', 'Did you mean false-sharing?'],
    ['no module', [CAUSE], 2, 'USAGE', '--template > experiment.mjs'],
    ['a module that is not there', [CAUSE, '--module', 'none.mjs'], 2, 'USAGE', '--module'],
    ['arguments that are no list', [CAUSE, '--args', '{}'], 2, 'USAGE', 'JSON list'],
    [
      'an id that is not stored',
      ['-r', 'recommendation-01890f3e-0009', '--template'],
      2,
      'UNKNOWN_ID',
      'sysopt stats',
    ],
  ])('refuses %s', async (_what, args, code, error, hint) => {
    using folder = scratch();
    const { code: ended, json } = await runCli(['test-cause', ...args, '--json', '--storage', folder.path]);
    expect({ ended, code: json.error.code }).toEqual({ ended: code, code: error });
    expect(`${json.error.message} ${json.error.hint}`).toContain(hint);
  });

  it('refuses recommendations of other kinds and causes', async () => {
    using folder = scratch();
    const flag = { kind: 'runtime-flag', flag: '--max-semi-space-size=64' } as const;
    await stored(folder.path, proposal({ id: 'recommendation-01890f3e-0002', action: flag }));
    await stored(folder.path, proposal());
    const run = (...args: string[]) =>
      runCli(['test-cause', ...args, '--template', '--json', '--storage', folder.path]);
    const other = await run('--recommendation', 'recommendation-01890f3e-0002');
    expect(other).toMatchObject({ code: 2, json: { error: { code: 'USAGE' } } });
    expect(other.json.error.message).toContain('proposes no experiment');
    const cause = await run('false-sharing', '--recommendation', proposal().id);
    expect(cause.json.error.message).toContain(`is about ${CAUSE}, not false-sharing`);
    const optimize = await runCli(['optimize', '-r', proposal().id, '--json', '--storage', folder.path]);
    expect(optimize).toMatchObject({ code: 2, json: { error: { code: 'USAGE' } } });
    expect(optimize.json.error.hint).toContain(`sysopt test-cause --recommendation ${proposal().id}`);
  });

  it.each([
    ['no such export', 'none'],
    ['results that differ', 'wrong'],
  ])('ends with 3 for a module with %s', async (_what, name) => {
    using folder = scratch();
    const module = join(folder.path, 'table.mjs');
    writeFileSync(module, MODULE);
    const { code, json } = await runCli([
      'test-cause',
      CAUSE,
      '--module',
      module,
      '--export',
      name,
      '--json',
    ]);
    expect({ code, hasError: json.error !== undefined }).toEqual({ code: 3, hasError: true });
  });
});
