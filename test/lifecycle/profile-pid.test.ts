import { spawn, type ChildProcess } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachToProcess } from '../../dist/profiling/attach/attach.js';
import { closeOpened, openInspector } from '../../dist/profiling/attach/inspector-access.js';
import { listeningPorts, readNodeProcess } from '../../dist/profiling/attach/node-process.js';
import { runCli, startCli } from '../fixtures/cli/run-cli.js';

/** What Node itself prints when its inspector opens and is connected to. */
const NODE_LINES =
  /^(Debugger listening on|For help, see|Debugger attached|Debugger ending on|Waiting for the debugger)/;
const BUSY =
  'const work = () => { const end = Date.now() + 20; let s = 0; while (Date.now() < end) s += Math.sqrt(s + 1); return s; };';

let directory: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'attach-test-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** Starts a program and waits until it says that it is up. */
async function start(
  source: string,
  { extension = 'mjs', flags = [] as string[], command = process.execPath, env = {} } = {},
) {
  const file = join(directory, `app-${children.length}.${extension}`);
  writeFileSync(file, `${source}\nconsole.log('up');`);
  const child = spawn(command, [...flags, file], { env: { ...process.env, NODE_OPTIONS: '', ...env } });
  children.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const ended = new Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>(
    (resolve) => child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  );
  while (!stdout.includes('up')) await new Promise((resolve) => setTimeout(resolve, 20));
  return { child, pid: child.pid!, file, ended, own: () => ownLines(stderr) };
}

const ownLines = (text: string) => text.split('\n').filter((line) => line !== '' && !NODE_LINES.test(line));

/** Whether the inspector of a process listens: the port that Node uses is in the kernel's table under its sockets. */
function listens(pid: number, port = 9229): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hex}`) && fields[3] === '0A')
    .map((fields) => `socket:[${fields[9] ?? ''}]`);
  return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
    try {
      return inodes.includes(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    } catch {
      return false;
    }
  });
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.runIf(process.platform === 'linux')('a running process', () => {
  it.each(['cjs', 'mjs'])('is profiled and goes on as it was (%s)', async (extension) => {
    const app = await start(
      `${BUSY}\nsetInterval(work, 30); process.on('SIGTERM', () => { console.log('bye'); process.exitCode = 5; process.exit(); });`,
      { extension },
    );
    const attached = await attachToProcess(app.pid);
    expect(attached).toMatchObject({ mode: 'agent', pid: app.pid, command: [process.execPath, app.file] });
    // The port is closed before the profile begins.
    expect(listens(app.pid)).toBe(false);
    const signals = await attached.profile('cpu', { durationMs: 1200 });
    await attached.close();
    expect(signals.functions[0]!.location).toMatchObject({ function: 'work', file: app.file });
    expect(signals.warnings).toEqual([]);
    expect(signals.metrics['eventLoop.delay.p99']).toMatchObject({ available: true });

    const again = await attachToProcess(app.pid);
    expect((await again.profile('memory', { durationMs: 300 })).type).toBe('memory');
    await again.close();
    app.child.kill('SIGTERM');
    const { code, stdout, stderr } = await app.ended;
    expect({ code, stdout, own: ownLines(stderr) }).toEqual({ code: 5, stdout: 'up\nbye\n', own: [] });
  });

  it('is profiled from outside where nothing may be loaded into it, its workers too', async () => {
    const app = await start(
      `import { Worker } from 'node:worker_threads'; ${BUSY}
