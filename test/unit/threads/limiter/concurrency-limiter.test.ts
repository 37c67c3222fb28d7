import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ConcurrencyLimiter,
  LimitExceededError,
  type ConcurrencyLimiterOptions,
} from '../../../../dist/index.js';
import { GradientLimit } from '../../../../dist/threads/limiter/gradient-limit.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Park and Miller's generator: the same service times in every run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** A service of some places that serves in order: what does not fit queues in it. Times are exponential. */
class Server {
  places: number;
  #busy = 0;
  readonly #queue: (() => void)[] = [];
  readonly #serviceMs: number;
  readonly #random = randomOf(7);

  constructor(places: number, serviceMs: number) {
    this.places = places;
    this.#serviceMs = serviceMs;
  }

  call(): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push(resolve);
      this.#start();
    });
  }

  #start(): void {
    while (this.#busy < this.places && this.#queue.length > 0) {
      const resolve = this.#queue.shift()!;
      this.#busy += 1;
      setTimeout(
        () => {
          this.#busy -= 1;
          resolve();
          this.#start();
        },
        // Erlang of order 4: spread as real services are, without the exponential's extremes.
        (-this.#serviceMs / 4) * Math.log(this.#random() * this.#random() * this.#random() * this.#random()),
      );
    }
  }
}

/** Offers calls at a rate for a time; the limit on average, what was served, and the time it took. */
async function offer(limiter: ConcurrencyLimiter, server: Server, perSecond: number, seconds: number) {
  let served = 0;
  let sumMs = 0;
  let calls = 0;
  let limits = 0;
  const ticks = seconds * 500;
  for (let tick = 1; tick <= ticks; tick += 1) {
    for (; calls < (tick * perSecond) / 500; calls += 1) {
      const startMs = performance.now();
      limiter
        .run(() => server.call())
        .then(
          () => {
            served += 1;
            sumMs += performance.now() - startMs;
          },
          () => undefined,
        );
    }
    await vi.advanceTimersByTimeAsync(2);
    limits += limiter.stats().limit;
  }
  return { limit: limits / ticks, perSecond: served / seconds, meanMs: sumMs / served };
}
const limiterOf = (options: ConcurrencyLimiterOptions = {}) =>
  new ConcurrencyLimiter({ name: 'sim', ...options });

describe('ConcurrencyLimiter on a simulated service', () => {
  it("comes near Little's optimum under overload, and serves what the service can", async () => {
    // 20 places of 20 ms: 1,000 a second at best, with 20 calls in it.
    const limiter = limiterOf();
    const server = new Server(20, 20);
    await offer(limiter, server, 2_000, 10);
    const late = await offer(limiter, server, 2_000, 10);
    expect(late.limit).toBeGreaterThanOrEqual(16);
    expect(late.limit).toBeLessThanOrEqual(40);
    expect(late.perSecond).toBeGreaterThan(850);
    expect(late.meanMs).toBeLessThan(45);
  });

  it('follows a drop in capacity, and its return', async () => {
    const limiter = limiterOf();
    const server = new Server(40, 40);
    await offer(limiter, server, 1_500, 10);
    const before = await offer(limiter, server, 1_500, 5);
    server.places = 10;
    await offer(limiter, server, 1_500, 10);
    const during = await offer(limiter, server, 1_500, 5);
    server.places = 40;
    await offer(limiter, server, 1_500, 10);
    const after = await offer(limiter, server, 1_500, 5);
    expect(during.limit).toBeLessThan(before.limit * 0.6);
    expect(during.limit).toBeGreaterThanOrEqual(8);
    expect(after.limit).toBeGreaterThan(during.limit * 1.5);
  });

  it('does not sink where there is little to do, and refuses nothing', async () => {
    const limiter = limiterOf();
    const idle = await offer(limiter, new Server(20, 20), 100, 20);
    expect(idle.limit).toBe(20);
    expect(limiter.stats()).toMatchObject({ rejected: 0, accepted: 2_000 });
  });
});

describe('GradientLimit', () => {
  // A service of 10 places: with more calls in it each takes proportionally longer.
  const limitAfter = (windows: number, probeEvery: number) => {
    const gradient = new GradientLimit({
      initialLimit: 20,
      minLimit: 1,
      maxLimit: 1_000,
      queueSize: 4,
      smoothing: 0.2,
      longWindow: 600,
      tolerance: 1.5,
      probeEvery,
    });
    for (let k = 0; k < windows; k += 1) {
      gradient.update(10 * Math.max(1, gradient.limit / 10), gradient.limit);
    }
    return gradient.limit;
  };

  it('does not learn lasting overload as normal, as it does without probes', () => {
    expect(limitAfter(1_500, 0)).toBeGreaterThan(500);
    expect(limitAfter(1_500, 50)).toBeLessThan(30);
  });
});

