/**
 * A lane whose worker's side is played by the test, so that it takes or finishes a task at the very moment that matters:
 * between two tasks that are taken back, or while the arguments of another are read.
 */
import { expect, it } from 'vitest';
import { defineTask } from '../../../dist/threads/task.js';
import { TaskDispatcher, type TaskHost } from '../../../dist/threads/task-dispatcher.js';
import { Lane } from '../../../dist/threads/transport/lane.js';
import { LaneMemory } from '../../../dist/threads/transport/lane-memory.js';
import { Payload } from '../../../dist/threads/transport/payload.js';

const task = defineTask(new URL('tasks.js', import.meta.url), 'brief');

/** A dispatcher with one thread, and that thread's side of the lane. */
function oneThread() {
  const lane = new Lane<any>({ port: undefined as never, post() {}, other() {} });
  const worker = {
    lane,
    mailbox: { isAsleep: false, wakeMs: 0.01, announce() {}, ring() {} },
    backlogMs: 0,
    unrungMs: 0,
    progressAt: 0,
    isStuck: false,
    isCondemned: false,
    isListening: false,
    ended: 0,
    async terminate() {
      worker.ended += 1;
    },
  };
  const idle: unknown[] = [worker];
  const roster = {
    size: 1,
    starting: 0,
    canGrow: false,
    get idle() {
      return idle.length;
    },
    takeIdle: () => idle.pop(),
    putIdle: (free: unknown) => void idle.push(free),
    ensureStarting() {},
  };
  const dispatcher: TaskDispatcher = new TaskDispatcher({
    options: { name: 'one', concurrency: 1, stores: [], queueLimit: Infinity, queueFull: 'wait' },
    roster,
    release(free: unknown) {
      idle.push(free);
      dispatcher.dispatch();
    },
    changed() {},
    queueFull() {},
  } as unknown as TaskHost);
  const side = new LaneMemory(lane.memory.buffer);
  /** What the thread begins with; it sees all that was handed over. */
  const take = () => {
    lane.memory.publish();
    const slot = side.take();
    return { slot, value: slot < 0 ? undefined : side.read(slot) };
  };
  const finish = ({ slot }: { slot: number }) => {
    side.finish(slot, Payload.UNDEFINED, 0, 0.001);
    dispatcher.returned(worker as never);
  };
  const run = (value: number, priority = 0, signal?: AbortSignal) =>
    dispatcher.submit(task, value, { priority, ...(signal && { signal }) });
  return { dispatcher, worker, lane, idle, run, take, finish };
}

it('leaves the worker what is more urgent until all else was taken back', async () => {
  const { lane, run, take, finish } = oneThread();
  // What it takes is known from now on.
  const known = run(0);
  finish(take());
  await known;

  const first = run(1);
  const started = take();
  expect(started.value).toBe(1);
  void run(2);
  void run(3);
  // Takes both back, and comes before them although it was called after them.
  void run(50, 5);
  finish(started);
  await first;
  expect([...lane.parcels()].map(({ args }) => args as number).sort()).toEqual([2, 50]);

  // The worker goes on after the first that is taken back.
  const taken: unknown[] = [];
  const withdraw = lane.withdraw.bind(lane);
  lane.withdraw = (parcel) => {
    const isWithdrawn = withdraw(parcel);
    if (isWithdrawn && taken.length === 0) taken.push(take().value);
    return isWithdrawn;
  };
  void run(90, 9);
  expect(taken).toEqual([50]);
});

it('makes way for what is more urgent, also after a call that a getter of its arguments aborted', async () => {
  const { dispatcher, lane, run, take, finish } = oneThread();
  const known = run(0);
  finish(take());
  await known;

  const controller = new AbortController();
  const args = {
    get x() {
      controller.abort();
      return 1;
    },
  };
  const aborted = dispatcher.submit(task, args, { signal: controller.signal });
  await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
  expect(dispatcher).toMatchObject({ pending: 0, running: 0, queued: 0 });

  void run(1);
  expect(take().value).toBe(1);
  void run(2);
  void run(50, 5);
  expect([...lane.parcels()].map(({ args: sent }) => sent as number)).toEqual([1]);
  expect(dispatcher).toMatchObject({ pending: 3, running: 1, queued: 2 });
});

it('gives a place to each of two tasks, where the arguments of one hand the other over', () => {
  const lane = new Lane<any>({ port: undefined as never, post() {}, other() {} });
  const side = new LaneMemory(lane.memory.buffer);
  const parcel = (args: unknown) => ({
    taskId: 1,
    task,
    args,
    transfer: undefined,
    stores: undefined,
    slot: -1,
  });
  const inner = parcel('inner');
  const outer = parcel({
    get x() {
      if (inner.slot < 0) lane.submit(inner);
      return 1;
    },
  });
  lane.submit(outer);
  expect(outer.slot).not.toBe(inner.slot);
  expect(lane.load).toBe(2);
  lane.memory.publish();
  const taken = [side.take(), side.take()];
  expect(taken).toEqual([inner.slot, outer.slot]);
  expect(taken.map((slot) => side.read(slot))).toEqual(['inner', { x: 1 }]);
});

it('keeps a worker from being idle while arguments are read for it', async () => {
  const { dispatcher, lane, idle, run, take, finish } = oneThread();
  const known = run(0);
  finish(take());
  await known;

  const controller = new AbortController();
  const before = dispatcher.submit(task, 1, { signal: controller.signal });
  const started = take();
  const args = {
    get x() {
      // It is read twice.
      if (!controller.signal.aborted) finish(started);
      // Too late: it takes in what the worker has finished, which was all that it had.
      controller.abort();
      return 1;
    },
  };
  void dispatcher.submit(task, args, undefined);
  await before;
  expect(lane.load).toBe(1);
  expect(idle).toEqual([]);
});

it.each([
  ['ends a thread for a call that was aborted while it ran', false],
  ['does not end it where the task ended meanwhile, and another one has begun', true],
])('%s', async (_, endsMeanwhile) => {
  const { worker, lane, run, take, finish } = oneThread();
  const known = run(0);
  finish(take());
  await known;

  const control = new AbortController();
  const aborted = run(1, 0, control.signal).catch((error: { code: string }) => error.code);
  const started = take();
  expect(started.value).toBe(1);
  const next = run(2);
  lane.memory.publish();
  // The pool finds that it cannot take the first back, and then turns to the second.
  const side = new LaneMemory(lane.memory.buffer);
  const withdraw = lane.withdraw.bind(lane);
  let begun: { slot: number; value: unknown } | undefined;
  lane.withdraw = (parcel) => {
    const isTaken = withdraw(parcel);
    if (endsMeanwhile && !isTaken && begun === undefined) {
      side.finish(started.slot, Payload.UNDEFINED, 0, 0.001);
      begun = take();
    }
    return isTaken;
  };
  control.abort();
  expect(await aborted).toBe('ABORTED');
  expect(worker.ended).toBe(endsMeanwhile ? 0 : 1);
  expect(worker.isCondemned).toBe(!endsMeanwhile);
  if (!endsMeanwhile) return;
  expect(begun?.value).toBe(2);
  finish(begun!);
  await next;
});
