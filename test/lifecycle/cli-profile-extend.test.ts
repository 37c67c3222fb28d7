/** `sysopt profile --extend`: samplers inside the program, rules in the command line. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, scratch } from '../fixtures/cli/run-cli.js';

const APP = `
globalThis.queue = new Array(140).fill('job');
setInterval(() => {}, 1000);
console.log('extended:', process.env.SYSOPT_EXTEND);
`;
const MODULE = `
let ticks = 0;
export const sampler = {
  name: 'queue depth',
  start() { ticks = 0; },
  tick(values) { ticks += 1; values['app.queue.depth'] = globalThis.queue.length; },
  stop({ metrics }) {
    metrics['app.queue.depth'] = { available: true, value: globalThis.queue.length, unit: 'count' };
    metrics['app.queue.process'] = { available: true, value: process.pid, unit: 'count' };
    metrics['app.queue.ticks'] = { available: true, value: ticks, unit: 'count' };
  },
};
export const LIMIT = 100;
export default [{
  name: 'queue fills',
  cause: 'backpressure-ignored',
  evaluate: (view) => {
    const depth = view.value('app.queue.depth') ?? 0;
    if (depth < LIMIT) return { findings: [], because: \`it held \${depth} jobs\` };
    const title = \`\${depth} jobs, seen by \${process.argv.includes('--extend') ? 'the command line' : 'the program'}\`;
    return { findings: [{ cause: 'backpressure-ignored', severity: 'high', confidence: 1, impact: 1, title, evidence: [] }] };
  },
}];
`;

function written(folder: string, module = MODULE) {
  const [app, extend] = [join(folder, 'app.mjs'), join(folder, 'queue-depth.mjs')];
  writeFileSync(app, APP);
  writeFileSync(extend, module);
  return { app, extend, storage: ['--storage', join(folder, 'store')] };
}

describe('sysopt profile --extend', () => {
  it.each([
    ['from its start', []],
    ['after a warm-up', ['--warmup', '0.2']],
  ])('measures and diagnoses by what is the user’s own, %s', async (_how, how) => {
    using folder = scratch();
    const { app, extend, storage } = written(folder.path);
    const options = [
      '--json',
      '--duration',
      '1',
      '--extend',
      extend,
      '--fail-on',
      'high',
      ...how,
      ...storage,
    ];
    const { code, json } = await runCli(['profile', ...options, '--', process.execPath, app]);
    expect(json.analysis.findings[0]).toMatchObject({
      cause: 'backpressure-ignored',
      title: '140 jobs, seen by the command line',
    });
    expect(json.metrics['app.queue.depth']).toMatchObject({ value: 140, unit: 'count' });
    expect(json.metrics['app.queue.process'].value).toBe(json.target.pid);
    expect(json.metrics['app.queue.ticks'].value).toBeGreaterThan(2);
    expect(json.timeline.some(({ values }: any) => values['app.queue.depth'] === 140)).toBe(true);
    expect(code).toBe(1);
  });

  it('uses the rules alone for a process that runs already, and says so', async () => {
    using folder = scratch();
    const { app, extend, storage } = written(
      folder.path,
      MODULE.replace("view.value('app.queue.depth') ?? 0", '140'),
    );
    const child = spawn(process.execPath, [app], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const options = ['--json', '--duration', '0.5', '--extend', extend, ...storage];
      const { json, stderr } = await runCli(['profile', ...options, '--pid', String(child.pid)]);
      expect(stderr).toContain('samplers of --extend are not loaded into a running process');
      expect(json.analysis.findings[0].title).toContain('140 jobs');
      expect(json.metrics).not.toHaveProperty(['app.queue.depth']);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('profiles on where the program cannot load the module, and says so', async () => {
    using folder = scratch();
    const fails = `if (process.env.SYSOPT_EXTEND) throw new Error('not here');\n${MODULE}`;
    const { app, extend, storage } = written(folder.path, fails);
    const options = ['--json', '--duration', '0.5', '--extend', extend, ...storage];
    const { code, json } = await runCli(['profile', ...options, '--', process.execPath, app]);
    expect(code).toBe(0);
    expect(json.warnings.join()).toMatch(/queue-depth\.mjs are left out.*not here/);
    expect(json.analysis.findings.map(({ cause }: any) => cause)).not.toContain('backpressure-ignored');
  });

  it('gives nothing to a program that is not extended by samplers', async () => {
    using folder = scratch();
    const { app, extend, storage } = written(
      folder.path,
      MODULE.replace('export const sampler', 'const sampler'),
    );
    const options = ['--json', '--duration', '0.5', '--extend', extend, ...storage];
    const { code, stderr } = await runCli(['profile', ...options, '--', process.execPath, app], {
      SYSOPT_EXTEND: 'file:///nowhere.mjs',
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/extended: *$/m);
  });

  it.each([
    ['is not there', undefined, 2, 'USAGE', '--extend'],
    ['throws', 'throw new Error("broken")', 3, 'SUBJECT_UNLOADABLE', 'broken'],
    ['exports neither', 'export const a = 1;', 3, 'SUBJECT_UNLOADABLE', 'no rule and no sampler'],
    [
      'exports half a sampler',
      'export default { name: "x", start() {} };',
      2,
      'INVALID_ARGUMENT',
      'sampler.stop',
    ],
    [
      'exports a rule of no cause',
      'export default { cause: "x", evaluate() {} };',
      2,
      'INVALID_ARGUMENT',
      'rule.cause',
    ],
    [
      'exports two of a name',
      'const of = () => ({ name: "x", start() {}, stop() {} }); export default [of(), of()];',
      2,
      'DUPLICATE_NAME',
      'x',
    ],
  ])('refuses a module that %s before it starts anything', async (_what, text, code, error, words) => {
    using folder = scratch();
    const { app, extend, storage } = written(folder.path, text ?? MODULE);
    const file = text === undefined ? `${extend}.none` : extend;
    const {
      code: ended,
      json,
      stderr,
    } = await runCli(['profile', '--json', '--extend', file, ...storage, '--', process.execPath, app]);
    expect({ ended, code: json.error.code }).toEqual({ ended: code, code: error });
    expect(`${json.error.message} ${json.error.hint}`).toContain(words);
    expect(stderr).not.toContain('Starting');
  });
});
