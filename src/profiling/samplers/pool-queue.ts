/**
 * How long work waits for a thread of libuv's pool: a no-op is sent through it ten times a second. What the loop
 * itself delays the answer by is taken off: an immediate that is set with the no-op tells it.
 *
 * The no-op reads the link /proc/thread-self, whose target names the thread that read it. So the pool's threads are
 * known by their ids too, which no other source tells in Node 20, where all threads carry one name.
 */
import fs from 'node:fs';
import { libuvThreads } from '../../host/runtime-pools.js';
import { unavailable } from '../../model/metric.js';
import { Latency } from '../activity/latency.js';
import type { Gathered, Sampler } from '../sampler.js';

/** As Node has them: while a run traces files, the module's own are replaced. */
const { readlink, stat } = fs;
const LINK = '/proc/thread-self';
const MAX_AT_ONCE = 8;
const TELLING_MS = 250;

export class PoolQueueSampler implements Sampler {
  readonly name = 'thread pool';
  readonly #waits = new Latency();
  readonly #threads: Set<number>;
  #pendingSince: number | undefined;
  #recording = true;

  /** @param threads where the ids of the pool's threads are put. */
  constructor(threads: Set<number>) {
    this.#threads = threads;
  }

  start(): void {
    this.#probe();
    // Several at once reach several threads, so that all are known soon.
    for (let i = 1; i < Math.min(libuvThreads(), MAX_AT_ONCE); i += 1) learnPoolThread(this.#threads);
  }

  tick(values: Record<string, number>): void {
    if (this.#pendingSince === undefined) this.#probe();
    else values['pool.queue.wait'] = performance.now() - this.#pendingSince;
  }

  stop(gathered: Gathered): void {
    this.#recording = false;
    const pendingMs = this.#pendingSince === undefined ? 0 : performance.now() - this.#pendingSince;
    if (this.#pendingSince !== undefined) this.#waits.add(pendingMs);
    gathered.set('pool.threads', libuvThreads());
    // One that does not come back at all says enough: it waits for at least so long.
    if (this.#waits.weight < 3 && pendingMs < TELLING_MS) {
      gathered.missing(
        ['pool.queue.wait.p50', 'pool.queue.wait.p99', 'pool.queue.wait.max'],
        unavailable(
          'TOO_SHORT',
          'Too few probes of the pool came back in the window.',
          'Profile for longer.',
        ),
      );
      return;
    }
    gathered.set('pool.queue.wait.p50', this.#waits.percentile(0.5));
    gathered.set('pool.queue.wait.p99', this.#waits.percentile(0.99));
    gathered.set('pool.queue.wait.max', this.#waits.maxMs);
  }

  #probe(): void {
    const startedAt = performance.now();
    let loopMs = 0;
    let turned = false;
    this.#pendingSince = startedAt;
    const immediate = setImmediate(() => {
      loopMs = performance.now() - startedAt;
      turned = true;
    });
    immediate.unref();
    const done = (target?: string) => {
      this.#pendingSince = undefined;
      if (!this.#recording) return;
      const elapsedMs = performance.now() - startedAt;
      // The answer is taken from the poll that follows the immediate, or from the one before it.
      this.#waits.add(Math.max(0, elapsedMs - (turned ? loopMs : elapsedMs)));
      addThread(this.#threads, target);
    };
    if (process.platform === 'linux') readlink(LINK, (_error, target) => done(target));
    else stat('.', () => done());
  }
}

/** Sends a no-op through the pool and adds the thread that answers it: one that may be known already. Linux. */
export function learnPoolThread(threads: Set<number>): void {
  if (process.platform === 'linux') readlink(LINK, (_error, target) => addThread(threads, target));
}

function addThread(threads: Set<number>, target: string | undefined): void {
  const thread = Number(/\/task\/(\d+)$/.exec(target ?? '')?.[1]);
  if (thread > 0) threads.add(thread);
}
