/**
 * Admission control around any asynchronous function: as many calls at once as the service does well with, and a quick
 * refusal for the rest. The limit is learnt from how long calls take (see gradient-limit.ts).
 *
 * Times are averaged over windows, as in concurrency-limits' WindowedLimit, since single calls say little. Calls that
 * fail are not counted: a quick failure would look like an idle service. Time spent waiting here is not counted
 * either; it is the limiter's, not the service's.
 */
import { EventEmitter } from 'node:events';
import { describe, fail } from '../../errors.js';
import { measured, type Metrics } from '../../model/metric.js';
import { listenForAbort } from '../abort-listeners.js';
import { abortSignal, oneOf, positiveNumber } from '../check.js';
import { requireOptions } from '../../options.js';
import { tell } from '../tell.js';
import { AdmissionQueue, type Waiting } from './admission-queue.js';
import { GradientLimit } from './gradient-limit.js';
import { checkOptions, type CheckedOptions, type ConcurrencyLimiterOptions } from './limiter-options.js';
import { MAX_TIMER_MS } from '../../timers.js';

export interface AdmissionOptions {
  /** Ends the wait to be let in. What runs already is its own business. */
  readonly signal?: AbortSignal;
  /** Higher goes first, and takes the place of a lower one in a full queue. Default 0. */
  readonly priority?: number;
  /** Instead of the limiter's, in ms; Infinity for never. */
  readonly queueTimeoutMs?: number;
}

/** A place among the calls that run. */
export interface Permit {
  /**
   * Gives the place back; only the first call counts.
   *
   * @param outcome `'failed'`: its time says nothing about load, and is not learnt from. Default `'ok'`.
   * @throws INVALID_ARGUMENT for another outcome, with the place given back.
   */
  release(outcome?: 'ok' | 'failed'): void;
}

export interface LimiterStats {
  readonly name: string;
  readonly limit: number;
  readonly inFlight: number;
  readonly queued: number;
  readonly accepted: number;
  /** Refused: no place, and none in the queue. */
  readonly rejected: number;
  /** Refused: waited too long, or gave way to a higher priority. */
  readonly dropped: number;
  /** Mean time of calls in the last window, in ms; 0 before the first. */
  readonly shortTermMs: number;
  /** What calls take without queueing, as far as known, in ms. */
  readonly longTermMs: number;
  /** By what the limit was multiplied last: 1 is no sign of queueing. */
  readonly gradient: number;
}

export interface LimiterEvents {
  limit: [change: { readonly limit: number; readonly previous: number }];
  rejected: [refusal: { readonly reason: string; readonly priority: number }];
}

/** Where a call was given none. */
const NO_OPTIONS: AdmissionOptions = Object.freeze({});
const OUTCOMES = ['ok', 'failed'] as const;
const ADMISSION_KEYS = ['signal', 'priority', 'queueTimeoutMs'];

/** Also where the call need not wait: a mistake has to show at once, not first under load. @throws INVALID_ARGUMENT */
function checkAdmission(options: AdmissionOptions): void {
  requireOptions('options', options, ADMISSION_KEYS);
  const { priority = 0, queueTimeoutMs = 1 } = options;
  abortSignal(options.signal);
  positiveNumber('queueTimeoutMs', queueTimeoutMs);
  if (typeof priority === 'number' && !Number.isNaN(priority)) return;
  throw fail('INVALID_ARGUMENT', { name: 'priority', actual: describe(priority), expected: 'a number' });
}

/**
 * An adaptive limit of concurrency.
 *
 * Cost: about 1 µs a call.
 *
 * @example
 * const limiter = new ConcurrencyLimiter({ name: 'search', maxQueued: 50, queueTimeoutMs: 200 });
 * try {
 *   return await limiter.run(() => search(query), { signal });
 * } catch (error) {
 *   if (error instanceof LimitExceededError) return unavailable();
 *   throw error;
 * }
 */
export class ConcurrencyLimiter extends EventEmitter<LimiterEvents> {
  readonly name: string;
  readonly #options: CheckedOptions;
  readonly #gradient: GradientLimit;
  readonly #queue = new AdmissionQueue();
  #limit: number;
  #inFlight = 0;
  #accepted = 0;
  #rejected = 0;
  #dropped = 0;
  // The window under way
  #windowStartMs = performance.now();
  #sumMs = 0;
  #calls = 0;
  #mostInFlight = 0;

  /** @throws INVALID_ARGUMENT */
  constructor(options: ConcurrencyLimiterOptions = {}) {
    super();
    this.#options = checkOptions(options);
    this.name = this.#options.name;
    this.#gradient = new GradientLimit(this.#options);
    this.#limit = this.#gradient.limit;
  }

  /**
   * Runs a function if there is a place, or as soon as there is.
   *
   * @throws LIMIT_EXCEEDED where there is none in time, ABORTED, INVALID_ARGUMENT, and what the function throws.
   */
  async run<R>(action: () => R | Promise<R>, options: AdmissionOptions = NO_OPTIONS): Promise<R> {
    if (typeof action !== 'function') {
      throw fail('INVALID_ARGUMENT', { name: 'action', actual: describe(action), expected: 'a function' });
    }
    if (options !== NO_OPTIONS) checkAdmission(options);
    const isEnded = options.signal?.aborted === true;
    const permit = (isEnded ? undefined : this.tryAcquire()) ?? (await this.acquire(options));
    let outcome: 'ok' | 'failed' = 'failed';
    try {
      const result = await action();
      outcome = 'ok';
      return result;
    } finally {
      permit.release(outcome);
    }
  }

