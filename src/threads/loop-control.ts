/**
 * The control block of a loop: one SharedArrayBuffer that the caller opens and workers run from, without a message
 * per chunk or per worker. Words that different threads write lie on lines of their own.
 *
 * Entering is Dekker's handshake: a worker first says in its mailbox which loop it is in, then looks whether the gate
 * is open; the caller first shuts the gate, then looks into the mailboxes. So after shutting it the caller knows
 * exactly who is still inside, even where a thread was killed half way, which a count of entrants could not tell.
 *
 * The end is told the same way: whoever finishes the last unit counts it, then looks whether the caller waits for a
 * message; a caller that takes part itself first says that it waits, then looks at the count. Mostly it finds the loop
 * over while it looks, and no message is sent.
 */
import { PARTITIONERS } from './partition/by-name.js';
import { LINE_WORDS, MAX_UNITS, type PartitionPlan, type Partitioner } from './partition/partitioner.js';

const GATE = 0; // 1 while workers may enter
const GENERATION = 1; // run of this block; messages of earlier runs are recognised by it
const PARTITIONER = 2;
const PARTICIPANTS = 3;
const UNITS = 4;
const WANTS_PARTIALS = 5;
const PARTIALS_VERSION = 6; // how often the memory for partial results was replaced
const CAPACITY = 7; // most participants
const CANCELLED = LINE_WORDS;
const AWAITED = LINE_WORDS + 1; // 1: the caller waits for the message that the loop is over
const HANDED_OVER = LINE_WORDS + 2; // share that its participant gave up, plus one; 0 none
const JOINED = LINE_WORDS * 2; // shares that found a participant
const DONE = LINE_WORDS * 3; // units that are finished
const CLONED = LINE_WORDS * 4; // partial results that travel as messages
const BOUNDS = LINE_WORDS * 5; // three float64: start, end, iterations a unit
const BUSY = LINE_WORDS * 6; // a line per share: float64, ms that its participants spent on its chunks

/** One run of a loop, as its caller plans it. */
export interface LoopRange {
  readonly start: number;
  readonly end: number;
  readonly unit: number;
  readonly wantsPartials: boolean;
  readonly partitioner: number;
}

/** Shared memory of one loop. Owner: the caller's thread, which makes it, opens it and shuts it. */
export class LoopControl {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bounds: Float64Array;
  readonly #busy: Float64Array;
  readonly #partition: Int32Array;

