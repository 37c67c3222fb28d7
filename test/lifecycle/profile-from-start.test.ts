/** Programs that no load is driven at are profiled from before their first line: scripts, blocked ones, short ones. */
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listenForAgents, type ProfileFromStart } from '../../dist/profiling/controller.js';
import { isAlive, runCli, scratch, startCli } from '../fixtures/cli/run-cli.js';

const WORK =
  'function work(ms) { const end = Date.now() + ms; let s = 0; while (Date.now() < end) s += Math.sqrt(s + 1); return s; }';

/** Writes a program; `args` profile it. */
function program(folder: string, source: string, { name = 'app.cjs', duration = '30', type = 'cpu' } = {}) {
  const file = join(folder, name);
  writeFileSync(file, source);
  const storage = join(folder, 'store');
  const options = ['profile', '--json', '--type', type, '--duration', duration, '--storage', storage, '--'];
  return { file, storage, options, args: [...options, process.execPath, file] };
}

const stored = (storage: string) => readdirSync(join(storage, 'results'));

describe('sysopt profile of a script', () => {
  it.each(['app.cjs', 'app.mjs'])('that never lets its loop turn names its function (%s)', async (name) => {
    using folder = scratch();
    const source = `const rows = Array.from({ length: 25_000 }, (_, i) => ({ key: 'k' + ((i * 7919) % 22_000) }));
function dedupe(list) {
  const kept = [];
  for (const row of list) if (kept.findIndex((other) => other.key === row.key) < 0) kept.push(row);
  return kept;
}
console.log(dedupe(rows).length);`;
    const { args, file, storage } = program(folder.path, source, { name });
    const { code, json, stderr } = await runCli(args);
    expect(code).toBe(0);
    expect(stderr).toContain('│ 22000');
    expect(json.analysis.findings[0]).toMatchObject({
      cause: 'sync-cpu',
      location: { function: 'dedupe', file },
    });
    expect(json.warnings[0]).toMatch(/ended \d+ ms into a window of 30000 ms/);
    expect(json.metrics['eventLoop.utilization'].value).toBeGreaterThan(0.9);
    expect(stored(storage)).toEqual([`${json.id}.json`]);
  });

  it('that ends at once says that there is nothing to judge', async () => {
    using folder = scratch();
    const { args } = program(folder.path, "console.log('hi');");
    const { code, json, stderr } = await runCli(args);
    expect(code).toBe(0);
    expect(stderr).toContain('│ hi');
    // Its state, hardly sure, and on a crowded host what others did to it; no fault of its own.
    const { findings } = json.analysis;
    const state = findings.find(({ cause }: any) => cause === 'healthy' || cause === 'saturated');
    expect(state.confidence).toBeLessThan(0.5);
    expect(findings.filter(({ location }: any) => location !== undefined)).toEqual([]);
  });

  it('counts what it allocates from its first line on', async () => {
    using folder = scratch();
    const source = `function fill() { const kept = []; for (let i = 0; i < 400_000; i += 1) kept.push({ i, text: 'n' + i }); return kept; }
globalThis.kept = fill(); setTimeout(() => {}, 500);`;
    const { args } = program(folder.path, source, { type: 'memory' });
    const { code, json } = await runCli(args);
    expect(code).toBe(0);
    expect(json.allocations[0].location.function).toBe('fill');
  });

  it.each([
    ['process.exit', 'process.exit(4)', /exit code 4/, 3],
    ['an uncaught exception', "throw new Error('no more')", /exit code 1/, 3],
    ['process.exit(0)', 'process.exit(0)', /ended \d+ ms/, 0],
  ])('that ends by %s leaves what was gathered', async (_name, end, warning, expected) => {
    using folder = scratch();
    const { args, storage } = program(folder.path, `${WORK}\nwork(1500); ${end};`);
    const { code, json } = await runCli(args);
    expect(code).toBe(expected);
    expect(json.warnings[0]).toMatch(warning);
    expect(json.functions[0].location.function).toBe('work');
    expect(stored(storage)).toEqual([`${json.id}.json`]);
  });

  it('is found below a launcher and a shell', async () => {
    using folder = scratch();
    const { options, file } = program(folder.path, `${WORK}\nwork(1200);`);
    const launcher = join(folder.path, 'launcher.cjs');
    writeFileSync(
      launcher,
      `require('child_process').spawnSync(process.execPath, [${JSON.stringify(file)}], { stdio: 'inherit' });`,
    );
    const command = `${JSON.stringify(process.execPath)} ${JSON.stringify(launcher)} && true`;
    const { code, json } = await runCli([...options, 'sh', '-c', command]);
    expect(code).toBe(0);
    expect(json.functions[0].location).toMatchObject({ function: 'work', file });
  });
});