new Worker('function spin() { for (let i = 0; i < 1e7; i += 1) Math.sqrt(i); setImmediate(spin); } spin();', { eval: true });
setInterval(work, 30);`,
    );
    const attached = await attachToProcess(app.pid, { loadAgent: false });
    expect(attached).toMatchObject({ mode: 'outside' });
    const signals = await attached.profile('cpu', { durationMs: 1500, rawProfile: true });
    await attached.close();
    expect(listens(app.pid)).toBe(false);
    expect(signals.functions[0]!.location).toMatchObject({ function: 'work', file: app.file });
    expect(signals.threadProfiles![0]!.functions[0]!.location.function).toBe('spin');
    expect(signals.threads!.find(({ role }) => role === 'worker')!.onCpuMs).toBeGreaterThan(0);
    expect(signals.metrics).toMatchObject({
      'thread.main.onCpu': { available: true },
      'process.cpu.total': { available: true },
      'eventLoop.delay.p99': { available: false, reason: 'NOT_FROM_OUTSIDE' },
    });
    expect(signals.timeline.length).toBeGreaterThan(5);
    expect(signals.rawProfile).toHaveProperty('nodes');
    // The program still has no file of ours.
    expect(readFileSync(`/proc/${app.pid}/maps`, 'utf8')).not.toContain('system_optimizer');
    expect(app.own()).toEqual([]);
  });

  it('names allocation sites from outside', async () => {
    const app = await start(
      'const kept = []; setInterval(function churn() { kept.length = 0; for (let i = 0; i < 2e4; i += 1) kept.push({ i, text: `n${i}` }); }, 5);',
    );
    const attached = await attachToProcess(app.pid, { loadAgent: false });
    const signals = await attached.profile('memory', { durationMs: 1000 });
    await attached.close();
    expect(signals.allocations[0]!.location.function).toBe('churn');
    expect(signals.callTree).not.toBeNull();
  });

  it('whose loop is blocked for good is profiled all the same, and the loop named', async () => {
    const app = await start('setTimeout(function stuck() { for (let i = 0; ; i += 1) Math.sqrt(i); }, 100);');
    await wait(400);
    const attached = await attachToProcess(app.pid, { agentTimeoutMs: 800 });
    expect(attached.mode).toBe('outside');
    expect(attached.reason).toContain('event loop');
    const signals = await attached.profile('cpu', { durationMs: 1000 });
    await attached.close();
    expect(signals.functions[0]!.location.function).toBe('stuck');
    expect(listens(app.pid)).toBe(false);
  });

  it.each(['before', 'in'])(
    'whose loop is blocked for good %s the window yields its function',
    async (when) => {
      const app = await start(
        `${BUSY}\nsetInterval(work, 30); process.on('SIGUSR2', function stuck() { for (let i = 0; ; i += 1) Math.sqrt(i); });`,
      );
      const attached = await attachToProcess(app.pid);
      expect(attached.mode).toBe('agent');
      if (when === 'before') app.child.kill('SIGUSR2');
      await wait(200);
      const profile = attached.profile('cpu', { durationMs: 1500 });
      await wait(200);
      if (when === 'in') app.child.kill('SIGUSR2');
      const signals = await profile;
      await attached.close();
      expect(signals.functions[0]!.location).toMatchObject({ function: 'stuck', file: app.file });
      expect(signals.warnings[0]).toContain('did not come round');
      expect(listens(app.pid)).toBe(false);
    },
  );

  it('keeps an inspector that was open', async () => {
    const app = await start(`${BUSY}\nsetInterval(work, 30);`, { flags: ['--inspect=127.0.0.1:9345'] });
    const attached = await attachToProcess(app.pid);
    await attached.profile('cpu', { durationMs: 300 });
    await attached.close();
    expect(listens(app.pid, 9345)).toBe(true);
  });

  it.each([true, false])(
    'that exits in the middle hands over what was gathered (agent: %s)',
    async (loadAgent) => {
      const app = await start(`${BUSY}\nsetInterval(work, 25); setTimeout(() => process.exit(3), 2500);`);
      const attached = await attachToProcess(app.pid, { loadAgent });
      const signals = await attached.profile('cpu', { durationMs: 60_000 });
      await attached.close();
      expect(signals.warnings[0]).toMatch(/ended \d+ ms into a window of 60000 ms/);
      expect(signals.functions.map(({ location }) => location.function)).toContain('work');
      expect(await app.ended).toMatchObject({ code: 3, signal: null, stdout: 'up\n' });
    },
  );

  it.each([true, false])('that is killed leaves the kernel’s figures (agent: %s)', async (loadAgent) => {
    const app = await start(`${BUSY}\nsetInterval(work, 25);`);
    const attached = await attachToProcess(app.pid, { loadAgent });
    setTimeout(() => app.child.kill('SIGKILL'), 900);
    const signals = await attached.profile('cpu', { durationMs: 60_000 });
    await attached.close();
    expect(signals.warnings[0]).toMatch(/ended \d+ ms into a window/);
    expect(signals.functions).toEqual([]);
    expect(signals.metrics['thread.main.onCpu']).toMatchObject({ available: true });
    expect((await app.ended).signal).toBe('SIGKILL');
  });

  it('is left alone after an abort', async () => {
    const app = await start(`${BUSY}\nsetInterval(work, 30);`);
    for (const loadAgent of [true, false]) {
      const attached = await attachToProcess(app.pid, { loadAgent });
      await expect(
        attached.profile('cpu', { durationMs: 60_000, signal: AbortSignal.timeout(300) }),
      ).rejects.toMatchObject({ code: 'ABORTED' });
      await attached.close();
      expect(listens(app.pid)).toBe(false);
    }
    expect(app.child.exitCode).toBeNull();
  });

  it('that forks is profiled, and its children end as they would', async () => {
    const app = await start(
      `import { fork } from 'node:child_process'; import { fileURLToPath } from 'node:url'; ${BUSY}
