/**
 * Shared memory of one lane: the tasks that a pool has handed to one worker, and their results.
 *
 * A slot holds one task, first its arguments, then its result. Its header of half a cache line has room for a number, and
 * headers lie side by side: numbers travel in half a line a task each way, in lines that the CPU fetches ahead. With each
 * header in front of its payload, a kilobyte from the next, each was a line of its own, and all of them shared a sixteenth
 * of the first-level cache. Two rings of slot numbers, one each way, have a single
 * writer and a single reader, and can never overflow: they have as many places as there are slots, and a slot goes through
 * each exactly once before it is free again, also when its task was taken back. A slot's state is the one word that both
 * sides change: whoever swaps it from QUEUED, the worker to start the task or the pool to take it back, has it. So when
 * a worker dies, its slots tell exactly which task was running.
 *
 * Rejected: one ring that all workers take from. It balances by itself, but a worker that dies between taking and saying
 * so takes a task with it, and affinity and messages (which have an addressee) need a lane of their own anyway.
 */
import { LINE_WORDS } from '../partition/partitioner.js';
import { Payload, readPayload, writePayload, written, type SlotBytes } from './payload.js';

/**
 * A burst of so many small tasks need not wait in the pool's queue. Memory that no task has used yet takes none, but
 * slots go round (see lane.ts): after so many tasks that are no single numbers a lane has used its whole 1 MiB.
 */
export const SLOTS = 1_024;
/** Bytes of a slot: its header, and its payload, which is used for what is no single number. */
const HEADER_BYTES = 32;
const PAYLOAD_BYTES = 992;

export const SlotState = {
  FREE: 0,
  QUEUED: 1,
  STARTED: 2,
  FINISHED: 3,
  /** The pool took the task back before it started. */
  WITHDRAWN: 4,
} as const;

/** Flag of a slot: its payload is [arguments, values of the async stores]. */
export const HAS_STORES = 1;

// Words of the pool's line.
const SUBMITTED = 0; // tasks handed over, ever
// Words of the worker's line.
const RETURNED = LINE_WORDS; // slots given back, ever
// A line of its own: both sides write it.
const LISTENING = LINE_WORDS * 2; // 1: the pool sleeps until it is told of results
const TELL_AT = LISTENING + 1; // value of RETURNED from which on it wants to be told
const RING_IN = LINE_WORDS * 3;
const RING_OUT = RING_IN + SLOTS;
const HEADERS_AT = RING_OUT + SLOTS;
const HEADER_WORDS = HEADER_BYTES / 4;

// Words of a slot's header.
const STATE = 0;
const TASK = 1;
const KIND = 2; // and the flags
const LENGTH = 3;
// Float64s of a slot's header.
const RUN_MS = 2;
const NUMBER = 3;

const KIND_BITS = 8;
const KIND_MASK = (1 << KIND_BITS) - 1;

const PAYLOADS_AT = HEADERS_AT * 4 + SLOTS * HEADER_BYTES;
const BYTES = PAYLOADS_AT + SLOTS * PAYLOAD_BYTES;

/** Both sides of the protocol. Which side calls what stands at each part. */
export class LaneMemory {
  readonly buffer: SharedArrayBuffer;
  /** Views of the payloads, made when first used. */
  readonly #payloads = new Array<SlotBytes | undefined>(SLOTS).fill(undefined);
  readonly #words: Int32Array;
  readonly #headers: Float64Array;
  /** The worker met tasks that were taken back, and their slots may be waited for. */
  passedOver = false;
  /** How far this side has read the ring that comes in, and how far it knows that the other side has written it. */
  #read = 0;
  #known = 0;
  /** Tasks that the pool has written, of which it may have published fewer. */
  #submitted = 0;

