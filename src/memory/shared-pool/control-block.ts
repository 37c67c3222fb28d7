/**
 * The shared words of a `SharedSlabPool`, and their places.
 *
 * One Int32 a slot says everything that matters about it: `generation << 9 | wanted << 8 | holder`. Holder 0 is free, 1 to 253
 * the place of the thread that took it, 254 in use by nobody in particular, and a word of -1 (holder 255) no slot,
 * or one of a closed pool. Every change of hands is one compare-exchange of that one word, so there is no moment at
 * which a thread that is terminated leaves a slot neither free nor held. Everything else in here and in the
 * threads only tells where to look.
 *
 * Words that one thread writes often share no cache line with another's: a block is 32 slots, two lines.
 */
import { isSharedArrayBuffer } from 'node:util/types';
import { describe, fail } from '../../errors.js';
import { roundUp } from '../arguments.js';
import type { Region } from '../regions.js';

// Header, written once (word indices)
const MAGIC = 0;
const VERSION = 1;
const SLOTS = 2;
const SLOT_BYTES = 3;
const STRIDE_BYTES = 4;
const MAX_THREADS = 5;
const DATA_OFFSET_BYTES = 6;
const MAGIC_VALUE = 0x51ab_9001;
const LAYOUT_VERSION = 1;

/** 1 once the pool is closed. */
export const CLOSED = 7;
/** Calls that found every slot in use. */
export const EXHAUSTED = 16;
/** Most slots seen in use at once. */
export const HIGH_WATER = 17;
/**
 * `sequence << 2 | waiting << 1 | hungry`: set by threads that find nothing, moved on by the next release that
 * sees it.
 */
export const HUNGER = 32;
/**
 * Word `THREADS + place`: 0 where the place is free, `threadId + 1` of the thread that has it, or `-place` of the
 * thread that is reclaiming it.
 */
export const THREADS = 48;

export const HOLDER_MASK = 0xff;
/** A thread found the slot in use when it needed one: whoever frees it must look at HUNGER. */
export const WANTED = 0x100;
export const GENERATION_SHIFT = 9;
export const NO_SLOT = 0xff;
/** In use, but no thread answers for it: the one that took it has detached. */
export const ORPHAN = 0xfe;
export const MAX_PLACES = 253;
export const BLOCK_SHIFT = 5;
export const BLOCK_SLOTS = 1 << BLOCK_SHIFT;
const LINE_WORDS = 16;
/** Handles and state words stay below 2^31, which V8 keeps as plain integers. */
const HANDLE_BITS = 31;
const MAX_GENERATION_BITS = 22;

export interface ControlBlock {
  readonly slots: number;
  readonly slotBytes: number;
  readonly strideBytes: number;
  readonly maxThreads: number;
  /** Where the slots begin in the pool's memory. */
  readonly dataOffsetBytes: number;
  /** Low bits of a handle, which hold the slot. */
  readonly slotBits: number;
  readonly generationBits: number;
  /** Header, hunger, threads. */
  readonly control: Int32Array;
  /** `maxThreads + 1` lists (0: the depot) of one bit a block: "may have free slots". */
  readonly hints: Int32Array;
  /** Words from one list to the next. */
  readonly hintStride: number;
  /** A word for every slot that a handle can name; -1 beyond `slots`. */
  readonly states: Int32Array;
}

export interface ControlShape {
  readonly slots: number;
  readonly slotBytes: number;
  readonly strideBytes: number;
  readonly maxThreads: number;
  readonly dataOffsetBytes: number;
}

function places(slots: number, maxThreads: number) {
  const slotBits = Math.ceil(Math.log2(slots));
  const blocks = Math.ceil(slots / BLOCK_SLOTS);
  const hintStride = roundUp(Math.ceil(blocks / 32), LINE_WORDS);
  const hintsAt = roundUp(THREADS + 1 + maxThreads, LINE_WORDS);
  const statesAt = roundUp(hintsAt + (maxThreads + 1) * hintStride, BLOCK_SLOTS);
  const stateWords = Math.max(BLOCK_SLOTS, 2 ** slotBits);
  return { slotBits, hintStride, hintsAt, statesAt, stateWords };
}

/** Bytes that a pool of this shape needs for its words. */
export function controlBytes(slots: number, maxThreads: number): number {
  const { statesAt, stateWords } = places(slots, maxThreads);
  return (statesAt + stateWords) * 4;
}