if (process.argv[2] === 'child') setTimeout(() => process.exit(7), 200);
else {
  setInterval(work, 40);
  setInterval(() => fork(fileURLToPath(import.meta.url), ['child']).on('exit', (code) => console.log('child', code)), 500);
}`,
    );
    const attached = await attachToProcess(app.pid);
    const signals = await attached.profile('cpu', { durationMs: 2500 });
    await attached.close();
    expect(signals.functions.map(({ location }) => location.function)).toContain('work');
    app.child.kill('SIGKILL');
    const { stdout, stderr } = await app.ended;
    expect(stdout).toContain('child 7');
    expect(stdout).not.toMatch(/child (?!7)/);
    expect(ownLines(stderr)).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')('the guard of a run that is gone', () => {
  const GUARD = resolve(import.meta.dirname, '../../dist/profiling/attach/inspector-guard-process.js');
  const guardedOf = (pid: number) => ({ target: readNodeProcess(pid), port: 9229, before: [], children: [] });
  /** Runs a guard's process to its end; `lines` is what its run had told it. */
  const runGuard = (pid: number, lines: readonly unknown[]) =>
    new Promise<void>((settle) => {
      const guard = spawn(process.execPath, [GUARD, JSON.stringify(guardedOf(pid))], {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      children.push(guard);
      guard.once('close', () => settle());
      guard.stdin.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    });

  it('closes the inspector of its own run, and not one that was opened since', async () => {
    const app = await start('setInterval(() => {}, 1000);');
    const first = await openInspector(readNodeProcess(app.pid));
    const { url } = first.inspector;
    await first.release();
    const second = await openInspector(readNodeProcess(app.pid));
    expect(second.inspector.url).not.toBe(url);
    await runGuard(app.pid, ['signalled', { opened: url }]);
    expect(await second.inspector.evaluate('1 + 1')).toBe(2);
    expect(await closeOpened(guardedOf(app.pid), url, 5000)).toBe(true);
    expect(await second.inspector.evaluate('2 + 2')).toBe(4);
    // Its own, with us still connected.
    await runGuard(app.pid, ['signalled', { opened: second.inspector.url }]);
    await second.inspector.closed;
    expect(listens(app.pid)).toBe(false);
    await second.release();
  });

  it('that never came to know its inspector leaves one that somebody uses', async () => {
    const app = await start('setInterval(() => {}, 1000);');
    const other = await openInspector(readNodeProcess(app.pid));
    expect(await closeOpened(guardedOf(app.pid), undefined, 700)).toBe(false);
    expect(await other.inspector.evaluate('1 + 1')).toBe(2);
    await other.inspector.close();
    // Nobody's any more.
    expect(await closeOpened(guardedOf(app.pid), undefined, 5000)).toBe(true);
    expect(listens(app.pid)).toBe(false);
    await other.release();
  });

  it('whose run had sent no signal touches nothing', async () => {
    const app = await start('setInterval(() => {}, 1000);');
    app.child.kill('SIGUSR1');
    while (!listens(app.pid)) await wait(20);
    const [before] = listeningPorts(app.pid);
    await runGuard(app.pid, []);
    expect(listeningPorts(app.pid)).toEqual([before]);
    await runGuard(app.pid, ['signalled']);
    expect(listens(app.pid)).toBe(false);
  });

  it('attaches anew where the inspector that it found is closed by whoever opened it', async () => {
    const app = await start(`${BUSY}\nsetInterval(work, 30);`);
    for (let round = 0; round < 5; round += 1) {
      const other = await openInspector(readNodeProcess(app.pid));
      const attaching = attachToProcess(app.pid);
      await wait(round * 8);
      await other.release();
      const attached = await attaching;
      expect([attached.mode, attached.reason]).toEqual(['agent', undefined]);
      await attached.close();
    }
  });
});

describe.runIf(process.platform === 'linux')('what is refused', () => {
  const refused = (pid: number) =>
    attachToProcess(pid).then(
      () => 'attached',
      (error: { code: string; message: string }) => error,
    );

  it('is a process that is gone, one that is none, and a thread', async () => {
    const app = await start('');
    await app.ended;
    expect(await refused(app.pid)).toMatchObject({ code: 'PROCESS_NOT_FOUND' });
    for (const pid of [0, -1, 1.5, NaN, process.pid]) {
      expect(await refused(pid)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    const thread = Number(readdirSync('/proc/self/task').find((tid) => Number(tid) !== process.pid));
    expect(await refused(thread)).toMatchObject({
      code: 'PROCESS_NOT_FOUND',
      message: expect.stringContaining('a thread of process') as unknown,
    });
  });

  it('is another program, which SIGUSR1 would kill', async () => {
    const sleep = spawn('sleep', ['30']);
    children.push(sleep);
    expect(await refused(sleep.pid!)).toMatchObject({ code: 'PROCESS_NOT_NODE' });
    // A name proves nothing.
    copyFileSync('/bin/sleep', join(directory, 'sleeper'));
    const renamed = spawn(join(directory, 'sleeper'), ['30'], { argv0: 'node' });
    children.push(renamed);
    await wait(100);
    expect(await refused(renamed.pid!)).toMatchObject({ code: 'PROCESS_NOT_NODE' });
    expect([sleep.exitCode, sleep.signalCode, renamed.signalCode]).toEqual([null, null, null]);
  });

  it('is a program called node that does not catch the signal', async () => {
    copyFileSync('/bin/sleep', join(directory, 'node'));
    const impostor = spawn(join(directory, 'node'), ['30']);
    children.push(impostor);
    await wait(100);
    const error = await refused(impostor.pid!);
    expect(error).toMatchObject({ code: 'INSPECTOR_REFUSED' });
    expect((error as { message: string }).message).toContain('does not catch SIGUSR1');
    expect(impostor.signalCode).toBeNull();
  });

  it('is a process that is stopped', async () => {
    const app = await start('setInterval(() => {}, 1000);');
    app.child.kill('SIGSTOP');
    await wait(100);
    expect(await refused(app.pid)).toMatchObject({
      code: 'INSPECTOR_REFUSED',
      message: expect.stringContaining('stopped') as unknown,
    });
  });

  it('is a port that somebody else holds, before the process is sent anything', async () => {
    const holder = createServer().listen(9346, '127.0.0.1');
    try {
      const app = await start('setInterval(() => {}, 1000);', { flags: ['--inspect-port=9346'] });
      expect(await refused(app.pid)).toMatchObject({
        code: 'INSPECTOR_REFUSED',
        message: expect.stringContaining('port 9346') as unknown,
      });
      app.child.kill('SIGKILL');
      expect((await app.ended).stderr).toBe('');
    } finally {
      holder.close();
    }
  });

  it.runIf(process.getuid?.() === 0)('is a process of another user', async () => {
    const app = await start('setInterval(() => {}, 1000);');
    // Loads what it needs as root, then becomes nobody: the kernel refuses what this package would not.
    const script = `
      const { attachToProcess } = await import(${JSON.stringify(new URL('../../dist/profiling/attach/attach.js', import.meta.url).href)});
      process.setegid(65534);
      process.seteuid(65534);
      const { code, message } = await attachToProcess(${app.pid}).catch((error) => error);
      console.log(JSON.stringify({ code, message }));`;
    const nobody = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(nobody);
    let printed = '';
    nobody.stdout.on('data', (chunk) => (printed += String(chunk)));
    await new Promise((resolve) => nobody.once('close', resolve));
    expect(JSON.parse(printed)).toMatchObject({
      code: 'PROCESS_NOT_YOURS',
      message: expect.stringContaining('user root') as unknown,
    });
    expect(app.child.exitCode).toBeNull();
  });
});

describe.runIf(process.platform === 'linux')('sysopt profile --pid', () => {
  const profileOf = (pid: number, ...options: string[]) => [
    ...['profile', '--pid', String(pid), ...options],
    ...['--storage', join(directory, 'store')],
  ];

  it('diagnoses and stores', async () => {
    const app = await start(`${BUSY}\nsetInterval(work, 25);`);
    const { code, json } = await runCli(profileOf(app.pid, '-d', '1500ms', '--json'));
    expect(code).toBe(0);
    expect(json.target).toMatchObject({ pid: app.pid, description: `${process.execPath} ${app.file}` });
    expect(json.analysis.findings[0]).toMatchObject({ cause: 'sync-cpu', location: { function: 'work' } });
    expect(readdirSync(join(directory, 'store', 'results'))).toEqual([`${json.id}.json`]);
    expect(app.own()).toEqual([]);
  });

  it('profiles the busiest worker of a cluster whose primary idles', async () => {
    const app = await start(
      `import cluster from 'node:cluster'; ${BUSY}
