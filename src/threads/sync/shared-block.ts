/**
 * The memory of a primitive: a header, counters, and words on cache lines of their own.
 *
 * Lines are taken as 128 bytes: two of 64, because processors fetch the neighbour too. The distance alone keeps words
 * apart, wherever the buffer begins, so no aligned allocation is needed.
 */
import { isSharedArrayBuffer } from 'node:util/types';
import { describe, fail } from '../../errors.js';

export const LINE_WORDS = 32;
export const LINE_BYTES = LINE_WORDS * 4;

// Header, written once (word indices)
const MAGIC = 0;
const KIND = 1;
/** Two numbers that the primitive was created with. */
const FIRST_PARAMETER = 2;
const SECOND_PARAMETER = 3;
const MAGIC_VALUE = 0x51ab_7001;

/** 1 once closed. On the header's line, which is otherwise only read. */
export const CLOSED = 4;
/** The counters' line, and the first that the primitive may use for itself. */
const TALLY = LINE_WORDS;
export const FIRST_WORD = 2 * LINE_WORDS;

const KINDS = ['mutex', 'condition', 'semaphore', 'mpmc-queue', 'spsc-ring', 'seqlock', 'barrier'] as const;
export type PrimitiveKind = (typeof KINDS)[number];

/** What `from` needs: goes through `postMessage` and `workerData`; the memory is shared, not copied. */
export interface PrimitiveDescriptor<K extends PrimitiveKind = PrimitiveKind> {
  readonly kind: K;
  readonly name: string;
  readonly memory: SharedArrayBuffer;
}

export interface SharedBlock {
  readonly words: Int32Array;
  readonly memory: SharedArrayBuffer;
  readonly parameters: readonly [number, number];
}

/** @param lines lines that the primitive needs beyond header and counters. @param dataBytes plain data after them. */
export function createBlock(
  kind: PrimitiveKind,
  lines: number,
  parameters: readonly [number, number],
  dataBytes = 0,
): SharedBlock {
  // One line more, so that nothing which follows the buffer shares the last one.
  const memory = allocate(kind, (3 + lines) * LINE_BYTES + Math.ceil(dataBytes / 8) * 8);
  const words = new Int32Array(memory);
  words[KIND] = KINDS.indexOf(kind);
  words[FIRST_PARAMETER] = parameters[0];
  words[SECOND_PARAMETER] = parameters[1];
  Atomics.store(words, MAGIC, MAGIC_VALUE);
  return { words, memory, parameters };
}

/** @throws INVALID_ARGUMENT where there is not that much memory. */
function allocate(kind: PrimitiveKind, sizeBytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(sizeBytes);
  } catch (cause) {
    const expected = 'a capacity, or a size of items, for which there is memory';
    throw fail(
      'INVALID_ARGUMENT',
      { name: `the size of the ${kind}`, actual: `${sizeBytes} bytes`, expected },
      { cause },
    );
  }
}

/** Where plain data begins, in bytes. */
export function dataOffsetBytes(lines: number): number {
  return (2 + lines) * LINE_BYTES;
}

/** @throws INVALID_ARGUMENT for anything that is no descriptor of this kind. */
export function openBlock(kind: PrimitiveKind, descriptor: unknown): SharedBlock & { readonly name: string } {
  const refuse = (name: string, actual: unknown, expected: string) =>
    fail('INVALID_ARGUMENT', { name, actual: describe(actual), expected });
  if (typeof descriptor !== 'object' || descriptor === null) {
    throw refuse(
      'descriptor',
      descriptor,
      `the descriptor of a ${kind}, as its property \`descriptor\` gives it`,
    );
  }
  const { kind: actualKind, name, memory } = descriptor as Record<string, unknown>;
  if (actualKind !== kind) throw refuse('descriptor.kind', actualKind, `"${kind}"`);
  if (typeof name !== 'string') throw refuse('descriptor.name', name, `the name of the ${kind}`);
  if (!isSharedArrayBuffer(memory)) throw refuse('descriptor.memory', memory, 'a SharedArrayBuffer');
  const words = memory.byteLength >= 3 * LINE_BYTES ? new Int32Array(memory) : undefined;
  if (words === undefined || words[MAGIC] !== MAGIC_VALUE || words[KIND] !== KINDS.indexOf(kind)) {
    throw refuse('descriptor.memory', memory, `the memory that a ${kind} of this version was created with`);
  }
  return { words, memory, name, parameters: [words[FIRST_PARAMETER]!, words[SECOND_PARAMETER]!] };
}

/** Counters shared by all threads: 64 bits each, in two words, because 32 overflow within the hour. */
export class Tally {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** @param amount below 2^31. */
  add(counter: Counter, amount: number): void {
    const low = TALLY + 2 * counter;
    const before = Atomics.add(this.#words, low, amount) >>> 0;
    if (before + amount > 0xffff_ffff) Atomics.add(this.#words, low + 1, 1);
  }

  read(counter: Counter): number {
    const low = TALLY + 2 * counter;
    const high = Atomics.load(this.#words, low + 1) >>> 0;
    return high * 2 ** 32 + (Atomics.load(this.#words, low) >>> 0);
  }
}

/** Places of the counters. */
export const Counter = { ACQUIRED: 0, CONTENDED: 1, WAIT_US: 2, TIMED_OUT: 3, ABANDONED: 4 } as const;
export type Counter = (typeof Counter)[keyof typeof Counter];