function blockOver(buffer: SharedArrayBuffer, offsetBytes: number, shape: ControlShape): ControlBlock {
  const { slotBits, hintStride, hintsAt, statesAt, stateWords } = places(shape.slots, shape.maxThreads);
  const words = (at: number, count: number) => new Int32Array(buffer, offsetBytes + at * 4, count);
  return {
    ...shape,
    slotBits,
    generationBits: Math.min(MAX_GENERATION_BITS, HANDLE_BITS - slotBits),
    control: words(0, hintsAt),
    hints: words(hintsAt, statesAt - hintsAt),
    hintStride,
    states: words(statesAt, stateWords),
  };
}

/** Lays the words out in fresh memory: all slots free, all of them hinted at in the depot. */
export function createControlBlock(region: Region, shape: ControlShape): ControlBlock {
  const block = blockOver(region.buffer as SharedArrayBuffer, region.offsetBytes, shape);
  const { control, hints, states, generationBits } = block;
  // Another first generation for each pool, so that a handle of one is rarely valid in another.
  const generation = Math.floor(Math.random() * 2 ** generationBits) << GENERATION_SHIFT;
  states.fill(generation, 0, shape.slots).fill(-1, shape.slots);
  for (let at = 0; at < shape.slots; at += BLOCK_SLOTS) {
    const index = at >>> BLOCK_SHIFT;
    hints[index >>> 5] = (hints[index >>> 5] as number) | (1 << (index & 31));
  }
  control[VERSION] = LAYOUT_VERSION;
  control[SLOTS] = shape.slots;
  control[SLOT_BYTES] = shape.slotBytes;
  control[STRIDE_BYTES] = shape.strideBytes;
  control[MAX_THREADS] = shape.maxThreads;
  control[DATA_OFFSET_BYTES] = shape.dataOffsetBytes;
  Atomics.store(control, MAGIC, MAGIC_VALUE);
  return block;
}

/** What `attach` needs: goes through `postMessage` and `workerData`; the memory is shared, not copied. */
export interface SharedSlabPoolDescriptor {
  readonly kind: 'shared-slab-pool';
  readonly name: string;
  readonly control: SharedArrayBuffer;
  readonly controlOffsetBytes: number;
  readonly memory: SharedArrayBuffer;
}

/** @throws INVALID_ARGUMENT for anything that is no descriptor of a pool in this process. */
export function openControlBlock(descriptor: unknown): ControlBlock {
  const refuse = (name: string, actual: unknown, expected: string) =>
    fail('INVALID_ARGUMENT', { name, actual: describe(actual), expected });
  const whole = 'the descriptor of a SharedSlabPool, as `pool.descriptor` gives it';
  if (typeof descriptor !== 'object' || descriptor === null) throw refuse('descriptor', descriptor, whole);
  const { kind, name, control, controlOffsetBytes, memory } = descriptor as Record<string, unknown>;
  if (kind !== 'shared-slab-pool') throw refuse('descriptor.kind', kind, '"shared-slab-pool"');
  if (typeof name !== 'string') throw refuse('descriptor.name', name, 'the name of the pool');
  if (!isSharedArrayBuffer(control)) throw refuse('descriptor.control', control, 'a SharedArrayBuffer');
  if (!isSharedArrayBuffer(memory)) throw refuse('descriptor.memory', memory, 'a SharedArrayBuffer');
  const header = controlOffsetBytes as number;
  if (
    !Number.isInteger(header) ||
    header < 0 ||
    header % 4 !== 0 ||
    header + THREADS * 4 > control.byteLength
  )
    throw refuse('descriptor.controlOffsetBytes', header, 'the offset that the pool wrote there');
  const words = new Int32Array(control, header, THREADS);
  const [magic, version, slots = 0, slotBytes = 0, strideBytes = 0, maxThreads = 0, dataOffsetBytes = 0] =
    words;
  const shape = { slots, slotBytes, strideBytes, maxThreads, dataOffsetBytes };
  if (magic !== MAGIC_VALUE || version !== LAYOUT_VERSION)
    throw refuse('descriptor.control', control, 'the control words of a pool of this version');
  const sound =
    slots > 0 &&
    slotBytes > 0 &&
    strideBytes >= slotBytes &&
    maxThreads > 0 &&
    maxThreads <= MAX_PLACES &&
    dataOffsetBytes >= 0 &&
    header + controlBytes(slots, maxThreads) <= control.byteLength &&
    dataOffsetBytes + slots * strideBytes <= memory.byteLength;
  if (!sound) throw refuse('descriptor', descriptor, `${whole}, with the memory that belongs to it`);
  return blockOver(control, header, shape);
}
