/** One signal may be handed to any number of calls. */
import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { listenForAbort } from '../../../dist/threads/abort-listeners.js';
import { ConcurrencyLimiter } from '../../../dist/threads/limiter/concurrency-limiter.js';
import { LocalExecutor } from '../../../dist/threads/local-executor.js';
import { fixture, int32, poolWith, rejection } from '../../fixtures/threads/setup.js';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

it('each is called once, those that stopped are not, and none is left behind', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const called: string[] = [];
  const call = (name: string) => listenForAbort(signal, () => called.push(name));
  call('a')();
  expect(listeners(signal)).toBe(0);
  const [, stopC] = [call('b'), call('c'), listenForAbort(signal, () => stopD())];
  const stopD = call('d');
  call('e');
  expect(listeners(signal)).toBe(1);
  stopC();
  stopC();
  controller.abort();
  expect(called).toEqual(['b', 'e']);
  stopD();
  expect(listeners(signal)).toBe(0);
});

it('a pool, its loops, an executor and a limiter listen to a signal once each at most, and end what waits for it', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const pool = poolWith({ maxThreads: 2 });
  const executor = new LocalExecutor({ pool });
  const limiter = new ConcurrencyLimiter({ initialLimit: 1, maxQueued: 100 });
  const permit = limiter.tryAcquire()!;
  const controller = new AbortController();
  const { signal } = controller;
  await pool.start();
  const visits = int32(4);
  const loop = {
    task: fixture('countVisits'),
    range: [0, 4] as const,
    shared: { visits },
    schedule: 'static',
  } as const;
  const slow = { ms: 60_000, value: 1 };
  const done = Array.from({ length: 20 }, (_, n) => pool.run(fixture('double'), n, { signal }));
  await Promise.all([...done, ...Array.from({ length: 20 }, () => pool.parallelFor({ ...loop, signal }))]);
  expect(listeners(signal)).toBe(0);
  const waiting = Array.from({ length: 20 }, () => [
    rejection(pool.run(fixture('later'), slow, { signal })),
    rejection(executor.run(fixture('later'), slow, { signal })),
    rejection(executor.run(fixture('later'), slow, { signal, idempotencyKey: 'k' })),
    rejection(limiter.acquire({ signal })),
  ]).flat();
  await new Promise((resolve) => setImmediate(resolve));
  expect(listeners(signal)).toBe(1);
  controller.abort();
  for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'ABORTED' });
  expect(listeners(signal)).toBe(0);
  permit.release();
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
  process.off('warning', onWarning);
  await executor.close({ force: true });
});
