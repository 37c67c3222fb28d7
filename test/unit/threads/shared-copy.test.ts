import { describe, expect, it } from 'vitest';
import { packShared, sameBytes, unpackShared } from '../../../dist/threads/shared-copy.js';
import { float64 } from '../../fixtures/threads/setup.js';

describe('packShared', () => {
  it('survives a structured clone to another process and comes back as it was', () => {
    const memory = new SharedArrayBuffer(64);
    const shared = {
      all: new Uint8Array(memory),
      part: new Int16Array(memory, 16, 4),
      view: new DataView(memory, 8, 8),
      raw: memory,
      nested: [{ factor: 2.5, name: 'x' }, 7n, null, undefined],
    };
    shared.part[1] = -300;
    const copy = unpackShared(structuredClone(packShared(shared))) as typeof shared;
    expect(copy.nested).toEqual(shared.nested);
    expect(copy.part).toBeInstanceOf(Int16Array);
    expect([copy.part[1], copy.part.length, copy.part.byteOffset]).toEqual([-300, 4, 16]);
    expect(copy.view.byteLength).toBe(8);
    // Views of one buffer still look at one buffer, and it is shared memory of its own.
    expect(copy.part.buffer).toBe(copy.all.buffer);
    expect(copy.raw).toBe(copy.all.buffer);
    expect(copy.raw).toBeInstanceOf(SharedArrayBuffer);
    copy.all.fill(1);
    expect(shared.all[0]).toBe(0);
  });

  it('tells whether two copies hold the same', () => {
    const a = float64(4);
    const before = packShared({ a });
    expect(sameBytes(before, packShared({ a }))).toBe(true);
    a[3] = 1;
    expect(sameBytes(before, packShared({ a }))).toBe(false);
  });
});
