/** What all primitives have in common: a name, a descriptor, ways to wait, and figures of contention. */
import { isMainThread } from 'node:worker_threads';
import { availableParallelism } from 'node:os';
import { describe, fail } from '../../errors.js';
import { abortSignal, trueOrFalse } from '../check.js';
import { requireOptions } from '../../options.js';
import {
  Counter,
  Tally,
  type PrimitiveDescriptor,
  type PrimitiveKind,
  type SharedBlock,
} from './shared-block.js';
import { blockUntil, waitUntil, type Turn } from './waiting.js';

export interface PrimitiveOptions {
  /** For messages and figures. Default: the kind. */
  readonly name?: string;
  /**
   * Lets the synchronous methods block Node's main thread. Default false: they throw there, because nothing else of the
   * program runs meanwhile. Meant for command-line tools that have nothing else to do.
   */
  readonly allowMainThread?: boolean;
}

export interface BlockingOptions {
  /** Give up after this long, in ms. Default: never. */
  readonly timeoutMs?: number;
}

export interface WaitOptions extends BlockingOptions {
  /** Give up when it fires. */
  readonly signal?: AbortSignal;
}

/** Of all threads together, since creation. */
export interface ContentionStats {
  readonly name: string;
  readonly acquisitions: number;
  /** Acquisitions that did not succeed at once, with those that were given up. */
  readonly contended: number;
  /** Time that threads and promises spent waiting, summed up. */
  readonly waitMs: number;
  /** Waits that were given up: time over or aborted. */
  readonly timedOut: number;
  /** Holders that were declared dead. */
  readonly abandoned: number;
}

/** Where a call was given none. What was given is checked also where nobody waits: a mistake has to show at once. */
export const NO_OPTIONS: WaitOptions = Object.freeze({});
export const BLOCKING_KEYS: readonly string[] = ['timeoutMs'];
export const WAIT_KEYS: readonly string[] = ['timeoutMs', 'signal'];

/** @param own options besides those that all primitives have. @throws INVALID_ARGUMENT */
export function checkCreation(options: unknown, own: readonly string[] = []): void {
  requireOptions('options', options, [...own, 'name', 'allowMainThread']);
}

/** @throws INVALID_ARGUMENT */
export function checkAttachment(options: unknown): void {
  requireOptions('options', options, ['allowMainThread']);
}

/**
 * The memory of a primitive, as its `create` and `from` hand it to the constructor, which JavaScript cannot keep private.
 *
 * @throws INVALID_ARGUMENT
 */
export function requireBlock(kind: PrimitiveKind, block: SharedBlock): SharedBlock {
  if ((block as Partial<SharedBlock> | undefined)?.words instanceof Int32Array) return block;
  throw fail('INVALID_ARGUMENT', {
    name: `block of a ${kind}`,
    actual: describe(block),
    expected: 'nothing here: make one by create(), or attach to another thread’s by from(descriptor)',
  });
}

/** @throws INVALID_ARGUMENT */
export function checkWait(options: WaitOptions, known: readonly string[]): void {
  if (options === NO_OPTIONS) return;
  timeoutOf(options, known);
  abortSignal(options.signal);
}

/** Looks before a thread goes to sleep: about a microsecond, while falling asleep and being woken costs ten and more. */
const SPINS = availableParallelism() > 1 ? 100 : 0;
const MAX_TALLY_US = 2 ** 31 - 1;

export abstract class SharedPrimitive<K extends PrimitiveKind> {
  readonly name: string;
  readonly #kind: K;
  readonly #block: SharedBlock;
  readonly #mayBlock: boolean;
  protected readonly tally: Tally;

