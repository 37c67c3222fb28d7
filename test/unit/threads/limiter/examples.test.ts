import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';

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
