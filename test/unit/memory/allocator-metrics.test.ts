import { describe, expect, it } from 'vitest';
import { allocatorMetrics } from '../../../dist/memory/allocator-metrics.js';
import { Arena } from '../../../dist/memory/arena.js';
import { BuddyAllocator } from '../../../dist/memory/buddy-allocator.js';
import { ObjectPool } from '../../../dist/memory/object-pool.js';
import { SlabPool } from '../../../dist/memory/slab-pool.js';

const value = (wanted: number, unit: string) => ({ available: true, value: wanted, unit });

describe('allocatorMetrics', () => {
  it('names the same figures for every kind of allocator', () => {
    using pool = new SlabPool({ slotBytes: 48, slots: 4, maxSlots: 8, name: 'frames' });
    for (let k = 0; k < 5; k += 1) pool.acquire();
    expect(allocatorMetrics(pool.stats())).toEqual({
      'allocator.frames.inUse': value(5, 'count'),
      'allocator.frames.capacity': value(8, 'count'),
      'allocator.frames.highWater': value(5, 'count'),
      'allocator.frames.growths': value(1, 'count'),
      'allocator.frames.exhausted': value(0, 'count'),
      'allocator.frames.waiting': value(0, 'count'),
      'allocator.frames.bytes.inUse': value(320, 'bytes'),
      'allocator.frames.bytes.capacity': value(512, 'bytes'),
      'allocator.frames.bytes.highWater': value(320, 'bytes'),
      'allocator.frames.fragmentation.internal': value(0.25, 'ratio'),
      'allocator.frames.fragmentation.external': value(0, 'ratio'),
    });
  });

  it('leaves out what an allocator does not have, and says what nobody knows', () => {
    using arena = new Arena({ bytes: 4096 });
    arena.allocate(100);
    const ofArena = allocatorMetrics(arena.stats());
    expect(ofArena['allocator.arena.bytes.inUse']).toEqual(value(100, 'bytes'));
    expect(ofArena).not.toHaveProperty('allocator.arena.capacity');
    expect(ofArena).not.toHaveProperty('allocator.arena.fragmentation.internal');
    using objects = new ObjectPool({ create: () => ({}) });
    expect(allocatorMetrics(objects.stats())['allocator.objects.bytes.inUse']).toMatchObject({
      available: false,
      reason: 'JS_OBJECTS',
    });
  });

  it('reports both kinds of fragmentation of buddy blocks', () => {
    using blocks = new BuddyAllocator({ bytes: 1024, minBlockBytes: 256 });
    const offsets = Array.from({ length: 4 }, () => blocks.allocate(192));
    blocks.free(offsets[0]!);
    blocks.free(offsets[2]!);
    const metrics = allocatorMetrics(blocks.stats());
    expect(metrics['allocator.buddy.fragmentation.internal']).toEqual(value(0.25, 'ratio'));
    // 512 bytes are free, of which one request can have 256.
    expect(metrics['allocator.buddy.fragmentation.external']).toEqual(value(0.5, 'ratio'));
  });
});
