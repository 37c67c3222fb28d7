import { describe, expect, it } from 'vitest';
import { Arena } from '../../../dist/memory/arena.js';
import { randomSource } from './random.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('Arena', () => {
  it('hands out aligned, disjoint ranges within itself', () => {
    const random = randomSource(5);
    using arena = new Arena({ bytes: 1 << 20 });
    let end = 0;
    for (let k = 0; k < 2_000; k += 1) {
      const size = Math.floor(random() * 300);
      const align = 2 ** Math.floor(random() * 8);
      const at = arena.allocate(size, align);
      expect(at % align).toBe(0);
      expect(at).toBeGreaterThanOrEqual(end);
      end = at + size;
    }
    expect(end).toBeLessThanOrEqual(arena.sizeBytes);
    expect(arena.stats()).toMatchObject({ inUse: 2_000, bytes: { inUse: end, highWater: end } });
  });

  it('gives back what a scope took, and all inner scopes with it', () => {
    using arena = new Arena({ bytes: 4096 });
    arena.allocate(100);
    const before = arena.stats().bytes;
    {
      using outer = arena.scope();
      arena.allocate(200);
      const inner = arena.scope();
      arena.allocate(300);
      outer.close();
      expect(arena.stats().bytes).toMatchObject({ inUse: 100 });
      arena.allocate(64); // belongs to nobody's scope now
      inner.close(); // ended already: does nothing
      expect(arena.stats().bytes).toMatchObject({ inUse: 168 });
    }
    expect(arena.stats().bytes).toMatchObject({ inUse: 168, highWater: before.available ? 604 : 0 });
  });

  it('resets as a whole and reuses the same offsets', () => {
    using arena = new Arena({ bytes: 64 });
    const first = arena.allocate(64);
    expect(() => arena.allocate(1)).toThrow(code('OUT_OF_SPACE'));
    arena.reset();
    expect(arena.allocate(64)).toBe(first);
    expect(arena.stats()).toMatchObject({ exhausted: 1, highWater: 1 });
  });

  it('never rounds an offset up beyond its end, in the largest arena either', () => {
    using arena = new Arena({ bytes: 2 ** 31 - 4096 });
    arena.allocate(arena.sizeBytes - 8);
    expect(() => arena.allocate(8, 4096)).toThrow(code('OUT_OF_SPACE'));
    expect(arena.allocate(8)).toBe(arena.sizeBytes - 8);
  });

  it('has one arena per thread, made anew after it was closed', () => {
    const one = Arena.forThread({ bytes: 4096 });
    expect(Arena.forThread()).toBe(one);
    one.close();
    const next = Arena.forThread({ bytes: 8192 });
    expect(next.sizeBytes).toBe(8192);
    next.close();
  });

  it.each([
    NaN,
    -1,
    0.5,
    2 ** 53,
    Infinity,
    4097,
    '8',
    undefined,
    null,
    true,
    8n,
    Symbol('8'),
    { valueOf: () => 8 },
  ])('refuses %o bytes and stays usable', (size) => {
    using arena = new Arena({ bytes: 4096 });
    arena.allocate(8);
    expect(() => arena.allocate(size as never)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/INVALID_ARGUMENT|OUT_OF_SPACE/) }),
    );
    expect(arena.allocate(8)).toBe(8);
  });

  it.each([0, 3, -8, NaN, 8192, 0.5, 2 ** 33, 8n, null])('refuses alignment %o', (align) => {
    using arena = new Arena({ bytes: 4096 });
    arena.allocate(1, 1);
    expect(() => arena.allocate(8, align as never)).toThrow(code('INVALID_ARGUMENT'));
  });

  it.each([
    { bytes: 0 },
    { bytes: NaN },
    { bytes: 2 ** 53 },
    { bytes: 2 ** 31 - 8 },
    {},
    undefined,
    { bytes: 64, size: 1 },
    { bytes: 64, name: 1 },
  ])('refuses options %o', (options) => {
    expect(() => new Arena(options as never)).toThrow(code('INVALID_ARGUMENT'));
  });

  it('throws CLOSED after close; kept typed arrays do no harm', () => {
    const arena = new Arena({ bytes: 4096 });
    const scope = arena.scope();
    const { f64 } = arena;
    arena.close();
    scope.close();
    for (const use of [
      () => arena.allocate(8),
      () => arena.reset(),
      () => arena.scope(),
      () => arena.view(0, 8),
    ]) {
      expect(use).toThrow(code('CLOSED'));
    }
    expect(f64[0]).toBeUndefined();
    expect(arena.stats()).toMatchObject({ closed: true, bytes: { capacity: 0 } });
  });
});
