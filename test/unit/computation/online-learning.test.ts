// Learning online, on an injected clock: variants say themselves how long they take.
import { describe, expect, it, vi } from 'vitest';
import { sampleCalls } from '../../../dist/computation/call-sampling.js';
import { computation } from '../../../dist/computation/computation.js';
import { keepLearning, type LearningOptions } from '../../../dist/computation/online-learning.js';

type Costs = Record<string, number>;

/** A computation whose variants move a clock, and the idle time that a test gives by hand. */
function scene(
  costsMs: Costs,
  {
    expected = costsMs,
    choice = [[null, 'a']],
    ...options
  }: {
    expected?: Costs;
    choice?: [number | null, string][];
    results?: Record<string, unknown>;
  } & Partial<LearningOptions> = {},
) {
  let clockMs = 0;
  let busy = 0;
  let waiting: { call: () => void; delayMs: number } | undefined;
  const calls: Costs = {};
  const { results = {}, ...given } = options;
  const variants = Object.fromEntries(
    Object.keys(costsMs).map((name) => [
      name,
      (n: number) => {
        calls[name] = (calls[name] ?? 0) + 1;
        clockMs += costsMs[name]!;
        const result = results[name] ?? n;
        if (result instanceof Error) throw result;
        return result;
      },
    ]),
  );
  const subject = computation<any>({ name: 'watched', variants });
  const bySize = choice.map(([maxSize, variant]) => ({ maxSize, variant }));
  subject.applyChoice({ kind: 'computation', bySize });
  const standings = Object.entries(expected).map(([variant, ms]) => ({
    variant,
    cost: ms * 1e6,
    logRatio: 0,
    error: 0,
    tied: false,
  }));
  const learning = keepLearning(subject, {
    choices: [{ size: 100, standings }],
    sampleEvery: 4,
    environment: {
      now: () => clockMs,
      utilization: () => busy,
      schedule: (call, delayMs) => {
        waiting = { call, delayMs };
        return () => (waiting = undefined);
      },
    },
    ...given,
  });
  const events: [string, any][] = [];
  for (const name of ['drift', 'choice', 'rejected'] as const) {
    learning.on(name, (event: unknown) => events.push([name, event]));
  }
  return {
    subject,
    learning,
    events,
    calls,
    costsMs,
    setBusy: (share: number) => (busy = share),
    waitingMs: () => waiting?.delayMs,
    use: (times: number, size = 100) => {
      for (let i = 0; i < times; i += 1) subject.dispatch(size);
    },
    /** Runs idle slices, with calls between them as in a service. */
    idle: async (slices: number, size = 100) => {
      for (let i = 0; i < slices && waiting; i += 1) {
        for (let k = 0; k < 4; k += 1) subject.dispatch(size);
        const { call } = waiting;
        waiting = undefined;
        call();
        for (let k = 0; k < 400 && !waiting; k += 1) await Promise.resolve();
      }
    },
  };
}