  /** @param source number of participants to make room for, or the block of another thread. */
  constructor(source: number | SharedArrayBuffer) {
    if (typeof source === 'number') {
      const partitionWords = Math.max(...PARTITIONERS.map((partitioner) => partitioner.stateWords(source)));
      this.buffer = new SharedArrayBuffer((partitionAt(source) + partitionWords) * 4);
    } else {
      this.buffer = source;
    }
    this.#words = new Int32Array(this.buffer);
    if (typeof source === 'number') this.#words[CAPACITY] = source;
    const partition = partitionAt(this.#words[CAPACITY]!);
    this.#bounds = new Float64Array(this.buffer, BOUNDS * 4, 3);
    this.#busy = new Float64Array(this.buffer, BUSY * 4, (partition - BUSY) / 2);
    this.#partition = this.#words.subarray(partition);
  }

  get generation(): number {
    return Atomics.load(this.#words, GENERATION);
  }

  /** Nobody may be inside. `awaited`: the caller waits for a message, instead of taking part. */
  open(range: LoopRange, plan: PartitionPlan, awaited: boolean): void {
    const words = this.#words;
    words[GENERATION]! += 1;
    words[PARTITIONER] = range.partitioner;
    words[PARTICIPANTS] = plan.participants;
    words[UNITS] = plan.units;
    words[WANTS_PARTIALS] = range.wantsPartials ? 1 : 0;
    words[CANCELLED] = words[HANDED_OVER] = words[JOINED] = words[DONE] = words[CLONED] = 0;
    words[AWAITED] = awaited ? 1 : 0;
    this.#bounds.set([range.start, range.end, range.unit]);
    this.#busy.fill(0);
    this.partitioner.init(this.#partition, plan);
    Atomics.store(words, GATE, 1);
  }

  shut(): void {
    Atomics.store(this.#words, GATE, 0);
  }

  get isOpen(): boolean {
    return Atomics.load(this.#words, GATE) === 1;
  }

  /** Participants stop before their next chunk. */
  cancel(): void {
    Atomics.store(this.#words, CANCELLED, 1);
  }

  get isCancelled(): boolean {
    return Atomics.load(this.#words, CANCELLED) === 1;
  }

  get partitioner(): Partitioner {
    return PARTITIONERS[this.#words[PARTITIONER]!]!;
  }

  get partitionState(): Int32Array {
    return this.#partition;
  }

  /** The caller waits from now on. To be followed by a look at `isDone`. */
  await(): void {
    Atomics.store(this.#words, AWAITED, 1);
  }

  get isAwaited(): boolean {
    return Atomics.load(this.#words, AWAITED) === 1;
  }

  get isDone(): boolean {
    return Atomics.load(this.#words, DONE) === this.#words[UNITS]!;
  }

  /** Gives up a share that is not finished: the next to join goes on with it. At most once a run. */
  handOver(share: number): void {
    Atomics.store(this.#words, HANDED_OVER, share + 1);
  }

  /** Claims a share; -1 where all have a participant. */
  join(): number {
    if (Atomics.load(this.#words, HANDED_OVER) !== 0) {
      const handedOver = Atomics.exchange(this.#words, HANDED_OVER, 0);
      if (handedOver !== 0) return handedOver - 1;
    }
    if (Atomics.load(this.#words, JOINED) >= this.#words[PARTICIPANTS]!) return -1;
    const share = Atomics.add(this.#words, JOINED, 1);
    return share < this.#words[PARTICIPANTS]! ? share : -1;
  }

  /** Whether some share has no participant yet. */
  get hasRoom(): boolean {
    const words = this.#words;
    return Atomics.load(words, JOINED) < words[PARTICIPANTS]! || Atomics.load(words, HANDED_OVER) !== 0;
  }

  get wantsPartials(): boolean {
    return this.#words[WANTS_PARTIALS] === 1;
  }

  /** Read by participants once they have seen the gate open; changed while it is shut and nobody is inside. */
  get partialsVersion(): number {
    return this.#words[PARTIALS_VERSION]!;
  }

  set partialsVersion(version: number) {
    this.#words[PARTIALS_VERSION] = version;
  }

  /** First iteration of a unit; for the unit after the last, the end of the range. */
  iterationOf(unit: number): number {
    const end = this.#bounds[1]!;
    const at = this.#bounds[0]! + unit * this.#bounds[2]!;
    return asInteger(at < end ? at : end);
  }

  /** Counts finished units. True for exactly one caller: whoever finished the last. */
  finish(units: number): boolean {
    return Atomics.add(this.#words, DONE, units) + units === this.#words[UNITS]!;
  }

  /**
   * Books time that a share's participant spent on a chunk, in ms; to be done before the chunk's units are counted as
   * finished, so that whoever sees the loop over sees all of it. A share has one participant at a time.
   */
  addBusy(share: number, ms: number): void {
    this.#busy[share * (LINE_WORDS / 2)]! += ms;
  }

  /** Time spent on chunks by all participants together, in ms: what the loop takes on one thread, and no less. */
  get busyMs(): number {
    let sum = 0;
    for (let at = 0; at < this.#busy.length; at += LINE_WORDS / 2) sum += this.#busy[at]!;
    return sum;
  }

  addCloned(count: number): void {
    Atomics.add(this.#words, CLONED, count);
  }

  get cloned(): number {
    return Atomics.load(this.#words, CLONED);
  }
}

/** Where the partitioner's words begin in a block for so many participants. */
function partitionAt(participants: number): number {
  return BUSY + LINE_WORDS * participants;
}

/**
 * The same number, as V8's small integer where it fits. What comes from `Math.min` or a Float64Array is a boxed double, and
 * a kernel that ever began its loop with one counts in doubles from then on, at 1.6 times the cost of an iteration.
 */
export function asInteger(value: number): number {
  const integer = value | 0;
  return integer === value ? integer : value;
}

/** Iterations a unit, so that a range has at most `MAX_UNITS` units. */
export function unitFor(iterations: number): number {
  return Math.max(1, Math.ceil(iterations / MAX_UNITS));
}

/**
 * Partial results by unit: numbers stay in shared memory, anything else travels as a message.
 */
export class Partials {
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array;
  readonly #isNumber: Uint8Array;

  constructor(source: number | SharedArrayBuffer) {
    this.buffer = typeof source === 'number' ? new SharedArrayBuffer(source * 9) : source;
    const units = this.buffer.byteLength / 9;
    this.#values = new Float64Array(this.buffer, 0, units);
    this.#isNumber = new Uint8Array(this.buffer, units * 8, units);
  }

  get capacity(): number {
    return this.#values.length;
  }

  clear(units: number): void {
    this.#isNumber.fill(0, 0, units);
  }

  set(unit: number, value: number): void {
    this.#values[unit] = value;
    this.#isNumber[unit] = 1;
  }

  get(unit: number): number | undefined {
    return this.#isNumber[unit] === 1 ? this.#values[unit] : undefined;
  }
}