describe('ConcurrencyLimiter', () => {
  const held = (limiter: ConcurrencyLimiter) => {
    let end!: () => void;
    const done = limiter.run(() => new Promise<void>((resolve) => (end = resolve)));
    return { end: () => end(), done };
  };

  it('refuses at once where there is no place, and says so', async () => {
    const limiter = limiterOf({ initialLimit: 1, maxLimit: 1 });
    const refusals: unknown[] = [];
    limiter.on('rejected', (refusal) => refusals.push(refusal));
    const first = held(limiter);
    await expect(limiter.run(() => 1)).rejects.toThrow(LimitExceededError);
    first.end();
    await first.done;
    expect(await limiter.run(() => 1)).toBe(1);
    expect(refusals).toEqual([{ reason: 'no place is free, and none to wait in', priority: 0 }]);
    expect(limiter.stats()).toMatchObject({ accepted: 2, rejected: 1, inFlight: 0, limit: 1 });
    expect(limiter.metrics()['limiter.sim.rejected']).toEqual({ available: true, value: 1, unit: 'count' });
  });

  it('serves who waits by priority, then in order; a higher one takes the place of a lower', async () => {
    const limiter = limiterOf({ initialLimit: 1, maxLimit: 1, maxQueued: 3 });
    const first = held(limiter);
    const order: string[] = [];
    const call = (name: string, priority: number) => limiter.run(() => order.push(name), { priority });
    const low = call('low', 0);
    const waiting = [call('b', 1), call('c', 1)];
    const refused = expect(low).rejects.toThrow('higher priority');
    waiting.push(call('a', 2));
    await expect(call('d', 1)).rejects.toThrow(LimitExceededError);
    first.end();
    await refused;
    await Promise.all(waiting);
    expect(order).toEqual(['a', 'b', 'c']);
    expect(limiter.stats()).toMatchObject({ dropped: 1, rejected: 1, queued: 0 });
  });

  it('ends waits by time and by signal', async () => {
    const limiter = limiterOf({ initialLimit: 1, maxLimit: 1, maxQueued: 5, queueTimeoutMs: 100 });
    const first = held(limiter);
    const late = expect(limiter.run(() => 1)).rejects.toThrow('waited for 100 ms');
    const controller = new AbortController();
    const aborted = expect(limiter.run(() => 1, { signal: controller.signal })).rejects.toThrow('aborted');
    controller.abort();
    await aborted;
    await vi.advanceTimersByTimeAsync(100);
    await late;
    expect(limiter.stats()).toMatchObject({ queued: 0, dropped: 1 });
    await expect(limiter.run(() => 1, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    first.end();
    await first.done;
  });

  it('gives the place back when the function throws, and learns nothing from it', async () => {
    const limiter = limiterOf({ initialLimit: 4, windowCalls: 1, windowMs: 1 });
    await vi.advanceTimersByTimeAsync(5);
    const failing = () => {
      throw new Error('no');
    };
    await expect(limiter.run(failing)).rejects.toThrow('no');
    expect(limiter.stats()).toMatchObject({ inFlight: 0, shortTermMs: 0 });
    const permit = limiter.tryAcquire()!;
    permit.release();
    permit.release();
    expect(limiter.stats().inFlight).toBe(0);
    expect(limiter.stats().shortTermMs).toBeGreaterThan(0);
  });

  it('teaches nothing by an outcome that is none, says so, and has the place back', () => {
    const limiter = limiterOf({ initialLimit: 1 });
    const permit = limiter.tryAcquire()!;
    expect(() => permit.release('success' as never)).toThrow(/outcome is "success"/);
    expect(limiter.stats()).toMatchObject({ inFlight: 0, shortTermMs: 0 });
    permit.release();
  });

  it.each([Infinity, 2 ** 31, 1e12])('waits for as long as it may, %d ms too', async (queueTimeoutMs) => {
    const limiter = limiterOf({ initialLimit: 1, minLimit: 1, maxQueued: 2, queueTimeoutMs });
    const permit = limiter.tryAcquire()!;
    const waiting = [limiter.acquire(), limiter.acquire({ queueTimeoutMs })];
    await vi.advanceTimersByTimeAsync(100_000);
    expect(limiter.stats()).toMatchObject({ queued: 2, dropped: 0 });
    permit.release('failed');
    (await waiting[0])!.release('failed');
    (await waiting[1])!.release('failed');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('can rise again whatever it is given', () => {
    expect(() => limiterOf({ queueSize: 0 })).toThrow('queueSize');
  });

  it('checks its options', () => {
    expect(() => new ConcurrencyLimiter({ name: '' })).toThrow(/name is ""/);
    expect(() => limiterOf({ minLimit: 0 })).toThrow('minLimit');
    expect(() => limiterOf({ initialLimit: null } as never)).toThrow('initialLimit');
    expect(() => limiterOf({ smoothing: 2 })).toThrow('smoothing');
    expect(() => limiterOf({ tolerance: 0.5 })).toThrow('tolerance');
    expect(() => limiterOf({ limit: 5 } as never)).toThrow('unknown key "limit"');
  });
});
