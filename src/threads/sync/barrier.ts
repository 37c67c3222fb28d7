/**
 * A point that a fixed number of threads must all reach before any goes on; usable again at once.
 *
 * Method: the central barrier with a generation (as in POSIX and Java's CyclicBarrier): arrivals are counted, the last one
 * resets the count, moves the generation on and wakes the rest. A party that gives up or dies would leave the others
 * waiting for ever, so it breaks the barrier: all who wait, and all who come, get an error until `reset`.
 */
import { AbortedError, fail, WaitTimeoutError } from '../../errors.js';
import { integerWithin } from '../check.js';
import {
  BLOCKING_KEYS,
  NO_OPTIONS,
  WAIT_KEYS,
  SharedPrimitive,
  checkAttachment,
  checkCreation,
  checkWait,
  type BlockingOptions,
  type PrimitiveOptions,
  type WaitOptions,
} from './primitive.js';
import {
  Counter,
  createBlock,
  FIRST_WORD,
  LINE_WORDS,
  openBlock,
  type PrimitiveDescriptor,
  type SharedBlock,
} from './shared-block.js';
import type { Turn } from './waiting.js';

/** `generation << 1 | broken`, the word to sleep on. */
const PHASE = FIRST_WORD;
const ARRIVED = FIRST_WORD + LINE_WORDS;
const LINES = 2;
const BROKEN = 1;
const MAX_PARTIES = 65_536;

type Passage = 'passed' | 'broken';

/** The algorithm alone. The argument of a turn is the phase in which the thread arrived. */
export class BarrierWords implements Turn<number, Passage> {
  readonly words: Int32Array;
  readonly index: number;
  private readonly parties: number;

  constructor(words: Int32Array, parties: number) {
    this.words = words;
    this.index = PHASE;
    this.parties = parties;
  }

  /** The phase to wait for the end of; undefined for the last one, who ended it. */
  arrive(): number | undefined {
    const phase = Atomics.load(this.words, PHASE);
    if ((phase & BROKEN) !== 0) return phase;
    if (Atomics.add(this.words, ARRIVED, 1) + 1 < this.parties) return phase;
    Atomics.store(this.words, ARRIVED, 0);
    // Fails only where it was broken meanwhile; then it stays so.
    if (Atomics.compareExchange(this.words, PHASE, phase, (phase + 2) | 0) !== phase) return phase;
    Atomics.notify(this.words, PHASE);
    return undefined;
  }

  attempt(phase: number): Passage | undefined {
    const now = Atomics.load(this.words, PHASE);
    if ((phase & BROKEN) !== 0) return 'broken';
    if (now === phase) return undefined;
    return now === (phase | BROKEN) ? 'broken' : 'passed';
  }

  enterWait(): void {
    // The last to arrive wakes all in any case.
  }

  leaveWait(): void {
    // As above.
  }

  ticket(): number {
    return Atomics.load(this.words, PHASE);
  }

  /** Breaks the given phase, unless it ended. True where it is broken now. */
  breakUp(phase: number): boolean {
    const seen = Atomics.compareExchange(this.words, PHASE, phase, phase | BROKEN);
    Atomics.notify(this.words, PHASE);
    return seen === phase || seen === (phase | BROKEN);
  }

  reset(): void {
    const phase = Atomics.load(this.words, PHASE);
    Atomics.store(this.words, ARRIVED, 0);
    Atomics.store(this.words, PHASE, ((phase | BROKEN) + 1) | 0);
    Atomics.notify(this.words, PHASE);
  }
}

export interface BarrierOptions extends PrimitiveOptions {
  /** Threads (or promises) that must arrive: 1 to 65,536. */
  readonly parties: number;
}

/**
 * Lets a fixed number of threads go from phase to phase together.
 *
 * @example
 * const barrier = Barrier.create({ parties: 4 });
 * // In each of four workers
 * const shared = Barrier.from(workerData);
 * for (const phase of phases) { work(phase); const isLast = shared.wait(); }
 */
export class Barrier extends SharedPrimitive<'barrier'> {
  readonly parties: number;
  readonly #words: BarrierWords;

  private constructor(block: SharedBlock, options: PrimitiveOptions) {
    super('barrier', block, options);
    this.parties = block.parameters[0];
    this.#words = new BarrierWords(block.words, this.parties);
  }

  /** @throws INVALID_ARGUMENT */
  static create(options: BarrierOptions): Barrier {
    checkCreation(options, ['parties']);
    const parties = integerWithin('parties', options.parties, 1, MAX_PARTIES);
    return new Barrier(createBlock('barrier', LINES, [parties, 0]), options);
  }

  /** @throws INVALID_ARGUMENT for a descriptor of something else. */
  static from(
    descriptor: PrimitiveDescriptor<'barrier'>,
    options: Omit<PrimitiveOptions, 'name'> = {},
  ): Barrier {
    checkAttachment(options);
    const block = openBlock('barrier', descriptor);
    return new Barrier(block, { ...options, name: block.name });
  }

  get isBroken(): boolean {
    return (this.#words.ticket() & BROKEN) !== 0;
  }

  /**
   * Blocks until all have arrived.
   *
   * @returns true for the last to arrive, in one of the parties each time.
   * @throws BARRIER_BROKEN, WAIT_ON_MAIN_THREAD; WAIT_TIMED_OUT, which breaks it for the others.
   */
  wait(options: BlockingOptions = NO_OPTIONS): boolean {
    this.requireBlocking('wait');
    checkWait(options, BLOCKING_KEYS);
    const phase = this.#words.arrive();
    if (phase === undefined) return this.#pass(true);
    try {
      return this.#end(this.blockForTurn(this.#words, phase, options));
    } catch (error) {
      return this.#giveUp(phase, error);
    }
  }

  /** The same without blocking. @throws ABORTED too, which breaks it as well. */
  async waitAsync(options: WaitOptions = NO_OPTIONS): Promise<boolean> {
    checkWait(options, WAIT_KEYS);
    const phase = this.#words.arrive();
    if (phase === undefined) return this.#pass(true);
    try {
      return this.#end(await this.awaitTurn(this.#words, phase, options));
    } catch (error) {
      return this.#giveUp(phase, error);
    }
  }

  /** Ends the wait of all who wait with BARRIER_BROKEN. */
  break(): void {
    this.#words.breakUp(this.#words.ticket());
  }

  /** Makes a broken barrier whole. To be called while nobody waits at it. */
  reset(): void {
    this.#words.reset();
  }

  /** Once a thread that took part is gone: breaks the barrier, for not all can arrive any more. */
  recover(deadThreadId: number): void {
    integerWithin('deadThreadId', deadThreadId, 0, Number.MAX_SAFE_INTEGER);
    this.tally.add(Counter.ABANDONED, 1);
    this.break();
  }

  #giveUp(phase: number, error: unknown): boolean {
    const isBroken = this.#words.breakUp(phase);
    // The last party came at the last moment: then this one has passed like the others.
    const isLate = error instanceof WaitTimeoutError || error instanceof AbortedError;
    if (isLate && !isBroken) return this.#pass(false);
    throw error;
  }

  #end(passage: Passage): boolean {
    if (passage === 'broken') throw fail('BARRIER_BROKEN', { name: this.name });
    return this.#pass(false);
  }

  #pass(isLast: boolean): boolean {
    this.tally.add(Counter.ACQUIRED, 1);
    return isLast;
  }
}
