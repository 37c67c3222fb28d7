import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compare } from '../../../dist/validation/compare.js';

const script = fileURLToPath(new URL('../../fixtures/validation/service.js', import.meta.url));

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

const service = (port: number, iterations: number, label: string, path = '/') => ({
  service: [process.execPath, script, String(port), String(iterations)],
  url: `http://127.0.0.1:${port}${path}`,
  label,
});
const quick = { maxProcesses: 4, load: { blockMs: 150, connections: 4 } };

const listens = (port: number) =>
  fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );

describe('compare over services', () => {
  it('tells a service that does far more per request, and stops both', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const result = await compare(service(a, 1000, 'light'), service(b, 400_000, 'heavy'), {
      load: { blockMs: 200, connections: 4 },
      maxProcesses: 12,
    });
    expect(result).toMatchObject({ form: 'service', verdict: 'slower', baseline: 'light', unit: 'ms' });
    expect(result.measure).toBe(process.platform === 'linux' ? 'cpu' : 'time');
    const names = result.costs.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['latency p50', 'latency p90', 'latency p99']));
    expect(result.warnings.join()).toContain('one instance of each service');
    expect(result.replicatesNeeded!.map(({ effect }) => effect)).toEqual([0.02, 0.03, 0.05, 0.1]);
    expect(await listens(a)).toBe(false);
    expect(await listens(b)).toBe(false);
  });

  it('restarts two services that need the same address', async () => {
    const port = await freePort();
    const result = await compare(service(port, 1000, 'light'), service(port, 400_000, 'heavy'), quick);
    expect(result.ratio).toBeGreaterThan(2);
    expect(result.warnings.join()).not.toContain('one instance');
    await expect(
      compare(service(port, 1, 'a'), service(port, 1, 'b'), { load: { instances: 'live' } }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('compares answers where it is given a way to', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const pair = [service(a, 10, 'one'), service(b, 10, 'two')] as const;
    await expect(compare(...pair, { ...quick, checkResults: { relativeTolerance: 0 } })).rejects.toThrow(
      /two and one give different results: result\.port/,
    );
    expect(await listens(a)).toBe(false);
  });

  it('names services that answer with different statuses', async () => {
    const [a, b] = [await freePort(), await freePort()];
    await expect(compare(service(a, 10, 'one'), service(b, 10, 'two', '/missing'), quick)).rejects.toThrow(
      /two and one give different results: status 200 against 404/,
    );
  });

  it('names a service that dies under load, and stops the other', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const dying = compare(service(a, 10, 'one'), service(b, 10, 'two'), {
      ...quick,
      load: { ...quick.load, path: '/exit' },
    });
    await expect(dying).rejects.toThrow(/measured one ended \(exit code 7\)/);
    expect(await listens(a)).toBe(false);
    expect(await listens(b)).toBe(false);
  });

  it('stops a service that no longer answers, and drives a mix in whole rounds', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const mix = { ...quick.load, requests: [{ path: '/' }, { path: '/missing' }] };
    const result = await compare(service(a, 10, 'one'), service(b, 10, 'two'), { ...quick, load: mix });
    // Half of all answers are the 404 that was asked for.
    expect(result.warnings.join()).toContain('requests of a block failed');
    const stalling = compare(service(a, 10, 'one'), service(b, 10, 'two'), {
      ...quick,
      checkResults: false,
      timeoutMs: 500,
      load: { ...quick.load, requests: [{ path: '/' }, { path: '/stall' }] },
    });
    await expect(stalling).rejects.toMatchObject({ code: 'SUBJECT_TIMED_OUT' });
    expect(await listens(a)).toBe(false);
  });

  it('names a service that never answers, and stops the other', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const silent = {
      service: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
      url: `http://127.0.0.1:${b}/`,
      readyTimeoutMs: 500,
    };
    await expect(compare(service(a, 10, 'one'), silent, quick)).rejects.toMatchObject({
      code: 'URL_NOT_ANSWERING',
    });
    expect(await listens(a)).toBe(false);
  });
});
