import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import type { ConcurrencyLimiter } from '../../../../dist/index.js';

it('the http example answers what it has places for and refuses the rest at once', async () => {
  const { startServer } = await import('../../../../examples/limiter/http.js');
  const waiting: (() => void)[] = [];
  const { server, limiter } = await startServer(
    (_: unknown, response: { end(text: string): void }) => waiting.push(() => response.end('done')),
    { initialLimit: 2, maxLimit: 2 },
  );
  const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
  const served = [fetch(url), fetch(url)];
  while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const refused = await fetch(url);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  for (const end of waiting) end();
  expect(await Promise.all(served.map(async (response) => (await response).text()))).toEqual([
    'done',
    'done',
  ]);
  while (limiter.stats().inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(limiter.stats()).toMatchObject({ accepted: 2, rejected: 1, inFlight: 0 });
  server.close();
});

it('the Fastify example answers what it has places for and refuses the rest at once', async () => {
  const { default: fastify } = await import('fastify');
  const { limiterPlugin } = await import('../../../../examples/limiter/fastify.js');
  const app = fastify({ forceCloseConnections: true });
  await app.register(limiterPlugin, { initialLimit: 2, maxLimit: 2 });
  const { limiter } = app as unknown as { limiter: ConcurrencyLimiter };
  const waiting: (() => void)[] = [];
  app.get('/', () => new Promise((resolve) => waiting.push(() => resolve({ done: true }))));
  app.get('/broken', () => {
    throw new Error('broken');
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  try {
    const served = [fetch(url), fetch(url)];
    while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
      503,
      '1',
      { error: 'overloaded' },
    ]);
    for (const end of waiting) end();
    expect(await Promise.all(served.map(async (response) => (await response).json()))).toEqual([
      { done: true },
      { done: true },
    ]);
    // Places are given back by answers, by errors and by clients that leave.
    const broken = await fetch(`${url}/broken`);
    expect([broken.status, await broken.json()]).toMatchObject([500, { message: 'broken' }]);
    const gone = new AbortController();
    const left = fetch(url, { signal: gone.signal });
    while (waiting.length < 3) await new Promise((resolve) => setImmediate(resolve));
    gone.abort();
    await expect(left).rejects.toThrow();
    waiting[2]!();
    while (limiter.stats().inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(limiter.stats()).toMatchObject({ accepted: 4, rejected: 1, inFlight: 0 });
  } finally {
    await app.close();
  }
});

it('the Fastify example gives a place to those that may wait for one', async () => {
  const { default: fastify } = await import('fastify');
  const { limiterPlugin } = await import('../../../../examples/limiter/fastify.js');
  const app = fastify({ forceCloseConnections: true });
  await app.register(limiterPlugin, { initialLimit: 1, maxLimit: 1, maxQueued: 5, queueTimeoutMs: 30_000 });
  app.get('/', async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 'ok';
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  try {
    const answers = await Promise.all([1, 2, 3, 4].map(async () => (await fetch(url)).text()));
    expect(answers).toEqual(['ok', 'ok', 'ok', 'ok']);
  } finally {
    await app.close();
  }
});
