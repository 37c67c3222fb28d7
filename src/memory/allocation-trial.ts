/** Factories that fresh processes load to measure pools, arenas and buddy blocks against fresh allocation. */
import type { PoolChoice } from '../model/choice.js';
import { Arena } from './arena.js';
import { BuddyAllocator } from './buddy-allocator.js';
import { SlabPool } from './slab-pool.js';

export interface AllocationTrial {
  /** Bytes of one block; mixed sizes go from a quarter of it to four times as much. */
  readonly blockBytes: number;
  /** Blocks that live at a time. */
  readonly live: number;
}

const ROUNDS = 512;

/** Takes a block, writes both ends, and gives up the one that lived longest: `live` are held. */
export function freshAllocation({ blockBytes, live }: AllocationTrial): () => number {
  const held: Buffer[] = Array.from({ length: live }, () => Buffer.allocUnsafe(blockBytes));
  let at = 0;
  return () => {
    for (let k = 0; k < ROUNDS; k += 1) {
      const block = Buffer.allocUnsafe(blockBytes);
      block[0] = k;
      block[blockBytes - 1] = k;
      held[at] = block;
      at = at + 1 === live ? 0 : at + 1;
    }
    return ROUNDS;
  };
}

export function slabAllocation({ blockBytes, live }: AllocationTrial): () => number {
  const pool = new SlabPool({ slotBytes: blockBytes, slots: live + 1 });
  const held = Int32Array.from({ length: live }, () => pool.acquire());
  let at = 0;
  return () => {
    for (let k = 0; k < ROUNDS; k += 1) {
      const handle = pool.acquire();
      const block = pool.buffer(handle);
      block[0] = k;
      block[blockBytes - 1] = k;
      pool.release(held[at] as number);
      held[at] = handle;
      at = at + 1 === live ? 0 : at + 1;
    }
    return ROUNDS;
  };
}

/** Temporaries of a scope: `live` blocks are taken, and all given up together. */
export function freshScope({ blockBytes, live }: AllocationTrial): () => number {
  const held: Buffer[] = [];
  return () => {
    for (let k = 0; k < ROUNDS; k += 1) {
      const block = Buffer.allocUnsafe(blockBytes);
      block[0] = k;
      block[blockBytes - 1] = k;
      if (held.length >= live) held.length = 0;
      held.push(block);
    }
    return ROUNDS;
  };
}

export function arenaScope({ blockBytes, live }: AllocationTrial): () => number {
  const arena = Arena.forThread({ bytes: Math.max(4096, (blockBytes + 8) * live) });
  return () => {
    const { u8 } = arena;
    let scope = arena.scope();
    let taken = 0;
    for (let k = 0; k < ROUNDS; k += 1) {
      if (taken === live) {
        scope.close();
        scope = arena.scope();
        taken = 0;
      }
      const offset = arena.allocate(blockBytes);
      u8[offset] = k;
      u8[offset + blockBytes - 1] = k;
      taken += 1;
    }
    scope.close();
    return ROUNDS;
  };
}

/** Sizes that repeat, a quarter to four times the block. */
function mixedSizes(blockBytes: number): Int32Array {
  const sizes = new Int32Array(256);
  let state = 0x9e3779b9;
  for (let k = 0; k < sizes.length; k += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const share = (state >>> 0) / 2 ** 32;
    sizes[k] = Math.max(1, Math.round((blockBytes / 4) * 16 ** share));
  }
  return sizes;
}

export function freshMixed({ blockBytes, live }: AllocationTrial): () => number {
  const sizes = mixedSizes(blockBytes);
  const held: Buffer[] = Array.from({ length: live }, () => Buffer.allocUnsafe(blockBytes));
  let at = 0;
  return () => {
    for (let k = 0; k < ROUNDS; k += 1) {
      const size = sizes[k & 255] as number;
      const block = Buffer.allocUnsafe(size);
      block[0] = k;
      block[size - 1] = k;
      held[at] = block;
      at = at + 1 === live ? 0 : at + 1;
    }
    return ROUNDS;
  };
}

export function buddyMixed({ blockBytes, live }: AllocationTrial): () => number {
  const sizes = mixedSizes(blockBytes);
  const blocks = buddyFor(blockBytes, live);
  const bytes = blocks.bytes;
  const held = Int32Array.from({ length: live }, () => blocks.allocate(blockBytes));
  let at = 0;
  return () => {
    for (let k = 0; k < ROUNDS; k += 1) {
      const size = sizes[k & 255] as number;
      blocks.free(held[at] as number);
      const offset = blocks.allocate(size);
      bytes[offset] = k;
      bytes[offset + size - 1] = k;
      held[at] = offset;
      at = at + 1 === live ? 0 : at + 1;
    }
    return ROUNDS;
  };
}

/** Fragmentation of a buddy allocator under the mixed traffic, after many rounds of it. */
export function buddyFragmentation({ blockBytes, live }: AllocationTrial) {
  const sizes = mixedSizes(blockBytes);
  using blocks = buddyFor(blockBytes, live);
  const held = Array.from({ length: live }, (_, k) => blocks.allocate(sizes[k & 255] as number));
  for (let k = 0; k < 64 * live; k += 1) {
    const at = (k * 7) % live;
    blocks.free(held[at] as number);
    held[at] = blocks.allocate(sizes[k & 255] as number);
  }
  const { bytes } = blocks.stats();
  return bytes.available
    ? { internal: bytes.internalFragmentation, external: bytes.externalFragmentation }
    : null;
}

function buddyFor(blockBytes: number, live: number): BuddyAllocator {
  const minBlockBytes = Math.max(16, 2 ** Math.floor(Math.log2(blockBytes / 4)));
  // Mixed sizes average one and a half blocks; rounding up to powers of two at most doubles them.
  return new BuddyAllocator({ bytes: Math.max(4096, blockBytes * live * 8), minBlockBytes });
}

export interface PoolTrial {
  readonly slotBytes: number;
  readonly maxSlots: number;
  readonly checks: 'generation' | 'none';
  readonly choice: PoolChoice;
  /** Most slots in use at once. */
  readonly live: number;
}

export function poolWith({ slotBytes, maxSlots, checks, choice }: Omit<PoolTrial, 'live'>): SlabPool {
  return new SlabPool({
    slotBytes,
    slots: Math.min(choice.slots, maxSlots),
    maxSlots,
    ...(choice.growSlots !== undefined && { growSlots: choice.growSlots }),
    checks,
    alignment: choice.alignmentBytes,
    hugePages: choice.hugePages,
    prefault: choice.prefault,
  });
}

/** The life of a pool: made, filled to its high-water mark, churned, emptied. Growth and first touches count. */
export function poolTrial(trial: PoolTrial): () => number {
  const { slotBytes, live } = trial;
  const held = new Int32Array(live);
  return () => {
    using pool = poolWith(trial);
    let sum = 0;
    for (let k = 0; k < live; k += 1) {
      const handle = pool.acquire();
      const bytes = pool.view(handle);
      for (let at = 0; at < slotBytes; at += 64) bytes[at] = k;
      held[k] = handle;
    }
    for (let round = 0; round < 8 * live; round += 1) {
      const k = (round * 7) % live;
      pool.release(held[k] as number);
      const handle = pool.acquire();
      const bytes = pool.view(handle);
      bytes[0] = k;
      sum += bytes[0];
      held[k] = handle;
    }
    for (let k = 0; k < live; k += 1) pool.release(held[k] as number);
    return sum;
  };
}
