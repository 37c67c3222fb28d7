/** Executor and consumers over a real redis-server (and a real PostgreSQL), each started here; skipped where there is none. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { defineTask, TaskError } from '../../dist/index.js';
import {
  BullMQConsumer,
  BullMQExecutor,
  type BullMQConsumerOptions,
  type BullMQExecutorOptions,
} from '../../dist/integration/bullmq/index.js';
import { postgresMissing, redisMissing, startPostgres, startRedis } from '../fixtures/executor/backends.js';
import { startWorker, storm } from '../verify/executor.js';

const root = resolve(import.meta.dirname, '../..');
const cli = join(root, 'dist/cli/main.js');
const url = new URL('../fixtures/executor/tasks.js', import.meta.url);
const task = (name: string) => defineTask(url, name);
const folder = mkdtempSync(join(tmpdir(), 'sysopt-queue-'));
let redis: { connection: string; stop(): Promise<void> };
let queues = 0;
let open: { close(options?: object): Promise<void> }[] = [];

const newFile = () => join(folder, `notes-${(queues += 1)}`);
const linesOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await sleep(5);
};

/** An executor and its consumer on a queue of their own. */
async function pair(
  options: Partial<BullMQExecutorOptions> = {},
  consumerOptions: Partial<BullMQConsumerOptions> = {},
) {
  const common = { queue: `q${(queues += 1)}`, connection: redis.connection, root, ...options };
  const consumer = await BullMQConsumer.start({ threads: { maxThreads: 2 }, ...common, ...consumerOptions });
  const executor = new BullMQExecutor(common);
  open.push(executor, consumer);
  return { executor, consumer, common };
}