describe('learning online', () => {
  it('keeps what still wins, and says nothing', async () => {
    const { idle, events, subject, learning } = scene({ a: 0.1, b: 0.15 });
    await idle(60);
    expect(learning.stats.pairs).toBeGreaterThan(100);
    expect(events).toEqual([]);
    expect(subject.choice.bySize).toEqual([{ maxSize: null, variant: 'a' }]);
  });

  it('tells of drift without a change while the variant in force still wins', async () => {
    const { idle, events, subject } = scene({ a: 0.1, b: 0.11 }, { expected: { a: 0.1, b: 0.2 } });
    await idle(60);
    expect(events).toHaveLength(1);
    expect(events[0]).toEqual([
      'drift',
      { size: 100, variant: 'a', rival: 'b', expected: expect.closeTo(2), ratio: expect.closeTo(1.1) },
    ]);
    expect(subject.variantFor(100)).toBe('a');
  });

  it('races anew where the variant in force lost, and puts the best in force, which then stays', async () => {
    const { idle, events, subject, learning } = scene(
      { a: 0.2, b: 0.15, c: 0.1 },
      { expected: { a: 0.1, b: 0.15, c: 0.12 } },
    );
    await idle(200);
    const changes = events.filter(([name]) => name === 'choice').map(([, change]) => change);
    expect(changes).toEqual([
      {
        size: 100,
        from: 'a',
        to: 'c',
        ratio: expect.closeTo(0.5),
        choice: { kind: 'computation', bySize: [{ maxSize: null, variant: 'c' }] },
      },
    ]);
    expect(subject.dispatch(100)).toBe(100);
    expect(subject.variantFor(100)).toBe('c');
    expect(learning.stats.changes).toBe(1);
  });

  it('changes only the range that it looked at, and joins ranges that call the same', async () => {
    const { idle, subject } = scene(
      { a: 0.1, b: 0.2 },
      {
        expected: { a: 0.2, b: 0.15 },
        choice: [
          [10, 'a'],
          [1_000, 'b'],
          [null, 'a'],
        ],
      },
    );
    await idle(100);
    expect(subject.choice.bySize).toEqual([{ maxSize: null, variant: 'a' }]);
  });

  it('never calls another variant from a call of dispatch', () => {
    const { use, calls, learning } = scene({ a: 0.2, b: 0.1 });
    use(1_000);
    expect(calls).toEqual({ a: 1_000 });
    expect(learning.stats).toMatchObject({ sampled: 250, slices: 0, pairs: 0 });
  });

  it('passes all arguments on, however many, and leaves those of every fourth call behind', () => {
    const kept: unknown[] = [];
    const echo = sampleCalls(
      (...args: unknown[]) => args,
      4,
      (args) => kept.push(args),
    );
    for (const args of [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [undefined]]) {
      kept.length = 0;
      for (let i = 0; i < 4; i += 1) expect(echo(...args)).toEqual(args);
      if (args.length > 0 && args.length < 4) expect(kept.at(-1)).toEqual(args);
    }
  });

  it('waits while the event loop is busy, and spends no more than its share', async () => {
    const { idle, setBusy, learning, waitingMs } = scene(
      { a: 0.1, b: 0.2 },
      { maxShare: 0.01, intervalMs: 5 },
    );
    setBusy(0.9);
    await idle(5);
    expect(learning.stats).toMatchObject({ slices: 0, postponed: 5, pairs: 0 });
    setBusy(0.1);
    await idle(1);
    const { measuringMs } = learning.stats;
    expect(measuringMs).toBeGreaterThan(0);
    expect(waitingMs()).toBeCloseTo(measuringMs / 0.01);
  });

  it('never calls what is far slower, takes long, or is of sizes that nothing is known of', async () => {
    for (const [costs, size] of [
      [{ a: 0.1, b: 0.5 }, 100],
      [{ a: 6, b: 5.5 }, 100],
      [{ a: 0.1, b: 0.15 }, 100_000],
    ] as const) {
      const { idle, calls } = scene(costs);
      await idle(20, size);
      expect(calls.b).toBeUndefined();
    }
  });

  it.each([
    ['gives another result', 'other', /other/],
    ['throws', new RangeError('too much'), /RangeError: too much/],
  ])('leaves out a rival that %s', async (_, result, reason) => {
    const { idle, events, subject, calls } = scene({ a: 0.2, b: 0.1 }, { results: { b: result } });
    await idle(60);
    expect(events).toEqual([['rejected', { variant: 'b', reason: expect.stringMatching(reason) }]]);
    expect(subject.variantFor(100)).toBe('a');
    expect(calls.b).toBeLessThanOrEqual(2);
  });

  it('leaves out a rival that never settles its promise', async () => {
    vi.useFakeTimers();
    try {
      const { idle, events, waitingMs } = scene(
        { a: 0.2, b: 0.1 },
        { results: { b: new Promise(() => {}) } },
      );
      const slice = idle(1);
      await vi.advanceTimersByTimeAsync(30_000);
      await slice;
      for (let i = 0; i < 100 && waitingMs() === undefined; i += 1) await Promise.resolve();
      expect(events).toEqual([
        ['rejected', { variant: 'b', reason: expect.stringMatching(/did not settle .* within 30 s/) }],
      ]);
      expect(waitingMs()).toBeDefined(); // It goes on with the others.
    } finally {
      vi.useRealTimers();
    }
  });

  it('learns nothing of calls whose size cannot be told', async () => {
    const { idle, subject, learning, waitingMs } = scene({ a: 0.2, b: 0.1 });
    Object.assign(subject, {
      size: () => {
        throw new TypeError('no size');
      },
    });
    await idle(3);
    expect(learning.stats).toMatchObject({ slices: 3, pairs: 0 });
    expect(waitingMs()).toBeDefined();
  });

  it('stops when it is closed: no samples, no slices, and the computation can be watched again', async () => {
    const { idle, use, learning, waitingMs, subject } = scene({ a: 0.1, b: 0.2 });
    await idle(3);
    expect(() => keepLearning(subject, { choices: [] })).toThrow(/not watched already/);
    learning.close();
    learning.close();
    const { stats } = learning;
    expect(waitingMs()).toBeUndefined();
    use(100);
    expect(learning.stats).toEqual(stats);
    keepLearning(subject, { choices: [] }).close();
  });

  it('does not keep the process alive, and measures by real clocks', async () => {
    const fast = (values: number[]) => values.length;
    const slow = (values: number[]) => {
      let count = 0;
      for (const value of values) count += value === value ? 1 : 0;
      return count;
    };
    const subject = computation({ name: 'real', variants: { slow, fast } });
    // What was believed: that `slow` is a little faster.
    const standing = { logRatio: 0, error: 0, tied: false };
    const standings = [
      { ...standing, variant: 'slow', cost: 1_000 },
      { ...standing, variant: 'fast', cost: 1_200 },
    ];
    const learning = keepLearning(subject, {
      choices: [{ size: 5_000, standings }],
      sampleEvery: 1,
      intervalMs: 1,
      maxShare: 0.5,
      maxUtilization: 1,
    });
    const input = Array.from({ length: 5_000 }, (_, i) => i);
    const changed = new Promise((resolve) => learning.once('choice', resolve));
    const calls = setInterval(() => subject.dispatch(input), 1);
    expect(await changed).toMatchObject({ from: 'slow', to: 'fast' });
    clearInterval(calls);
    learning.close();
  });

  it.each([
    ['choices', { choices: undefined }],
    ['choices\\[0\\]', { choices: [null] }],
    [
      'choices\\[1\\]',
      {
        choices: [
          { size: 1, standings: [] },
          { size: 1, standings: [{ variant: 'a' }] },
        ],
      },
    ],
    ['seed', { seed: 'x' }],
    ['sampleEvery', { sampleEvery: 0 }],
    ['intervalMs', { intervalMs: 0 }],
    ['sliceMs', { sliceMs: -1 }],
    ['maxShare', { maxShare: 0.6 }],
    ['maxUtilization', { maxUtilization: NaN }],
  ])('refuses %s that makes no sense', (name, options) => {
    const subject = computation({ name: 'c', variants: { a: () => 1, b: () => 1 } });
    const act = () => keepLearning(subject, { choices: [], ...options } as any);
    expect(act).toThrow(new RegExp(`^${name} is`));
    expect(act).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => (keepLearning as any)(undefined, { choices: [] })).toThrow(/computation is undefined/);
    // Nothing was begun.
    keepLearning(subject, { choices: [] }).close();
  });
});
