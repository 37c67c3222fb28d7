/** How a pool wakes threads on other CPUs than its own, and that nothing runs with the mask which that takes. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadNative } from '../../../dist/native/load.js';
import { Mailbox } from '../../../dist/threads/mailbox.js';
import { allowedCpus } from '../../../dist/threads/placement.js';
import { allowedThreads } from '../../../dist/threads/pool-options.js';
import { WakeElsewhere } from '../../../dist/threads/transport/wake-elsewhere.js';
import { fixture, int32, marked, poolWith } from '../../fixtures/threads/setup.js';

afterEach(() => vi.restoreAllMocks());

/** A sleeping thread as the pool sees it, by a clock of its own, and what is done to it. */
function sleeper() {
  const state = { now: 1_000, isBlocked: true, lastWakeMs: 0.05, canKeep: true };
  vi.spyOn(performance, 'now').mockImplementation(() => state.now);
  const done: string[] = [];
  const mailbox = {
    get isBlocked() {
      return state.isBlocked;
    },
    takeHeldWakeMs: () => state.lastWakeMs,
    hold: () => done.push('hold'),
    letGo: () => done.push('let go'),
    ring: () => done.push('ring'),
  } as unknown as Mailbox;
  const native = {
    keepOffCpu: (tid: number) => {
      done.push(`keep ${tid} off`);
      return state.canKeep;
    },
    letBack: () => done.push('let back'),
  };
  const elsewhere = new WakeElsewhere(native);
  const ring = (how: { tid?: number; by?: WakeElsewhere; mayStay?: boolean } = { tid: 7 }) => {
    done.length = 0;
    (how.by ?? elsewhere).ring(mailbox, how.tid, how.mayStay ?? false);
    return done.join(', ');
  };
  return { state, ring };
}

const ELSEWHERE = 'hold, keep 7 off, ring, let back, let go';

describe('a ring for a sleeping thread', () => {
  it('keeps it off this CPU meanwhile, and gives it its mask back before it runs', () => {
    const { ring } = sleeper();
    expect([ring(), ring()]).toEqual([ELSEWHERE, ELSEWHERE]);
  });

  it('is a plain one where the thread is awake, or its event loop runs, or not known, or there is no addon', () => {
    const { state, ring } = sleeper();
    expect(ring({ tid: 7, by: new WakeElsewhere(undefined) })).toBe('ring');
    expect(ring({})).toBe('ring');
    state.isBlocked = false;
    expect(ring()).toBe('ring');
  });

  it('lets one of several wake here, where this thread is about to sleep', () => {
    const { state, ring } = sleeper();
    const one = { tid: 7, mayStay: true };
    expect([ring(one), ring(one), ring(one)]).toEqual(['ring', ELSEWHERE, ELSEWHERE]);
    state.now += 2;
    expect([ring(one), ring(one)]).toEqual(['ring', ELSEWHERE]);
  });

  it('is a plain one for a second where there is no other CPU', () => {
    const { state, ring } = sleeper();
    state.canKeep = false;
    expect(ring()).toBe('hold, keep 7 off, ring, let go');
    state.now += 999;
    expect(ring()).toBe('ring');
    state.now += 2;
    state.canKeep = true;
    expect(ring()).toBe(ELSEWHERE);
  });

  it('is a plain one for fifty times as long as the last one waited for another CPU', () => {
    const { state, ring } = sleeper();
    state.lastWakeMs = 4;
    expect(ring()).toBe('ring');
    state.lastWakeMs = 0;
    state.now += 199;
    expect(ring()).toBe('ring');
    state.now += 2;
    expect(ring()).toBe(ELSEWHERE);
  });

  it('is a plain one for longer where it happens again, and soon as before where it does not', () => {
    const { state, ring } = sleeper();
    const pauseMs = () => {
      state.lastWakeMs = 4;
      expect(ring()).toBe('ring');
      state.lastWakeMs = 0;
      const from = state.now;
      while (ring() === 'ring') state.now += 100;
      return state.now - from;
    };
    expect([pauseMs(), pauseMs(), pauseMs()]).toEqual([200, 400, 800]);
    state.lastWakeMs = 0.05;
    for (let i = 0; i < 30; i += 1) expect(ring()).toBe(ELSEWHERE);
    expect(pauseMs()).toBe(200);
    for (let i = 0; i < 20; i += 1) pauseMs();
    expect(pauseMs()).toBe(64 * 200);
  });
});

describe('a thread that is woken', () => {
  it('runs nothing while it is held', async () => {
    const mailbox = new Mailbox();
    const ran = int32(1);
    const code = `
      const { workerData } = require('node:worker_threads');
      import(${JSON.stringify(new URL('../../../dist/threads/mailbox.js', import.meta.url).href)}).then(({ Mailbox }) => {
        const mailbox = new Mailbox(workerData.buffer);
        mailbox.sleep(0);
        Atomics.store(workerData.ran, 0, 1);
        Atomics.notify(workerData.ran, 0);
      });`;
    const worker = new Worker(code, { eval: true, workerData: { buffer: mailbox.buffer, ran } });
    while (!mailbox.isBlocked) await delay(1);
    mailbox.hold();
    mailbox.ring();
    // It is awake by then, or would not have run in any case.
    while (mailbox.isAsleep) await delay(1);
    await delay(10);
    expect(Atomics.load(ran, 0)).toBe(0);
    mailbox.letGo();
    await marked(ran);
    expect(mailbox.takeHeldWakeMs()).toBeGreaterThan(0);
    expect(mailbox.takeHeldWakeMs()).toBe(0);
    await worker.terminate();
  });

  it('is not blocked while its event loop runs', async () => {
    const mailbox = new Mailbox();
    const woken = mailbox.nextRing(mailbox.rings);
    expect([mailbox.isAsleep, mailbox.isBlocked]).toEqual([true, false]);
    mailbox.ring();
    await woken;
    expect(mailbox.isAsleep).toBe(false);
  });
});

it.runIf(
  process.platform === 'linux' &&
    loadNative().implementation === 'addon' &&
    Math.min(allowedCpus().length, allowedThreads()) > 1,
)('tasks of a pool run with the CPUs of the process, however their thread was woken', async () => {
  const kept = vi.spyOn(loadNative(), 'keepOffCpu');
  const pool = poolWith({ minThreads: 1, maxThreads: 1 });
  const double = fixture<(n: number) => number>('double');
  const ownCpus = fixture<() => string>('ownCpus');
  const found = new Set<string>();
  // Its thread sleeps in between; the first calls are not known to be short yet.
  for (let i = 0; i < 2_000 && (i < 200 || kept.mock.calls.length === 0); i += 1) {
    const [, cpus] = await Promise.all([pool.run(double, i), pool.run(ownCpus)]);
    found.add(cpus);
    await delay(1);
  }
  const ofProcess = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]!;
  expect([...found]).toEqual([ofProcess]);
  expect(kept).toHaveBeenCalled();
});