afterEach(async () => {
  for (const each of open.reverse())
    await each.close(each instanceof BullMQConsumer ? { drainTimeoutMs: 0 } : { force: true });
  open = [];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

if (redisMissing !== undefined) console.warn(`Skipped: ${redisMissing}`);

describe.skipIf(redisMissing !== undefined)('BullMQExecutor on Redis', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it('runs the same task with the same call as a pool, and keeps values and errors', async () => {
    const { executor, consumer } = await pair();
    expect(await executor.run(task('double'), 21)).toBe(42);
    const value = { at: new Date(0), tags: new Map([['a', new Set([1n])]]), none: undefined };
    expect(await executor.run(task('echo'), value)).toStrictEqual(value);
    const error: unknown = await executor
      .run(task('throwShortage'), 'tea')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({
      message: 'no tea left',
      item: 'tea',
      cause: new TypeError('the store is empty'),
    });
    expect((error as Error).constructor.name).toBe('ShortageError');
    expect((error as Error).stack).toMatch(
      /throwShortage[^]*<thread consumer .+:\d+>[^]*executor-bullmq\.test/,
    );
    await expect(executor.run(task('exitThread'))).rejects.toBeInstanceOf(TaskError);
    expect(await executor.run(task('double'), 4)).toBe(8);
    expect(consumer.stats).toMatchObject({ completed: 3, failed: 2, running: 0 });
  });

  it('runs a job that computes for longer than its lock once, where BullMQ’s own processor runs it twice', async () => {
    const file = newFile();
    const { executor } = await pair({}, { lockMs: 1_000 });
    await executor.run(task('compute'), { file, line: 'pool', ms: 2_000 });
    expect(linesOf(file)).toEqual(['begin pool', 'end pool']);

    // What this executor is there to avoid: the same task in the processor itself, beside a second consumer.
    const other = newFile();
    const name = `q${(queues += 1)}`;
    const script = `
      import { Worker } from 'bullmq';
      import { compute } from ${JSON.stringify(url.href)};
      new Worker(${JSON.stringify(name)}, (job) => compute(job.data), {
        connection: { path: ${JSON.stringify(redis.connection)} }, lockDuration: 1_000, stalledInterval: 1_000,
      }).on('error', () => {});`;
    const path = join(root, `build-docs-${process.pid}.mjs`);
    writeFileSync(path, script);
    const plain = [0, 1].map(() => spawn(process.execPath, [path], { stdio: 'ignore' }));
    try {
      const queue = new Queue(name, { connection: { path: redis.connection } });
      open.push({ close: () => queue.close() });
      await queue.add('compute', { file: other, line: 'processor', ms: 3_000 });
      await until(() => linesOf(other).length >= 2);
      expect(linesOf(other).slice(0, 2)).toEqual(['begin processor', 'begin processor']);
    } finally {
      for (const child of plain) child.kill('SIGKILL');
      rmSync(path);
    }
  });

  it('runs calls with one key once, from any executor, and remembers the result', async () => {
    const { executor, common } = await pair();
    const other = new BullMQExecutor(common);
    open.push(other);
    const file = newFile();
    const call = (by: BullMQExecutor, line: string) =>
      by.run(task('note'), { file, line }, { idempotencyKey: 'order 7: paid' });
    const [first, second] = await Promise.all([call(executor, 'a'), call(executor, 'b')]);
    expect(second).toBe(first);
    expect(await call(other, 'c')).toBe(first);
    expect(linesOf(file)).toEqual([first]);
  });

  it('tries again with pauses, then keeps a dead letter, which can be run again', async () => {
    const { executor } = await pair();
    const file = newFile();
    const args = { file, times: 3 };
    expect(
      await executor.run(task('failFirst'), { file: newFile(), times: 2 }, { attempts: 3, backoffMs: 10 }),
    ).toBe('at last');
    await expect(
      executor.run(task('failFirst'), args, { attempts: 3, backoffMs: 10, idempotencyKey: 'k' }),
    ).rejects.toThrow('not yet');
    expect(linesOf(file)).toHaveLength(3);
    await expect(executor.run(task('failFirst'), args, { idempotencyKey: 'k' })).rejects.toThrow('not yet');
    expect(linesOf(file)).toHaveLength(3);
    const [letter] = await executor.deadLetters();
    expect(letter).toMatchObject({
      task: { module: 'test/fixtures/executor/tasks.js', export: 'failFirst' },
      args,
      attempts: 3,
      idempotencyKey: 'k',
      error: { message: 'not yet' },
    });
    expect(await executor.retryDeadLetter(letter!.id)).toBe('at last');
    expect(await executor.deadLetters()).toEqual([]);

    await expect(executor.run(task('throwFinal'), undefined, { attempts: 5 })).rejects.toThrow(
      'does not exist',
    );
    const [final] = await executor.deadLetters();
    expect(final!.attempts).toBe(1);
    await executor.removeDeadLetter(final!.id);
    expect(await executor.deadLetters()).toEqual([]);
    await expect(executor.retryDeadLetter(final!.id)).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
  });

  it('stops a job that nobody waits for any more, waiting or running', async () => {
    const { executor, consumer, common } = await pair({}, { threads: { maxThreads: 1 } });
    const file = newFile();
    const controller = new AbortController();
    const running = executor.run(
      task('compute'),
      { file, line: 'endless', ms: 600_000 },
      { signal: controller.signal },
    );
    await until(() => linesOf(file).length > 0);
    const waiting = executor.run(task('note'), { file, line: 'never' }, { deadlineMs: 100 });
    await expect(waiting).rejects.toMatchObject({ code: 'TASK_TIMED_OUT' });
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await executor.run(task('note'), { file, line: 'next' })).toBe('next');
    await until(() => consumer.stats.running === 0);
    expect(linesOf(file)).toEqual(['begin endless', 'next']);
    const queue = new Queue(common.queue, { connection: { path: redis.connection } });
    open.push({ close: () => queue.close() });
    await until(async () => (await queue.getJobCounts('failed', 'active', 'prioritized')).failed === 0);
    expect(await queue.getJobCounts('failed', 'active', 'prioritized')).toEqual({
      failed: 0,
      active: 0,
      prioritized: 0,
    });
  });

  it('serves higher priorities first', async () => {
    const { executor, consumer, common } = await pair({}, { threads: { maxThreads: 1 } });
    await consumer.close();
    const file = newFile();
    const calls = [-5, 0, 5].map((priority) =>
      executor.run(task('note'), { file, line: priority }, { priority }),
    );
    calls.push(executor.run(task('note'), { file, line: 'last' }, { priority: -6 }));
    const queue = new Queue(common.queue, { connection: { path: redis.connection } });
    open.push({ close: () => queue.close() });
    await until(async () => {
      const { wait, prioritized } = await queue.getJobCounts('wait', 'prioritized');
      return (wait ?? 0) + (prioritized ?? 0) === 4;
    });
    open.push(await BullMQConsumer.start({ ...common, threads: { maxThreads: 1 } }));
    await Promise.all(calls);
    expect(linesOf(file)).toEqual(['5', '0', '-5', 'last']);
  });

  it.each([
    ['Redis', undefined],
    ['a folder', join(folder, 'payloads')],
  ])('carries large arguments and results by reference through %s', async (_, payloadFolder) => {
    const { executor, common } = await pair({ inlineBytes: 1_024, ...(payloadFolder && { payloadFolder }) });
    expect(await executor.run(task('sizeOf'), new Uint8Array(3_000_000))).toBe(3_000_000);
    const bytes = (await executor.run(task('bytes'), 2_000_000)) as Uint8Array;
    expect([bytes.length, bytes[1_999_999]]).toEqual([2_000_000, 7]);
    const queue = new Queue(common.queue, { connection: { path: redis.connection } });
    open.push({ close: () => queue.close() });
    for (const job of await queue.getJobs(['completed'])) {
      expect(JSON.stringify(job.asJSON()).length).toBeLessThan(2_000);
    }
    await expect(
      new BullMQExecutor({ ...common, maxPayloadBytes: 2_000 }).run(task('sizeOf'), new Uint8Array(3_000)),
    ).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it('hands in again what the backend lost', async () => {
    const { executor, consumer, common } = await pair();
    await consumer.close();
    const file = newFile();
    const call = executor.run(task('note'), { file, line: 'x' });
    const queue = new Queue(common.queue, { connection: { path: redis.connection } });
    open.push({ close: () => queue.close() });
    await until(async () => (await queue.getJobCounts('prioritized')).prioritized === 1);
    await queue.obliterate();
    open.push(await BullMQConsumer.start({ ...common, threads: { maxThreads: 1 } }));
    expect(await call).toBe('x');
  });

  it('refuses jobs that are not ours and modules that are not on the list', async () => {
    const { executor, common } = await pair({}, { only: ['test/fixtures/threads/tasks.js'] });
    await expect(executor.run(task('double'), 1)).rejects.toMatchObject({ code: 'TASK_REFUSED' });
    const queue = new Queue(common.queue, { connection: { path: redis.connection } });
    open.push({ close: () => queue.close() });
    const job = await queue.add('foreign', { some: 'data' });
    await until(async () => (await job.getState()) === 'failed');
    // They are dead letters like others, and hide none.
    const letters = await executor.deadLetters();
    expect(letters).toHaveLength(2);
    const foreign = letters.find(({ id }) => id === job.id);
    expect(foreign).toMatchObject({ task: { export: 'foreign' }, args: { some: 'data' }, attempts: 1 });
    expect(foreign!.error).toMatchObject({ code: 'TASK_REFUSED' });
    await expect(executor.retryDeadLetter(job.id!)).rejects.toMatchObject({ code: 'TASK_REFUSED' });
    await executor.removeDeadLetter(job.id!);
    expect(await executor.deadLetters()).toHaveLength(1);
    const outside = mkdirSync(join(folder, 'outside'), { recursive: true }) ?? folder;
    await expect(executor.run(defineTask(join(outside, 'x.js'), 'run'))).rejects.toThrow(/below the root/);
  });

  it('a job is done however its listeners fare', async () => {
    const { executor, consumer } = await pair();
    const caught: string[] = [];
    const onUncaught = (error: Error) => void caught.push(error.message);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', onUncaught);
    try {
      for (const event of ['completed', 'failed'] as const) {
        consumer.on(event, () => {
          throw new Error(`from ${event}`);
        });
      }
      const file = newFile();
      expect(await executor.run(task('note'), { file, line: 'x' }, { attempts: 3, backoffMs: 1 })).toBe('x');
      expect(linesOf(file)).toEqual(['x']);
      await expect(executor.run(task('throwShortage'), 'tea')).rejects.toThrow('no tea left');
      expect(consumer.stats).toMatchObject({ completed: 1, failed: 1 });
      await until(() => caught.length === 2);
      expect(caught).toEqual(['from completed', 'from failed']);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of others) process.on('uncaughtException', listener);
    }
  });

  it('runs a dead letter again though its deadline is long over, with the same time anew', async () => {
    const { executor } = await pair();
    const deadlineMs = 4_000;
    const file = newFile();
    const failing = executor.run(task('failFirst'), { file, times: 1 }, { deadlineMs });
    await expect(failing).rejects.toThrow('not yet');
    await sleep(deadlineMs);
    const [letter] = await executor.deadLetters();
    expect(await executor.retryDeadLetter(letter!.id)).toBe('at last');
  });

  it('takes times without end', async () => {
    const { executor } = await pair({ keepResultsMs: Infinity, keepDeadLettersMs: Infinity });
    expect(await executor.run(task('double'), 2, { deadlineMs: Infinity })).toBe(4);
    expect(await executor.run(task('double'), 2, { deadlineMs: 1e15 })).toBe(4);
    expect(await executor.run(task('sizeOf'), new Uint8Array(200_000))).toBe(200_000);
  });

  it('hands back to the queue what is not finished when a consumer closes, and another takes it at once', async () => {
    const { executor, consumer, common } = await pair({}, { lockMs: 600_000, threads: { maxThreads: 1 } });
    const file = newFile();
    const call = executor.run(task('wait'), { file, line: 'moved', ms: 300 });
    await until(() => linesOf(file).length > 0);
    await consumer.close({ drainTimeoutMs: 0 });
    expect(consumer.stats).toMatchObject({ returned: 1, failed: 0 });
    open.push(await BullMQConsumer.start({ ...common, threads: { maxThreads: 1 } }));
    expect(await call).toBe('moved');
    expect(linesOf(file)).toEqual(['begin moved', 'begin moved', 'end moved']);
  });

  it('sysopt worker drains on SIGTERM: what runs ends, what waits stays', async () => {
    const queue = `q${(queues += 1)}`;
    const executor = new BullMQExecutor({ queue, connection: redis.connection, root });
    open.push(executor);
    const worker = await startWorker(redis.connection, queue, ['--threads', '1', '--verbose']);
    const file = newFile();
    const first = executor.run(task('compute'), { file, line: 'first', ms: 500 });
    await until(() => linesOf(file).length > 0);
    const second = executor.run(task('note'), { file, line: 'second' });
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(await first).toBe('first');
    expect(linesOf(file)).toEqual(['begin first', 'end first']);
    expect(worker.output).toContain('Jobs completed: 1, attempts failed: 0, handed back: 0.');
    const next = await startWorker(redis.connection, queue, ['--threads', '1']);
    expect(await second).toBe('second');
    next.child.kill('SIGTERM');
    expect(await next.ended).toBe(0);
  });

  it('a job that kills its consumer becomes a dead letter after maxStalls, and others are done', async () => {
    const queue = `q${(queues += 1)}`;
    const executor = new BullMQExecutor({ queue, connection: redis.connection, root });
    open.push(executor);
    const file = newFile();
    const flags = ['--threads', '1', '--lock', '1s', '--max-stalls', '1'];
    let worker = await startWorker(redis.connection, queue, flags);
    const poison = executor.run(task('killProcess'), { file });
    poison.catch(() => {});
    let isOver = false;
    void poison.catch(() => (isOver = true));
    const harmless = executor.run(task('double'), 2);
    // What a supervisor does.
    while (!isOver) {
      const how = await Promise.race([worker.ended, sleep(100)]);
      if (how !== undefined && !isOver) worker = await startWorker(redis.connection, queue, flags);
    }
    await expect(poison).rejects.toMatchObject({ code: 'JOB_GIVEN_UP' });
    expect(await harmless).toBe(4);
    expect(new Set(linesOf(file)).size).toBe(2);
    expect((await executor.deadLetters()).map(({ task: { export: name } }) => name)).toEqual(['killProcess']);
    worker.child.kill('SIGKILL');
    await worker.ended;
  });

  it('loses no job to killed consumers and a killed, restarted Redis', async () => {
    const outcome = await storm({ jobs: 200, seed: 7, kills: 2, restarts: 1, inFlight: 100, lock: '3s' });
    expect(outcome.begun).toBeGreaterThanOrEqual(200);
    expect(outcome.begun).toBeLessThanOrEqual(202);
  });

  it('says in time that nothing answers, or that the password is wrong', async () => {
    const nowhere = new BullMQExecutor({ queue: 'q', connection: join(folder, 'no.sock'), root });
    await expect(nowhere.run(task('double'), 1)).rejects.toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      errno: 'ENOENT',
    });
    await nowhere.close();
    // Takes the connection and says nothing.
    const silent = createServer(() => undefined).listen(join(folder, 'silent.sock'));
    const late = new BullMQExecutor({ queue: 'q', connection: join(folder, 'silent.sock'), root });
    const controller = new AbortController();
    const signal = controller.signal;
    const ends = [
      expect(late.run(task('double'), 1, { deadlineMs: 50 })).rejects.toMatchObject({
        code: 'TASK_TIMED_OUT',
      }),
      expect(late.run(task('double'), 1, { signal })).rejects.toMatchObject({ code: 'ABORTED' }),
    ];
    controller.abort();
    await Promise.all(ends);
    await late.close({ force: true });
    silent.close();
    const wrong = new BullMQExecutor({
      queue: 'q',
      connection: { path: redis.connection, username: 'nobody', password: 'x' },
      connectTimeoutMs: 2_000,
      root,
    });
    await expect(wrong.run(task('double'), 1)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    await wrong.close();
    const failure = await promisify(execFile)(process.execPath, [
      cli,
      'worker',
      '--queue',
      'q',
      '--json',
      '--connection',
      'redis://user:secret@127.0.0.1:1',
    ]).catch((error: unknown) => error as { code: number; stdout: string; stderr: string });
    expect(failure).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('redis://127.0.0.1:1') as string,
    });
    expect(failure.stderr + failure.stdout).not.toContain('secret');
  });
});