if (cluster.isPrimary) { cluster.fork({ HOT: '1' }); cluster.fork(); setInterval(() => {}, 1000); }
else if (process.env.HOT) setInterval(work, 25); else setInterval(() => {}, 1000);`,
    );
    await wait(500);
    const { code, json, stderr } = await runCli(profileOf(app.pid, '-d', '1', '--json'));
    expect(code).toBe(0);
    expect(stderr).toContain(`Process ${app.pid} is idle and its child`);
    expect(json.target.pid).not.toBe(app.pid);
    expect(json.functions[0].location.function).toBe('work');
    expect(app.own()).toEqual([]);
  });

  it('stores what was read of a process that is killed, and says that it is not all', async () => {
    const app = await start(`${BUSY}\nsetInterval(work, 25);`);
    const cli = startCli(profileOf(app.pid, '-d', '60', '--json'));
    await cli.saw('Profiling cpu');
    await wait(800);
    app.child.kill('SIGKILL');
    const { code, json } = await cli.ended;
    expect(code).toBe(3);
    expect(json.warnings[0]).toContain('no functions');
    expect(readdirSync(join(directory, 'store', 'results'))).toEqual([`${json.id}.json`]);
  });

  it('leaves the process alone after Ctrl-C', async () => {
    const app = await start(`${BUSY}\nsetInterval(work, 25);`);
    const cli = startCli(profileOf(app.pid, '--no-agent', '-d', '60'));
    await cli.saw('Profiling cpu');
    await wait(300);
    cli.kill('SIGINT');
    expect((await cli.ended).code).toBe(130);
    expect(listens(app.pid)).toBe(false);
    expect(app.child.exitCode).toBeNull();
  });

  it.each([
    ['a second Ctrl-C', ['SIGINT', 'SIGINT'] as const],
    ['SIGTERM and Ctrl-C', ['SIGTERM', 'SIGINT'] as const],
    ['a kill', ['SIGKILL'] as const],
  ])('leaves no inspector open after %s', async (_name, signals) => {
    const app = await start(`${BUSY}\nsetInterval(work, 25);`);
    const cli = startCli(profileOf(app.pid, '--no-agent', '-d', '60'));
    await cli.saw('Profiling cpu');
    await wait(300);
    expect(listens(app.pid)).toBe(true);
    for (const signal of signals) cli.kill(signal);
    await cli.ended;
    expect({ code: app.child.exitCode, signal: app.child.signalCode }).toEqual({ code: null, signal: null });
    for (let i = 0; i < 200 && listens(app.pid); i += 1) await wait(50);
    expect(listens(app.pid)).toBe(false);
    expect(app.child.exitCode).toBeNull();
    // Its loop goes on, and no guard of the run before is in the way.
    const again = await attachToProcess(app.pid);
    const { mode, reason } = again;
    await again.close();
    expect({ mode, reason }).toEqual({ mode: 'agent', reason: undefined });
  });

  it('of a process that answers nothing ends at once after Ctrl-C, says what is left, and closes it later', async () => {
    const app = await start(
      `import { execSync } from 'node:child_process'; process.on('SIGUSR2', () => execSync('sleep 14')); setInterval(() => {}, 1000);`,
    );
    const cli = startCli(profileOf(app.pid, '--no-agent', '-d', '60'));
    await cli.saw('Profiling cpu');
    await wait(300);
    app.child.kill('SIGUSR2');
    await wait(300);
    cli.kill('SIGINT');
    const { code, stderr } = await cli.ended;
    expect(code).toBe(130);
    expect(stderr).toContain('is still open');
    for (let i = 0; i < 400 && listens(app.pid); i += 1) await wait(50);
    expect(listens(app.pid)).toBe(false);
  }, 60_000);

  it.each([
    [['--pid', 'abc'], 2],
    [['--pid', '0'], 2],
    [['--pid', '1', '--', 'node', 'app.js'], 2],
    [['--no-agent', '--', 'node', 'app.js'], 2],
    [['--pid', '4194303'], 3],
    [['--pid', '1', '--duration', '0'], 2],
    [['--pid', '1', '--duration', '0ms'], 2],
    [['--pid', '1', '--duration', '60m'], 2],
  ])('refuses %j with %d', async (args, expected) => {
    const { code, stderr } = await runCli(['profile', '--storage', join(directory, 'store'), ...args]);
    expect(code).toBe(expected);
    expect(stderr).toMatch(/^(error|Error)/m);
  });
});
