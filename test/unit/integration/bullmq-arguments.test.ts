import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { BullMQExecutor } from '../../../dist/integration/bullmq/bullmq-executor.js';
import { BullMQConsumer } from '../../../dist/integration/bullmq/bullmq-consumer.js';
import { PayloadCodec } from '../../../dist/integration/bullmq/payload.js';
import { noStore } from '../../../dist/integration/bullmq/payload-store.js';
import { checkDrainTimeout } from '../../../dist/integration/bullmq/consumer-options.js';
import { ResultWaiter } from '../../../dist/integration/bullmq/result-waiter.js';

// A timer of more than 2^31 - 1 ms fires at once, and would stop every job instead of none.
it.each([Infinity, NaN, -1, 2 ** 31, '30000', null])('refuses %s as the time to drain', (drainTimeoutMs) => {
  expect(() => checkDrainTimeout(drainTimeoutMs)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

it.each([0, -1, NaN, '5'])(
  'refuses to list %s dead letters, which BullMQ would take for others',
  async (limit) => {
    const executor = new BullMQExecutor({ queue: 'none', connection: 'redis://127.0.0.1:1' });
    await expect(executor.deadLetters({ limit: limit as number })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await executor.close();
  },
);

it.each([
  [{ forced: true }, 'forced'],
  [null, 'options'],
])('refuses to close with %j', async (options, named) => {
  const executor = new BullMQExecutor({ queue: 'none', connection: 'redis://127.0.0.1:1' });
  await expect(executor.close(options as never)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(named) as string,
  });
  await expect(executor.deadLetters({ limits: 3 } as never)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  await executor.close();
});

it.each([
  [{ only: [5] }, 'only'],
  [{ threads: 5 }, 'threads'],
  [{ threads: [] }, 'threads'],
])('refuses to start a consumer with %j', async (options, named) => {
  const consumer = BullMQConsumer.start({
    queue: 'none',
    connection: 'redis://127.0.0.1:1',
    ...options,
  } as never);
  await expect(consumer).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(named) as string,
  });
});

it.each([
  ['Arguments', { list: [1, () => 1] }, 'args.list.1 of task "x" (x.js) cannot be cloned: () => 1'],
  ['Arguments', Symbol('x'), 'args of task "x" (x.js) cannot be cloned: '],
  ['Results', { memory: new SharedArrayBuffer(8) }, 'result of task "x" (x.js) cannot be cloned: '],
] as const)('names what no queue can carry: %s', async (what, value, message) => {
  const codec = new PayloadCodec({ inlineBytes: 1_024, maxBytes: 2_048 }, noStore('none'));
  const encoded = codec.encode(value, { what, task: 'task "x" (x.js)', key: 'k', keepMs: 1_000 });
  await expect(encoded).rejects.toMatchObject({
    name: 'DataCloneError',
    message: expect.stringContaining(message) as string,
  });
});

it('hands nothing over once closed, and says so to whoever was on the way', async () => {
  const waiter = new ResultWaiter({} as never, new EventEmitter() as never, {} as never, () => {});
  let handedOver = 0;
  const request = {
    id: 'job-1',
    handOver: () => Promise.resolve((handedOver += 1)),
    isReused: false,
    keepMs: 1_000,
    lost: () => new Error('lost'),
  };
  const before = waiter.wait(request);
  waiter.close(() => new Error('closed'));
  const after = waiter.wait({ ...request, id: 'job-2' });
  await expect(before.outcome).rejects.toThrow('closed');
  await expect(after.outcome).rejects.toThrow('closed');
  expect(handedOver).toBe(1);
  after.stop();
});