  protected constructor(kind: K, block: SharedBlock, options: PrimitiveOptions) {
    requireBlock(kind, block);
    const { name = kind, allowMainThread = false } = options;
    if (typeof name !== 'string') {
      throw fail('INVALID_ARGUMENT', { name: 'name', actual: describe(name), expected: 'a text' });
    }
    trueOrFalse('allowMainThread', allowMainThread);
    this.name = name;
    this.#kind = kind;
    this.#block = block;
    this.#mayBlock = allowMainThread || !isMainThread;
    this.tally = new Tally(block.words);
  }

  /** Small and cloneable: pass it to another thread, which attaches with `from`. */
  get descriptor(): PrimitiveDescriptor<K> {
    return { kind: this.#kind, name: this.name, memory: this.#block.memory };
  }

  /** Costs a few loads; consistent figure by figure, not among each other. */
  stats(): ContentionStats {
    return {
      name: this.name,
      acquisitions: this.tally.read(Counter.ACQUIRED),
      contended: this.tally.read(Counter.CONTENDED),
      waitMs: this.tally.read(Counter.WAIT_US) / 1_000,
      timedOut: this.tally.read(Counter.TIMED_OUT),
      abandoned: this.tally.read(Counter.ABANDONED),
    };
  }

  /** @throws WAIT_ON_MAIN_THREAD: always, not only where it would have to wait, so that the mistake shows at once. */
  protected requireBlocking(method: string): void {
    if (!this.#mayBlock) throw fail('WAIT_ON_MAIN_THREAD', { what: `${this.#kind} "${this.name}"`, method });
  }

  /** @throws WAIT_TIMED_OUT */
  protected blockForTurn<A, R>(turn: Turn<A, R>, argument: A, options: BlockingOptions): R {
    const timeoutMs = timeoutOf(options, BLOCKING_KEYS);
    for (let spin = 0; spin < SPINS; spin += 1) {
      const result = turn.attempt(argument, false);
      if (result === undefined) continue;
      this.tally.add(Counter.CONTENDED, 1);
      return result;
    }
    const startMs = performance.now();
    const result = blockUntil(turn, argument, timeoutMs);
    this.#waited(startMs);
    if (result === undefined) throw this.#timedOut(timeoutMs);
    return result;
  }

  /** @throws WAIT_TIMED_OUT, ABORTED */
  protected async awaitTurn<A, R>(turn: Turn<A, R>, argument: A, options: WaitOptions): Promise<R> {
    const timeoutMs = timeoutOf(options, WAIT_KEYS);
    const signal = abortSignal(options.signal);
    if (hasFired(signal)) throw this.#aborted(signal);
    const startMs = performance.now();
    const result = await waitUntil(turn, argument, timeoutMs, signal);
    this.#waited(startMs);
    if (result !== undefined) return result;
    throw hasFired(signal) ? this.#aborted(signal) : this.#timedOut(timeoutMs);
  }

  #waited(startMs: number): void {
    this.tally.add(Counter.CONTENDED, 1);
    const micros = Math.round((performance.now() - startMs) * 1_000);
    this.tally.add(Counter.WAIT_US, Math.min(MAX_TALLY_US, micros));
  }

  #timedOut(timeoutMs: number): Error {
    this.tally.add(Counter.TIMED_OUT, 1);
    return fail('WAIT_TIMED_OUT', { what: `${this.#kind} "${this.name}"`, timeoutMs });
  }

  #aborted(signal: AbortSignal): Error {
    this.tally.add(Counter.TIMED_OUT, 1);
    return fail('ABORTED', { what: `Waiting for ${this.#kind} "${this.name}"` }, { cause: signal.reason });
  }
}

function hasFired(signal: AbortSignal | undefined): signal is AbortSignal {
  return signal?.aborted === true;
}

function timeoutOf(options: BlockingOptions, known: readonly string[]): number {
  requireOptions('options', options, known);
  const { timeoutMs = Infinity } = options;
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return timeoutMs;
  throw fail('INVALID_ARGUMENT', {
    name: 'timeoutMs',
    actual: describe(timeoutMs),
    expected: 'a number of milliseconds of 0 or more',
  });
}