  /** A place, if there is one; for what does not end with a promise. Does not overtake those who wait. */
  tryAcquire(): Permit | undefined {
    if (this.#inFlight >= this.#limit || this.#queue.size > 0) return undefined;
    return this.#admit();
  }

  /** A place, as soon as there is one. @throws LIMIT_EXCEEDED, ABORTED, INVALID_ARGUMENT */
  async acquire(options: AdmissionOptions = NO_OPTIONS): Promise<Permit> {
    if (options !== NO_OPTIONS) checkAdmission(options);
    const { priority = 0, queueTimeoutMs = this.#options.queueTimeoutMs, signal } = options;
    if (signal?.aborted === true) throw this.#aborted(signal);
    const permit = this.tryAcquire();
    if (permit !== undefined) return permit;
    if (this.#queue.size >= this.#options.maxQueued) {
      const displaced = this.#queue.lowerThan(priority);
      if (displaced === undefined) {
        const reason = 'no place is free, and none to wait in';
        this.#rejected += 1;
        tell(this, 'rejected', { reason, priority });
        throw this.#refusal(reason);
      }
      displaced.displace();
    }
    return this.#wait(priority, queueTimeoutMs, signal);
  }

  stats(): LimiterStats {
    return {
      name: this.name,
      limit: this.#limit,
      inFlight: this.#inFlight,
      queued: this.#queue.size,
      accepted: this.#accepted,
      rejected: this.#rejected,
      dropped: this.#dropped,
      shortTermMs: this.#gradient.shortTermMs,
      longTermMs: this.#gradient.longTermMs,
      gradient: this.#gradient.gradient,
    };
  }

  /** The same in the shape that profiles, stores and exporters take: `limiter.<name>.limit` and so on. */
  metrics(): Metrics {
    const stats = this.stats();
    const prefix = `limiter.${this.name}`;
    const metrics: Metrics = {};
    for (const key of ['limit', 'inFlight', 'queued', 'accepted', 'rejected', 'dropped'] as const) {
      metrics[`${prefix}.${key}`] = measured(stats[key], 'count');
    }
    metrics[`${prefix}.shortTerm`] = measured(stats.shortTermMs, 'ms');
    metrics[`${prefix}.longTerm`] = measured(stats.longTermMs, 'ms');
    metrics[`${prefix}.gradient`] = measured(stats.gradient, 'ratio');
    return metrics;
  }

  #admit(): Permit {
    this.#inFlight += 1;
    this.#accepted += 1;
    if (this.#inFlight > this.#mostInFlight) this.#mostInFlight = this.#inFlight;
    const startMs = performance.now();
    let isReleased = false;
    return {
      release: (outcome = 'ok') => {
        if (isReleased) return;
        isReleased = true;
        this.#inFlight -= 1;
        if (outcome === 'ok') this.#learn(startMs);
        this.#serve();
        // The place is free in any case; a word for success that is none would teach nothing, for ever.
        oneOf('outcome', outcome, OUTCOMES);
      },
    };
  }

  #serve(): void {
    while (this.#inFlight < this.#limit && this.#queue.size > 0) this.#queue.next()!.admit();
  }

  #learn(startMs: number): void {
    const nowMs = performance.now();
    this.#sumMs += nowMs - startMs;
    this.#calls += 1;
    const { windowMs, windowCalls } = this.#options;
    if (nowMs - this.#windowStartMs < windowMs || this.#calls < windowCalls) return;
    this.#gradient.update(this.#sumMs / this.#calls, this.#mostInFlight);
    this.#windowStartMs = nowMs;
    this.#sumMs = 0;
    this.#calls = 0;
    this.#mostInFlight = this.#inFlight;
    const previous = this.#limit;
    this.#limit = this.#gradient.limit;
    if (this.#limit !== previous) tell(this, 'limit', { limit: this.#limit, previous });
  }

  #wait(priority: number, queueTimeoutMs: number, signal: AbortSignal | undefined): Promise<Permit> {
    return new Promise((resolve, reject: (error: Error) => void) => {
      // By a listener, to whom a refusal was told.
      if (signal?.aborted === true) {
        reject(this.#aborted(signal));
        return;
      }
      const end = () => {
        clearTimeout(timer);
        stopListening?.();
      };
      const drop = (reason: string) => {
        end();
        this.#dropped += 1;
        reject(this.#refusal(reason));
        tell(this, 'rejected', { reason, priority });
      };
      const call: Waiting = {
        priority,
        admit: () => {
          end();
          resolve(this.#admit());
        },
        displace: () => drop('a call with a higher priority needed the place in the queue'),
      };
      const onAbort = () => {
        end();
        this.#queue.remove(call);
        if (signal !== undefined) reject(this.#aborted(signal));
      };
      const giveUp = () => {
        this.#queue.remove(call);
        drop(`it waited for ${queueTimeoutMs} ms`);
      };
      // A call that may wait for longer than any timer waits for ever. In any case the timer keeps the process alive for the call.
      const isForEver = queueTimeoutMs > MAX_TIMER_MS;
      const timer = isForEver
        ? setInterval(() => undefined, MAX_TIMER_MS)
        : setTimeout(giveUp, queueTimeoutMs);
      const stopListening = signal && listenForAbort(signal, onAbort);
      this.#queue.add(call);
    });
  }

  #refusal(reason: string): Error {
    return fail('LIMIT_EXCEEDED', { name: this.name, reason, limit: this.#limit });
  }

  #aborted(signal: AbortSignal): Error {
    return fail('ABORTED', { what: `A call waiting for limiter "${this.name}"` }, { cause: signal.reason });
  }
}
