import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../dist/storage/store.js';
import { runCli } from '../fixtures/cli/run-cli.js';

const PRELOAD = pathToFileURL(join(import.meta.dirname, '../../dist/integration/preload.js')).href;

let directory: string;
let storage: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'monitor-test-'));
  storage = join(directory, 'store');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** A program without a line of ours, and the monitor beside it. */
function start(source: string, monitor: unknown) {
  const file = join(directory, 'app.mjs');
  writeFileSync(file, source);
  const child = spawn(process.execPath, ['--import', PRELOAD, file], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      SYSOPT_STORAGE: storage,
      SYSOPT_MONITOR: typeof monitor === 'string' ? monitor : JSON.stringify(monitor),
    },
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<{ code: number | null; output: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, output })),
  );
  return { child, ended, file };
}

async function firstResult() {
  const store = openStore(storage);
  for (let i = 0; i < 1500; i += 1) {
    const [entry] = store.list({ kind: 'result' });
    if (entry !== undefined) return store.getResult(entry.id);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  throw new Error('nothing was stored');
}

describe('a program with the monitor preloaded', () => {
  it('is profiled by itself when its loop is busy throughout; the report has V8’s own profile', async () => {
    const { child, ended, file } = start(
      'function grind() { const end = Date.now() + 40; let s = 0; while (Date.now() < end) s += Math.sqrt(s + 1); setImmediate(grind); } grind();',
      { watchdog: false, anomalies: { profileMs: 3000, utilization: 0.9 } },
    );
    const result = await firstResult();
    expect(result).toMatchObject({
      type: 'cpu',
      target: { pid: child.pid },
      trigger: { kind: 'utilization', limit: 0.9, unit: 'share' },
    });
    expect(result.analysis.findings[0]!.location).toMatchObject({ function: 'grind', file });
    const raw = join(storage, 'raw', `${result.id}.cpuprofile`);
    for (let i = 0; i < 200 && !existsSync(raw); i += 1)
      await new Promise((settle) => setTimeout(settle, 20));
    const report = await runCli(['report', '--storage', storage, '--format', 'cpuprofile', '--out', '-']);
    expect(JSON.parse(report.stdout)).toEqual(JSON.parse(readFileSync(raw, 'utf8')));
    const page = await runCli(['report', '--storage', storage, '--format', 'markdown', '--out', '-']);
    expect(page.stdout).toContain('Taken by the monitor: The event loop was busy');
    child.kill('SIGTERM');
    // Nothing was printed.
    expect(await ended).toEqual({ code: null, output: '' });
  }, 60_000);

  it('whose loop never comes round again is diagnosed and stored all the same', async () => {
    const { child, file } = start(
      'setTimeout(function stuck() { for (let i = 0; ; i += 1) Math.sqrt(i); }, 1500);',
      { watchdog: { blockedMs: 500 }, anomalies: false },
    );
    const result = await firstResult();
    expect(child.exitCode).toBeNull();
    expect(result.trigger).toMatchObject({ kind: 'blocked-loop', limit: 500 });
    expect(result.analysis.findings[0]!.location).toMatchObject({ function: 'stuck', file });
    expect(result.warnings).toContainEqual(expect.stringContaining('still blocked'));
    expect(readdirSync(join(storage, 'results'))).toHaveLength(1);
  }, 60_000);

  it('ends as it would, with its output and its exit code', async () => {
    const { ended } = start("console.log('out'); process.exitCode = 7;", '1');
    expect(await ended).toEqual({ code: 7, output: 'out\n' });
    expect(existsSync(storage)).toBe(false);
  });

  it.each([
    'nonsense',
    '[]',
    '"x"',
    '{"watch":1}',
    '{"watchdog":{"blockedMs":1}}',
    '{"anomalies":{"profileMs":1}}',
  ])('runs where the variable is %s, with a warning', async (text) => {
    const { ended } = start("console.log('out');", text);
    const { code, output } = await ended;
    expect(code).toBe(0);
    expect(output).toContain('out\n');
    expect(output).toMatch(/SystemOptimizerWarning: The monitor was not started: .+/);
  });
});