describe.runIf(process.platform !== 'win32')('a signal to a program that is profiled from its start', () => {
  const pidOf = (stderr: string) => Number(/pid (\d+)/.exec(stderr)![1]);
  const UP = "console.log('pid ' + process.pid);";

  async function killed(source: string, signal: NodeJS.Signals) {
    using folder = scratch();
    const { args, storage } = program(folder.path, source);
    const cli = startCli(args);
    await cli.saw('│ pid');
    await cli.saw('│ worked');
    const pid = pidOf(cli.stderr());
    process.kill(pid, signal);
    const ended = await cli.ended;
    expect(isAlive(pid)).toBe(false);
    return { ...ended, json: ended.json, stored: stored(storage) };
  }
  const TURNS = `${WORK}\n${UP}\nlet n = 0; setInterval(() => { work(40); if (++n === 30) console.log('worked'); }, 45);`;

  it.each(['SIGTERM', 'SIGINT'] as const)('%s that it does not handle ends it as ever', async (signal) => {
    const { code, json, stored } = await killed(TURNS, signal);
    expect(code).toBe(3);
    expect(json.warnings[0]).toBe(`The program failed: signal ${signal}.`);
    expect(json.functions[0].location.function).toBe('work');
    expect(stored).toEqual([`${json.id}.json`]);
  });

  it('SIGTERM that it handles is its own affair', async () => {
    const handler = "process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });";
    const { code, json, stderr } = await killed(`${handler}\n${TURNS}`, 'SIGTERM');
    expect(code).toBe(0);
    expect(stderr).toContain('│ bye');
    expect(json.functions[0].location.function).toBe('work');
  });

  it('SIGTERM ends a script whose loop never turned at once', async () => {
    using folder = scratch();
    const { args } = program(folder.path, `${WORK}\n${UP}\nwork(600_000);`);
    const cli = startCli(args);
    await cli.saw('│ pid');
    process.kill(pidOf(cli.stderr()), 'SIGTERM');
    const { code, json } = await cli.ended;
    expect(code).toBe(3);
    expect(json.error).toMatchObject({ code: 'TARGET_EXITED' });
    expect(json.error.message).toContain('SIGTERM');
  });
});

describe('a program does not notice', () => {
  const SOURCE = `console.log(process.listenerCount('SIGTERM'), process.listenerCount('SIGINT'), process.listenerCount('exit'));
process.on('exit', (code) => console.log('exit', code));
setTimeout(() => { console.error('err'); END }, 30);`;

  function run(folder: string, source: string, env: NodeJS.ProcessEnv) {
    const file = join(folder, 'app.cjs');
    writeFileSync(file, source);
    const child = spawn(process.execPath, [file], { env: { ...process.env, NODE_OPTIONS: '', ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    return new Promise((settle) =>
      child.once('close', (code, signal) => settle({ code, signal, stdout, stderr })),
    );
  }

  it.each([
    ['ends of itself', ''],
    ['exits', 'process.exit(9);'],
    ['dies of its own signal', "process.kill(process.pid, 'SIGTERM');"],
    [
      'dies of a signal that it raises as packages do',
      "process.once('SIGINT', () => process.kill(process.pid, 'SIGINT')); process.kill(process.pid, 'SIGINT');",
    ],
  ])('and %s', async (_name, end) => {
    using folder = scratch();
    const source = SOURCE.replace('END', end).replace(", process.listenerCount('exit')", '');
    const fromStart: ProfileFromStart = { type: 'cpu', durationMs: 60_000 };
    const server = await listenForAgents(fromStart);
    try {
      const plain = await run(folder.path, source, {});
      const profiled = await run(folder.path, source, server.env);
      expect(profiled).toEqual(plain);
      const [agent] = server.started;
      const signals = await agent!.fromStart!.signals;
      expect(signals.warnings[0]).toMatch(/ended \d+ ms into a window of 60000 ms/);
    } finally {
      await server.close();
    }
  });

  it('and is not profiled where no profile was asked for', async () => {
    using folder = scratch();
    const server = await listenForAgents();
    try {
      await run(folder.path, SOURCE.replace('END', ''), { ...server.env });
      expect(server.started).toEqual([]);
    } finally {
      await server.close();
    }
  });

  it('and a server that is asked for a profile refuses wrong ones', async () => {
    await expect(listenForAgents({ type: 'cpu', durationMs: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
