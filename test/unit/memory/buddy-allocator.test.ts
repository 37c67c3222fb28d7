import { constants } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { BuddyAllocator } from '../../../dist/memory/buddy-allocator.js';
import { randomSource } from './random.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('BuddyAllocator', () => {
  it('keeps blocks apart over random traffic, and is whole again in the end', () => {
    const random = randomSource(29);
    using blocks = new BuddyAllocator({ bytes: 1 << 16, minBlockBytes: 32 });
    const held = new Map<number, { size: number; mark: number }>();
    for (let round = 0; round < 20_000; round += 1) {
      if (random() < 0.55) {
        const size = 1 + Math.floor(random() ** 4 * 8_000);
        let at: number;
        try {
          at = blocks.allocate(size);
        } catch (error) {
          expect(error).toMatchObject({ code: 'OUT_OF_SPACE' });
          continue;
        }
        const mark = round & 255;
        blocks.view(at).fill(mark);
        held.set(at, { size, mark });
      } else if (held.size > 0) {
        const at = [...held.keys()][Math.floor(random() * held.size)]!;
        const { size, mark } = held.get(at)!;
        const view = blocks.view(at);
        if (view.length !== size || view[0] !== mark || view[size - 1] !== mark)
          expect.fail('blocks overlap');
        blocks.free(at);
        held.delete(at);
      }
    }
    expect(blocks.stats().inUse).toBe(held.size);
    for (const at of held.keys()) blocks.free(at);
    expect(blocks.stats()).toMatchObject({ inUse: 0, bytes: { inUse: 0, externalFragmentation: 0 } });
    expect(blocks.allocate(1 << 16)).toBe(0); // every buddy has merged
  });

  it('reports internal and external fragmentation', () => {
    using blocks = new BuddyAllocator({ bytes: 1024, minBlockBytes: 64 });
    const held = Array.from({ length: 16 }, () => blocks.allocate(48));
    for (const at of held.filter((_, k) => k % 2 === 0)) blocks.free(at);
    expect(blocks.stats().bytes).toMatchObject({
      inUse: 512,
      internalFragmentation: 0.25,
      externalFragmentation: 1 - 64 / 512,
    });
    expect(() => blocks.allocate(65)).toThrow(code('OUT_OF_SPACE'));
    expect(blocks.stats()).toMatchObject({ exhausted: 1, highWater: 16 });
  });

  it('places blocks at multiples of their size', () => {
    using blocks = new BuddyAllocator({ bytes: 1 << 14 });
    for (const [size, block] of [
      [1, 64],
      [64, 64],
      [65, 128],
      [1500, 2048],
      [4096, 4096],
    ] as const) {
      expect(blocks.allocate(size) % block).toBe(0);
    }
  });

  it('refuses double frees, foreign offsets and anything that is none', () => {
    using blocks = new BuddyAllocator({ bytes: 4096, name: 'b' });
    const at = blocks.allocate(100);
    blocks.free(at);
    expect(() => blocks.free(at)).toThrow(code('STALE_HANDLE'));
    const next = blocks.allocate(1000);
    expect(() => blocks.free(next + 64)).toThrow(code('STALE_HANDLE'));
    for (const wrong of [1, -64, NaN, 4096, 2 ** 53, '0', undefined, null, {}, 0n, Symbol('0')]) {
      expect(() => blocks.free(wrong as never)).toThrow(expect.objectContaining({ name: 'HandleError' }));
      expect(blocks.has(wrong as never)).toBe(false);
    }
    expect(blocks.has(next)).toBe(true);
  });

  it.each([0, -1, NaN, 0.5, Infinity])('refuses to allocate %s bytes', (size) => {
    using blocks = new BuddyAllocator({ bytes: 4096 });
    expect(() => blocks.allocate(size)).toThrow(code('INVALID_ARGUMENT'));
  });

  it('refuses more than it has', () => {
    using blocks = new BuddyAllocator({ bytes: 4096 });
    for (const size of [4097, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      expect(() => blocks.allocate(size)).toThrow(code('OUT_OF_SPACE'));
    }
  });

  it.each([
    {},
    { bytes: 0 },
    { bytes: 2 ** 53 },
    { bytes: 4096, minBlockBytes: 48 },
    { bytes: 4096, minBlockBytes: 8 },
    { bytes: 2 ** 40, minBlockBytes: 16 },
    { bytes: constants.MAX_LENGTH + 1, minBlockBytes: 2 ** 20 },
    { bytes: 4096, minBlock: 64 },
    { bytes: 4096, name: 64 },
  ])('refuses options %o', (options) => {
    expect(() => new BuddyAllocator(options as never)).toThrow(code('INVALID_ARGUMENT'));
  });

  it('says of more bytes than a view may span that they are too many, before it maps any', () => {
    const bytes = constants.MAX_LENGTH + 1;
    expect(() => new BuddyAllocator({ bytes, minBlockBytes: 2 ** 20 })).toThrow(`bytes is ${bytes}.`);
  });

  it('throws CLOSED after close', () => {
    const blocks = new BuddyAllocator({ bytes: 4096 });
    const at = blocks.allocate(8);
    const view = blocks.view(at);
    blocks.close();
    for (const use of [
      () => blocks.allocate(8),
      () => blocks.free(at),
      () => blocks.view(at),
      () => blocks.trim(),
    ]) {
      expect(use).toThrow(code('CLOSED'));
    }
    expect(view[0]).toBeUndefined();
    expect(blocks.has(at)).toBe(false);
    expect(blocks.stats().closed).toBe(true);
  });
});