  constructor(buffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, BYTES / 4);
    this.#headers = new Float64Array(buffer);
  }

  #header(slot: number): number {
    return HEADERS_AT + slot * HEADER_WORDS;
  }

  state(slot: number): number {
    return Atomics.load(this.#words, this.#header(slot) + STATE);
  }

  #payload(slot: number): SlotBytes {
    return (this.#payloads[slot] ??= {
      numbers: new Float64Array(this.buffer, PAYLOADS_AT + slot * PAYLOAD_BYTES, PAYLOAD_BYTES / 8),
      bytes: Buffer.from(
        this.buffer,
        PAYLOADS_AT + slot * PAYLOAD_BYTES,
        PAYLOAD_BYTES,
      ) as Buffer as SlotBytes['bytes'],
    });
  }

  /** Writes arguments or a result into a slot, and what they are into `written`; false where they must go as a message. */
  write(slot: number, value: unknown): boolean {
    if (typeof value !== 'number') return writePayload(value, this.#payload(slot));
    this.#headers[(this.#header(slot) >> 1) + NUMBER] = value;
    written.kind = Payload.NUMBER;
    written.length = 0;
    return true;
  }

  /** What was written into a slot. Not for what went as a message. */
  read(slot: number): unknown {
    const header = this.#header(slot);
    const kind = this.#words[header + KIND]! & KIND_MASK;
    if (kind === Payload.NUMBER) return this.#headers[(header >> 1) + NUMBER];
    return readPayload(kind, this.#words[header + LENGTH]!, this.#payload(slot));
  }

  kind(slot: number): number {
    return this.#words[this.#header(slot) + KIND]! & KIND_MASK;
  }

  length(slot: number): number {
    return this.#words[this.#header(slot) + LENGTH]!;
  }

  flags(slot: number): number {
    return this.#words[this.#header(slot) + KIND]! >> KIND_BITS;
  }

  task(slot: number): number {
    return this.#words[this.#header(slot) + TASK]!;
  }

  runMs(slot: number): number {
    return this.#headers[(this.#header(slot) >> 1) + RUN_MS]!;
  }

  // --- The pool's side

  /**
   * Puts a slot whose payload is written into the ring. The worker sees it from the next `publish` on: an atomic store
   * waits until all stores before it have reached memory that the other side has just used, and one wait does for many.
   */
  submit(slot: number, task: number, kind: number, length: number, flags: number): void {
    const words = this.#words;
    const header = this.#header(slot);
    words[header + TASK] = task;
    words[header + KIND] = kind | (flags << KIND_BITS);
    words[header + LENGTH] = length;
    words[header + STATE] = SlotState.QUEUED;
    words[RING_IN + (this.#submitted & (SLOTS - 1))] = slot;
    this.#submitted = (this.#submitted + 1) | 0;
  }

  /** Hands over what was submitted. */
  publish(): void {
    Atomics.store(this.#words, SUBMITTED, this.#submitted);
  }

  /** Slots that were submitted and not yet published. */
  get unpublished(): number {
    return (this.#submitted - this.#words[SUBMITTED]!) | 0;
  }

  /** Takes a task back that has not started; false where it has. Its slot still comes back through the ring. */
  withdraw(slot: number): boolean {
    const at = this.#header(slot) + STATE;
    return (
      Atomics.compareExchange(this.#words, at, SlotState.QUEUED, SlotState.WITHDRAWN) === SlotState.QUEUED
    );
  }

  /** The next slot that the worker gave back; -1 for none. */
  nextReturned(): number {
    // The other side's line is fetched only where all that is known of was read.
    if (this.#read === this.#known && !this.hasReturned) return -1;
    const slot = this.#words[RING_OUT + (this.#read & (SLOTS - 1))]!;
    this.#read = (this.#read + 1) | 0;
    return slot;
  }

  get hasReturned(): boolean {
    return this.returned > 0;
  }

  /** Slots that were given back and not yet read. */
  get returned(): number {
    this.#known = Atomics.load(this.#words, RETURNED);
    return (this.#known - this.#read) | 0;
  }

  /**
   * Asks to be told once `count` more results lie there than were read, or the worker has nothing left to do; anew
   * where it was asked before. To be followed by a look at `hasReturned`: what came before need not be told.
   */
  listen(count = 1): void {
    Atomics.store(this.#words, TELL_AT, (this.#read + count) | 0);
    Atomics.store(this.#words, LISTENING, 1);
  }

  /** For either side. */
  get isListening(): boolean {
    return Atomics.load(this.#words, LISTENING) === 1;
  }

  stopListening(): void {
    Atomics.store(this.#words, LISTENING, 0);
  }

  // --- The worker's side

  /** Claims the next task; -1 where there is none. Slots whose task was taken back it returns on the way. */
  take(): number {
    const words = this.#words;
    for (;;) {
      if (!this.hasSubmitted) return -1;
      const slot = words[RING_IN + (this.#read & (SLOTS - 1))]!;
      this.#read = (this.#read + 1) | 0;
      const at = this.#header(slot) + STATE;
      if (Atomics.compareExchange(words, at, SlotState.QUEUED, SlotState.STARTED) === SlotState.QUEUED) {
        return slot;
      }
      this.#return(slot);
      this.passedOver = true;
    }
  }

  get hasSubmitted(): boolean {
    if (this.#read !== this.#known) return true;
    this.#known = Atomics.load(this.#words, SUBMITTED);
    return this.#read !== this.#known;
  }

  /** Gives a finished task's slot back, its result written. */
  finish(slot: number, kind: number, length: number, runMs: number): void {
    const words = this.#words;
    const header = this.#header(slot);
    words[header + KIND] = kind;
    words[header + LENGTH] = length;
    this.#headers[(header >> 1) + RUN_MS] = runMs;
    // Seen by who sees the slot in the ring, or the thread's end.
    words[header + STATE] = SlotState.FINISHED;
    this.#return(slot);
  }

  #return(slot: number): void {
    const returned = this.#words[RETURNED]!;
    this.#words[RING_OUT + (returned & (SLOTS - 1))] = slot;
    Atomics.store(this.#words, RETURNED, (returned + 1) | 0);
  }

  /**
   * Whether the pool has to be told that something came back; true once for each `listen`. To be asked after each
   * slot that is given back: whoever has more to do is asked again.
   */
  takeListener(): boolean {
    const words = this.#words;
    if (Atomics.load(words, LISTENING) !== 1) return false;
    const missing = (Atomics.load(words, TELL_AT) - words[RETURNED]!) | 0;
    if (missing > 0 && this.hasSubmitted) return false;
    return Atomics.exchange(words, LISTENING, 0) === 1;
  }
}
