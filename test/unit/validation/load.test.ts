import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../../dist/validation/latency-histogram.js';
import { driveLoad } from '../../../dist/validation/load.js';

let server: Server | undefined;

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
});

describe.each([
  ['closed loop', {}],
  ['fixed rate', { rate: 200 }],
])('driveLoad, %s', (_, mode) => {
  it('counts what was answered and sends what was asked', async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        seen.push(`${request.method ?? ''} ${request.headers['x-test'] as string} ${body}`);
        response.end('ok');
      });
    });
    const summary = await driveLoad(url, {
      durationMs: 300,
      method: 'POST',
      body: 'hello',
      headers: { 'x-test': 'yes' },
      ...mode,
    });
    expect(new Set(seen)).toEqual(new Set(['POST yes hello']));
    expect(summary.requests).toBeGreaterThan(10);
    expect(summary.requests).toBeLessThanOrEqual(seen.length);
    expect(summary.errors).toBe(0);
    const { p50, p90, p99, max } = summary.latencyMs;
    expect(p50).toBeGreaterThan(0);
    expect([p50, p90, p99, max]).toEqual([p50, p90, p99, max].toSorted((a, b) => a - b));
  });

  it('counts error answers as errors', async () => {
    const url = await serve((_request, response) => response.writeHead(503).end());
    const { requests, errors } = await driveLoad(url, { durationMs: 150, ...mode });
    expect(errors).toBe(requests);
  });

  it('names a URL where nothing answers', async () => {
    const url = await serve(() => {});
    server!.close();
    server!.closeAllConnections();
    await once(server!, 'close');
    await expect(driveLoad(url, { durationMs: 150, ...mode })).rejects.toMatchObject({
      code: 'URL_NOT_ANSWERING',
    });
  });

  it('ends when it is aborted while it begins', async () => {
    const url = await serve((_request, response) => response.end('ok'));
    const controller = new AbortController();
    const load = driveLoad(url, { durationMs: 60_000, signal: controller.signal, ...mode });
    controller.abort();
    await expect(load).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('ends when it is aborted and returns what it has', async () => {
    const url = await serve((_request, response) => response.end('ok'));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const summary = await driveLoad(url, { durationMs: 600_000, signal: controller.signal, ...mode });
    expect(summary.requests).toBeGreaterThan(0);
    await expect(
      driveLoad(url, { durationMs: 100, signal: AbortSignal.abort(), ...mode }),
    ).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('driveLoad at a fixed rate', () => {
  it('sends at the rate and charges a stall to every request that was due in it', async () => {
    let stalled = false;
    const url = await serve((_request, response) => {
      if (stalled) return void response.end('ok');
      stalled = true;
      setTimeout(() => response.end('ok'), 400);
    });
    // One connection: all that is due during the stall has to wait for its end.
    const { requests, latencyMs } = await driveLoad(url, { durationMs: 1000, rate: 100, connections: 1 });
    expect(requests).toBe(100);
    // A closed loop would have shown one slow request. Here a third of them waited over 50 ms.
    expect(latencyMs.p90).toBeGreaterThan(200);
    expect(latencyMs.max).toBeGreaterThan(380);
  });
});

describe('driveLoad with wrong arguments', () => {
  it.each([
    ['ftp://localhost/', { durationMs: 10 }],
    ['nonsense', { durationMs: 10 }],
    ['http://localhost/', { durationMs: 0 }],
    ['http://localhost/', { durationMs: NaN }],
    ['http://localhost/', { durationMs: 10, connections: -1 }],
    ['http://localhost/', { durationMs: 10, rate: Infinity }],
  ])('refuses %s with %o', async (url, options) => {
    await expect(driveLoad(url, options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('LatencyHistogram', () => {
  it('gives quantiles within 0.1 %', () => {
    const histogram = new LatencyHistogram();
    for (let i = 1; i <= 10_000; i += 1) histogram.add(i / 100);
    for (const share of [0.01, 0.5, 0.9, 0.99]) {
      expect(Math.abs(histogram.quantile(share) / (100 * share) - 1)).toBeLessThan(0.0011);
    }
    expect(histogram.quantile(1)).toBeCloseTo(100, 0);
    expect(histogram.maxMs).toBe(100);
    expect(histogram.count).toBe(10_000);
  });

  it('holds extremes, and has no quantile while empty', () => {
    const histogram = new LatencyHistogram();
    expect(histogram.quantile(0.5)).toBeNaN();
    histogram.add(0);
    histogram.add(1e9);
    expect(histogram.quantile(0.5)).toBeLessThan(0.002);
    expect(histogram.maxMs).toBe(1e9);
  });
});