describe('without bullmq', () => {
  it('says what to install; importing needs nothing', () => {
    const project = mkdtempSync(join(tmpdir(), 'sysopt-bare-'));
    try {
      execFileSync('cp', ['-r', join(root, 'dist'), join(root, 'package.json'), project]);
      const script = `
        const { BullMQExecutor } = await import(${JSON.stringify(join(project, 'dist/integration/bullmq/index.js'))});
        const { defineTask } = await import(${JSON.stringify(join(project, 'dist/index.js'))});
        const executor = new BullMQExecutor({ queue: 'q', root: ${JSON.stringify(project)} });
        await executor.run(defineTask(${JSON.stringify(join(project, 'dist/index.js'))}, 'fail')).catch((e) => console.log(e.code, e.message));`;
      const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
        encoding: 'utf8',
        cwd: project,
      });
      expect(output).toMatch(/^PACKAGE_REQUIRED .*npm install bullmq ioredis/);
    } finally {
      rmSync(project, { recursive: true, force: true });
    }
  });

  it('a service that imports the package loads nothing of it', () => {
    const script = `
      await import('system-optimizer');
      await import('system-optimizer/bullmq');
      const { createRequire } = await import('node:module');
      const loaded = Object.keys(createRequire(import.meta.url).cache).filter((file) => /bullmq|ioredis|node_modules.pg/.test(file));
      console.log(JSON.stringify([loaded, process.getActiveResourcesInfo().filter((name) => /Timeout|Socket|Worker/.test(name))]));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      cwd: root,
    });
    expect(JSON.parse(output)).toEqual([[], []]);
  });
});

if (postgresMissing !== undefined) console.warn(`Skipped: ${postgresMissing}`);

describe.skipIf(postgresMissing !== undefined)('BullMQExecutor on PostgreSQL', () => {
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  it('runs, retries, keeps dead letters and takes keys as on Redis', async () => {
    const { executor } = await pair({ connection: postgres.connection, payloadFolder: join(folder, 'pg') });
    expect(await executor.run(task('double'), 21)).toBe(42);
    expect(await executor.run(task('sizeOf'), new Uint8Array(300_000))).toBe(300_000);
    expect(
      await executor.run(task('failFirst'), { file: newFile(), times: 1 }, { attempts: 2, backoffMs: 10 }),
    ).toBe('at last');
    const file = newFile();
    const keyed = () => executor.run(task('note'), { file, line: 'once' }, { idempotencyKey: 'k' });
    expect(await Promise.all([keyed(), keyed()])).toEqual(['once', 'once']);
    expect(linesOf(file)).toEqual(['once']);
    await expect(executor.run(task('throwShortage'), 'tea')).rejects.toMatchObject({
      code: 'E_SHORTAGE',
      item: 'tea',
    });
    const [letter] = await executor.deadLetters();
    await expect(executor.retryDeadLetter(letter!.id)).rejects.toThrow('no tea left');
    await executor.removeDeadLetter(letter!.id);
    expect(await executor.deadLetters()).toEqual([]);
  });

  it('says that large payloads need a folder', async () => {
    const { executor } = await pair({ connection: postgres.connection });
    await expect(executor.run(task('bytes'), 200_000)).rejects.toThrow(/payloadFolder/);
  });
});
