import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenForAgents, type AgentServer } from '../../dist/profiling/controller.js';

const BUSY =
  'const work = () => { const end = Date.now() + 20; let s = 0; while (Date.now() < end) s += Math.sqrt(s + 1); return s; };';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

let server: AgentServer;
let directory: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  server = await listenForAgents();
  directory = mkdtempSync(join(tmpdir(), 'agent-test-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

function start(source: string, { extension = 'mjs', env = server.env, flags = [] as string[] } = {}) {
  const file = join(directory, `app.${extension}`);
  writeFileSync(file, source);
  const child = spawn(process.execPath, [...flags, file], { env: { ...process.env, ...env } });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, output })),
  );
  /** Resolves once the program has printed the text, even where it had before this was asked. */
  const printed = async (text: string) => {
    while (!output.includes(text)) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  return { child, ended, file, printed };
}

describe('a program with the agent', () => {
  it('is profiled from outside', async () => {
    const { file } = start(`${BUSY}\nsetInterval(work, 30);`);
    const agent = await server.waitForAgent(20_000);
    expect(agent.hello).toMatchObject({
      node: process.version,
      argv: [process.execPath, file],
      ppid: process.pid,
    });
    const messages: string[] = [];
    const signals = await agent.profile('cpu', {
      durationMs: 1200,
      onProgress: ({ message }) => messages.push(message),
    });
    expect(signals.functions[0]!.location).toMatchObject({ function: 'work', file });
    expect(messages.length).toBeGreaterThan(0);
    expect(signals.warnings).toEqual([]);
  });

  it.each(['cjs', 'mjs'])('keeps its output, its exit code and its end (%s)', async (extension) => {
    const source =
      "process.on('exit', (code) => console.log('exit', code)); console.log('out'); console.error('err'); process.exitCode = 7;";
    const { ended } = start(source, { extension });
    const { code, output } = await ended;
    expect(code).toBe(7);
    // Two pipes have no order between them.
    expect(output.trim().split('\n').sort()).toEqual(['err', 'exit 7', 'out']);
  });

  it('ends of itself in mid-profile, and what was gathered arrives', async () => {
    const { ended } = start(
      `${BUSY}\nconst timer = setInterval(work, 25); setTimeout(() => clearInterval(timer), 2500);`,
    );
    const agent = await server.waitForAgent(20_000);
    const signals = await agent.profile('cpu', { durationMs: 60_000 });
    expect(await ended).toEqual({ code: 0, signal: null, output: '' });
    expect(signals.warnings[0]).toMatch(/ended \d+ ms into a window of 60000 ms/);
    expect(signals.durationMs).toBeLessThan(60_000);
    expect(signals.functions.map(({ location }) => location.function)).toContain('work');
  });

  it.each(['cpu', 'memory'] as const)(
    'may call process.exit in a handler during a %s profile',
    async (type) => {
      const { ended } = start(`${BUSY}\nsetInterval(work, 30); setTimeout(() => process.exit(3), 2500);`);
      const agent = await server.waitForAgent(20_000);
      const signals = await agent.profile(type, { durationMs: 60_000 });
      expect(await ended).toMatchObject({ code: 3, output: '' });
      expect(signals.warnings[0]).toMatch(/ended/);
    },
  );

  it('that is killed gives a clear error', async () => {
    const { child, ended } = start(`${BUSY}\nsetInterval(work, 30); console.log('ready');`);
    const agent = await server.waitForAgent(20_000);
    const profile = agent.profile('cpu', { durationMs: 60_000 });
    setTimeout(() => child.kill('SIGKILL'), 300);
    await expect(profile).rejects.toMatchObject({ code: 'TARGET_EXITED' });
    expect((await ended).signal).toBe('SIGKILL');
    await agent.closed;
    await expect(agent.profile('cpu', { durationMs: 100 })).rejects.toMatchObject({ code: 'TARGET_EXITED' });
    expect(server.agents).toEqual([]);
  });

  it('dies of SIGTERM as it would without, and handles it where it does', async () => {
    const { child, ended, printed } = start(
      "process.on('SIGTERM', () => { console.log('bye'); process.exit(5); }); setInterval(() => {}, 50); console.log('up');",
    );
    const agent = await server.waitForAgent(20_000);
    const profile = agent.profile('cpu', { durationMs: 60_000 });
    await printed('up');
    setTimeout(() => child.kill('SIGTERM'), 500);
    const signals = await profile;
    expect(await ended).toEqual({ code: 5, signal: null, output: 'up\nbye\n' });
    expect(signals.warnings[0]).toMatch(/ended \d+ ms into a window of 60000 ms/);
    expect(signals.durationMs).toBeLessThan(60_000);
    expect(signals.metrics['heap.used']).toMatchObject({ available: true });
  });

  it('outlives its controller', async () => {
    const { child, ended } = start(
      "setTimeout(() => console.log('done'), 1500); process.stdin.resume(); process.stdin.on('end', () => {});",
    );
    const agent = await server.waitForAgent(20_000);
    const profile = agent.profile('cpu', { durationMs: 60_000 }).catch((error: unknown) => error);
    await server.close();
    expect(await profile).toMatchObject({ code: 'TARGET_EXITED' });
    child.stdin.end();
    expect(await ended).toEqual({ code: 0, signal: null, output: 'done\n' });
  });

  it('ends a profile when the caller aborts it, and can be profiled again', async () => {
    start(`${BUSY}\nsetInterval(work, 30);`);
    const agent = await server.waitForAgent(20_000);
    const controller = new AbortController();
    const profile = agent.profile('cpu', { durationMs: 60_000, signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    await expect(profile).rejects.toMatchObject({ code: 'ABORTED' });
    let signals: unknown;
    for (let attempt = 0; attempt < 20 && signals === undefined; attempt += 1) {
      signals = await agent.profile('cpu', { durationMs: 100 }).catch(() => undefined);
    }
    expect(signals).toBeDefined();
  });

  it('whose loop is blocked at the window’s end answers when it comes round', async () => {
    start(
      'setTimeout(function block() { const end = Date.now() + 2500; while (Date.now() < end); }, 700); setInterval(() => {}, 100);',
    );
    const agent = await server.waitForAgent(20_000);
    const signals = await agent.profile('cpu', { durationMs: 1000 });
    expect(signals.durationMs).toBeGreaterThan(1000);
    expect(signals.functions[0]!.location.function).toBe('block');
  });

  it('whose loop never comes round gives a clear error', async () => {
    start('setTimeout(() => { for (;;); }, 300);');
    const agent = await server.waitForAgent(20_000);
    await expect(agent.profile('cpu', { durationMs: 800, graceMs: 1000 })).rejects.toMatchObject({
      code: 'AGENT_FAILED',
    });
  });

  it('shows what is called through functions that were taken out of their modules before', async () => {
    start(
      "const { readFile } = require('fs'); const { promisify } = require('util'); const scrypt = promisify(require('crypto').scrypt); setInterval(() => { readFile(__filename, () => {}); scrypt('a', 'b', 16); }, 20);",
      { extension: 'cjs' },
    );
    const agent = await server.waitForAgent(20_000);
    const { activities } = await agent.profile('io', { durationMs: 800 });
    const names = activities!.map(({ name }) => name);
    expect(names.some((name) => name.includes('readFile'))).toBe(true);
    expect(names.some((name) => name.includes('scrypt'))).toBe(true);
  });

  it('lists every process, and picks the one that works', async () => {
    const worker = join(directory, 'child.mjs');
    writeFileSync(worker, `${BUSY}\nsetInterval(work, 22);`);
    start(
      `import { spawn } from 'node:child_process'; const child = spawn(process.execPath, [${JSON.stringify(worker)}], { stdio: 'inherit' }); process.on('exit', () => child.kill()); process.on('SIGTERM', () => process.exit()); setInterval(() => {}, 1000);`,
    );
    await server.waitForAgent(20_000);
    while (server.agents.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const busiest = await server.busiestAgent(600);
    expect(busiest.hello.argv[1]).toBe(worker);
    process.kill(busiest.hello.pid, 'SIGKILL');
  });

  it('has no agent in its worker threads, and survives their end in mid-profile', async () => {
    const source = `import { Worker } from 'node:worker_threads';
const spin = () => new Worker('for (let i = 0; ; i += 1) Math.sqrt(i);', { eval: true });
let worker = spin();
setInterval(async () => { await worker.terminate(); worker = spin(); }, 150);`;
    start(source);
    const agent = await server.waitForAgent(20_000);
    const signals = await agent.profile('cpu', { durationMs: 1000 });
    expect(server.agents).toHaveLength(1);
    expect(signals.threads!.length).toBeGreaterThan(1);
  });
});

describe('without a controller', () => {
  const env = { NODE_OPTIONS: '' };
  it.each([
    ['no variable', {}],
    ['an empty variable', { SYSOPT_CONTROL: '' }],
    ['a socket that is gone', { SYSOPT_CONTROL: '/nonexistent/sysopt/control' }],
  ])('the agent changes nothing (%s)', async (_what, extra) => {
    const { ended } = start("console.log('out');", {
      env: { ...env, ...extra },
      flags: [server.env['NODE_OPTIONS']!.split(' ').at(-1)!],
    });
    expect(await ended).toEqual({ code: 0, signal: null, output: 'out\n' });
  });
});

describe('the controller', () => {
  it('says so when no process reports', async () => {
    await expect(server.waitForAgent(50)).rejects.toMatchObject({ code: 'TARGET_NO_AGENT' });
    await expect(server.busiestAgent()).rejects.toMatchObject({ code: 'TARGET_NO_AGENT' });
  });

  it('refuses bad arguments before it asks the program', async () => {
    start('setInterval(() => {}, 50);');
    const agent = await server.waitForAgent(20_000);
    await expect(agent.profile('cpu', { durationMs: -1 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(server.waitForAgent(Number.NaN)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('removes its directory when it is closed, twice if need be, and keeps the caller’s NODE_OPTIONS', async () => {
    const path = dirname(server.env['SYSOPT_CONTROL']!);
    expect(existsSync(path)).toBe(true);
    await server.close();
    await server.close();
    expect(existsSync(path)).toBe(false);
    await expect(server.waitForAgent(10)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
