/** What a queue carries, and where it stands: plain numbers, or messages of bytes up to a size. */
import { describe, fail } from '../../errors.js';
import { integerWithin } from '../check.js';
import { dataOffsetBytes, type SharedBlock } from './shared-block.js';

export type QueueItem = number | Uint8Array;

export const MAX_CAPACITY = 2 ** 24;
const MAX_ITEM_BYTES = 2 ** 24;

export interface ItemOptions {
  /** Items that fit, rounded up to a power of two: 2 to 2^24. */
  readonly capacity: number;
  /**
   * Where set, items are `Uint8Array`s of up to so many bytes, copied in and out; otherwise they are numbers, such as
   * the handles of a `SharedSlabPool`, and nothing is copied.
   */
  readonly maxItemBytes?: number;
}

/** Capacity as a power of two, and bytes for an item (0: numbers). */
export function itemShape(options: ItemOptions): [capacity: number, itemBytes: number] {
  const capacity = integerWithin('capacity', options.capacity, 2, MAX_CAPACITY);
  const { maxItemBytes } = options;
  const itemBytes =
    maxItemBytes === undefined ? 0 : integerWithin('maxItemBytes', maxItemBytes, 1, MAX_ITEM_BYTES);
  return [2 ** Math.ceil(Math.log2(capacity)), itemBytes];
}

export interface ItemStore {
  /** One number an item; empty where items are bytes. */
  readonly numbers: Float64Array;
  readonly bytes: Uint8Array;
  /** Bytes in use of each item. */
  readonly lengths: Int32Array;
  /** Distance of items in `bytes`; 0 where items are numbers. */
  readonly itemBytes: number;
}

/** Bytes that the items need, after `extraWords` words a slot. */
export function storeBytes(capacity: number, itemBytes: number): number {
  return itemBytes === 0 ? capacity * 8 : capacity * 4 + capacity * itemBytes;
}

/** @param skipBytes plain data of the primitive before the items; a multiple of 8. */
export function itemStore(block: SharedBlock, lines: number, skipBytes: number): ItemStore {
  const [capacity, itemBytes] = block.parameters;
  const at = dataOffsetBytes(lines) + skipBytes;
  const isNumbers = itemBytes === 0;
  return {
    numbers: new Float64Array(block.memory, isNumbers ? at : 0, isNumbers ? capacity : 0),
    lengths: new Int32Array(block.memory, isNumbers ? 0 : at, isNumbers ? 0 : capacity),
    bytes: new Uint8Array(block.memory, isNumbers ? 0 : at + capacity * 4, capacity * itemBytes),
    itemBytes,
  };
}

/** What was moved to another thread looks like a message of no bytes. */
function isDetached(item: Uint8Array): boolean {
  if (item.length > 0) return false;
  try {
    void new Uint8Array(item.buffer);
    return false;
  } catch {
    return true;
  }
}

/** @throws INVALID_ARGUMENT for an item that the queue does not carry. */
export function requireItem(item: unknown, itemBytes: number): void {
  if (itemBytes === 0) {
    if (typeof item === 'number') return;
    throw fail('INVALID_ARGUMENT', { name: 'item', actual: describe(item), expected: 'a number' });
  }
  const isBytes = item instanceof Uint8Array;
  if (isBytes && item.byteLength <= itemBytes && !isDetached(item)) return;
  throw fail('INVALID_ARGUMENT', {
    name: 'item',
    actual: isBytes
      ? `a Uint8Array of ${isDetached(item) ? 'detached' : item.byteLength} bytes`
      : describe(item),
    expected: `a Uint8Array of up to ${itemBytes} bytes`,
  });
}
