import fs, { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs';
import { open, readFile as readPromised } from 'node:fs/promises';
import { createServer, get, Agent } from 'node:http';
import crypto from 'node:crypto';
import net, { type AddressInfo } from 'node:net';
import timers from 'node:timers';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { Latency } from '../../../dist/profiling/activity/latency.js';
import { ActivityTracer } from '../../../dist/profiling/activity/tracer.js';
import { gatherSignals } from '../../../dist/profiling/session.js';

const folder = mkdtempSync(join(tmpdir(), 'sysopt-activity-'));
const file = join(folder, 'file.txt');
writeFileSync(file, 'x'.repeat(1000));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Profiles while `work` runs; the window ends a moment after it. */
async function observe(type: 'io' | 'network' | 'cpu' | 'thread', work: () => Promise<unknown>) {
  const abort = new AbortController();
  let done = false;
  const run = gatherSignals(type, { durationMs: 700, signal: abort.signal });
  await work().then(() => (done = true));
  const signals = await run;
  expect(done).toBe(true);
  return signals;
}
const rows = (signals: Awaited<ReturnType<typeof observe>>, kind: string) =>
  (signals.activities ?? []).filter((row) => row.kind === kind);

describe('files', () => {
  it('are seen by call, promise, handle and synchronous call, with bytes and the place', async () => {
    const signals = await observe('io', async () => {
      await new Promise((resolve) => readFile(file, resolve));
      await readPromised(file);
      const handle = await open(file);
      await handle.read(Buffer.alloc(10), 0, 10, 0);
      await handle.close();
      fs.readFileSync(file);
    });
    const named = new Map(signals.activities!.map((row) => [row.name, row]));
    for (const name of ['fs.readFile', 'fs.promises.readFile', 'fs.readFileSync'])
      expect(named.get(name), name).toMatchObject({ count: 1, errors: 0, bytes: 1000 });
    expect(named.get('fs.readFile')!.location!.file).toContain('activity.test');
    expect(named.get('FileHandle.read')).toMatchObject({ count: 1, bytes: 10 });
    expect(named.get('fs.promises.open')!.openDescriptors).toBeUndefined();
  });

  it('that fail are counted as failures, and fail as before', async () => {
    const signals = await observe('io', () =>
      expect(readPromised(join(folder, 'gone'))).rejects.toMatchObject({ code: 'ENOENT' }),
    );
    expect(rows(signals, 'fs')[0]).toMatchObject({ name: 'fs.promises.readFile', errors: 1 });
  });

  it('that stay open are counted at the place that opened them', async () => {
    const descriptors: number[] = [];
    const signals = await observe('io', async () => {
      for (let i = 0; i < 3; i += 1) descriptors.push(fs.openSync(file, 'r'));
      fs.closeSync(descriptors.pop()!);
    });
    for (const descriptor of descriptors) fs.closeSync(descriptor);
    expect(signals.activities!.find(({ openDescriptors }) => openDescriptors)!.openDescriptors).toBe(2);
  });
});

describe('the network', () => {
  it('shows requests by host, and whether they made a connection', async () => {
    const server = createServer((_request, response) => response.end('hi')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<void>((resolve, reject) => {
        get({ host: '127.0.0.1', port, agent }, (response) => {
          response.resume().once('end', resolve);
        }).once('error', reject);
      });
    const signals = await observe('network', async () => {
      for (let i = 0; i < 4; i += 1) await ask();
      await (await fetch(`http://127.0.0.1:${port}/`)).text();
    });
    agent.destroy();
    server.closeAllConnections();
    server.close();
    const requests = rows(signals, 'http');
    expect(requests.every(({ target }) => target === `127.0.0.1:${port}`)).toBe(true);
    const byAgent = requests.filter(({ newConnectionShare }) => newConnectionShare !== undefined);
    expect(byAgent.reduce((sum, { count }) => sum + count, 0)).toBe(4);
    const made = byAgent.reduce((sum, row) => sum + row.count * row.newConnectionShare!, 0);
    expect(made).toBe(1);
    expect(requests.reduce((sum, { count }) => sum + count, 0)).toBe(5);
    expect(signals.metrics['network.server.requests']).toMatchObject({ available: true });
    expect(rows(signals, 'socket')).toEqual([]);
  });

  it('shows a stream that is filled although it asked for a pause', async () => {
    const server = net.createServer((socket) => socket.pause()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const signals = await observe('network', async () => {
      for (let i = 0; i < 200; i += 1) socket.write(Buffer.alloc(65_536));
      await Promise.resolve();
    });
    socket.destroy();
    server.close();
    const [row] = rows(signals, 'overfilled-write');
    expect(row!.name).toBe('Socket.write');
    expect(row!.peakBufferedBytes).toBeGreaterThan(1e6);
  });
});

describe('threads', () => {
  it('have roles, and workers a profile of their own', async () => {
    const worker = new Worker(
      'function spin() { const end = Date.now() + 40; while (Date.now() < end); } setInterval(spin, 50);',
      { eval: true },
    );
    await new Promise((resolve) => worker.once('online', resolve));
    const signals = await observe('thread', () => new Promise((resolve) => setTimeout(resolve, 500)));
    await worker.terminate();
    const [profile] = signals.threadProfiles!;
    expect(profile!.functions.map(({ location }) => location.function)).toContain('spin');
    if (process.platform !== 'linux') return;
    expect(signals.threads!.find(({ tid }) => tid === profile!.tid)!.role).toBe('worker');
    expect(signals.threads!.filter(({ role }) => role === 'main')).toHaveLength(1);
    expect(signals.threads!.some(({ role }) => role === 'pool')).toBe(true);
  });
});

describe('the program', () => {
  // Only compared, never called.
  /* eslint-disable @typescript-eslint/unbound-method */
  const originals = () => [
    fs.readFile,
    fs.promises.readFile,
    fs.readFileSync,
    fs.openSync,
    crypto.pbkdf2,
    globalThis.fetch,
    globalThis.setTimeout,
    timers.setTimeout,
    net.Socket.prototype.connect,
    Agent.prototype,
  ];
  /* eslint-enable @typescript-eslint/unbound-method */

  it('has its functions back afterwards, with nothing left on the prototypes', () => {
    const before = originals();
    const own = Object.getOwnPropertyNames(net.Socket.prototype);
    const tracer = new ActivityTracer();
    tracer.start('io');
    expect(fs.readFile).not.toBe(before[0]);
    expect([fs.readFile.name, fs.readFile.length]).toEqual([
      'readFile',
      (before[0] as typeof fs.readFile).length,
    ]);
    expect(readFile).toBe(fs.readFile);
    tracer.stop();
    expect(originals()).toEqual(before);
    expect(readFile).toBe(before[0]);
    expect(Object.getOwnPropertyNames(net.Socket.prototype)).toEqual(own);
  });

  it('keeps what it put in the place of a replacement itself', () => {
    const before = fs.rename;
    const tracer = new ActivityTracer();
    tracer.start('io');
    const theirs = fs.rename;
    const wrapped = (...args: Parameters<typeof fs.rename>) => theirs(...args);
    Object.assign(fs, { rename: wrapped });
    tracer.stop();
    expect(fs.rename).toBe(wrapped);
    fs.rename = before;
  });

  it('gets the errors that it would have got for wrong arguments', () => {
    const tracer = new ActivityTracer();
    tracer.start('io');
    expect(() => fs.readFile(7.5, () => {})).toThrow(/path|fd/);
    expect(() => crypto.pbkdf2('a', 'b', -1, 1, 'sha256', () => {})).toThrow(/iterations/);
    expect(() => (fs.readFile as unknown as (path: string) => void)(file)).toThrow(/cb/);
    expect(tracer.table.totals('fs').inFlight).toBe(0);
    tracer.stop();
  });
});

describe('durations', () => {
  it('give percentiles right to a tenth, and never more than the longest', () => {
    const latency = new Latency();
    for (let ms = 1; ms <= 1000; ms += 1) latency.add(ms);
    expect(Math.abs(latency.percentile(0.5) / 500 - 1)).toBeLessThan(0.1);
    expect(Math.abs(latency.percentile(0.99) / 990 - 1)).toBeLessThan(0.1);
    expect(latency.percentile(1)).toBeLessThanOrEqual(1000);
    expect(new Latency().percentile(0.5)).toBeNaN();
  });
});
