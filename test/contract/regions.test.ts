import { describe, expect, it } from 'vitest';
import { IMPLEMENTATIONS } from './implementations.js';

describe.each(IMPLEMENTATIONS)('regions of the %s', (name, native) => {
  const isAddon = name === 'addon';

  it.each([1, 100, 4096, 4097, 1_000_000])('are zeroed, writable and hold %i bytes', (size) => {
    const grant = native.regionCreate(size, 8, 0, false);
    const bytes = new Uint8Array(grant.buffer, grant.offsetBytes, size);
    expect(grant.sizeBytes).toBeGreaterThanOrEqual(size);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    bytes.fill(0xa5);
    expect(bytes.every((byte) => byte === 0xa5)).toBe(true);
    expect(native.regionClose(grant.id)).toBe(true);
  });

  it.each([8, 16, 64, 128, 4096, 65_536, 2 ** 21])('start at what the grant says for %i', (alignment) => {
    const grant = native.regionCreate(1000, alignment, 0, false);
    const address = native.addressOf(new Uint8Array(grant.buffer, grant.offsetBytes, 1));
    expect(grant.alignmentBytes).toBe(isAddon ? alignment : 8);
    expect(address % BigInt(grant.alignmentBytes)).toBe(0n);
    expect(address === 0n).toBe(!isAddon);
    native.regionClose(grant.id);
  });

  it('read undefined and ignore writes after closing', () => {
    const grant = native.regionCreate(64, 64, 0, false);
    const bytes = new Uint8Array(grant.buffer);
    const view = new DataView(grant.buffer);
    bytes[0] = 1;
    expect(native.regionClose(grant.id)).toBe(true);
    bytes[0] = 2;
    expect([bytes[0], bytes.length, grant.buffer.byteLength]).toEqual([undefined, 0, 0]);
    expect(() => view.getInt8(0)).toThrow(TypeError);
    expect(native.addressOf(bytes)).toBe(0n);
  });

  it('close once', () => {
    const { id } = native.regionCreate(64, 64, 0, false);
    expect(native.regionClose(id)).toBe(true);
    expect(native.regionClose(id)).toBe(false);
    expect(native.regionClose(2 ** 40)).toBe(false);
    expect(native.regionClose(NaN)).toBe(false);
  });

  it('are counted while they are open', () => {
    const before = native.regionCount();
    const grants = [1, 2, 3].map(() => native.regionCreate(64, 64, 0, false));
    expect(native.regionCount()).toBe(before + 3);
    expect(new Set(grants.map((grant) => grant.id)).size).toBe(3);
    for (const { id } of grants) native.regionClose(id);
    expect(native.regionCount()).toBe(before);
  });

  it('give back whole pages only, which then read as zeros', () => {
    const page = 4096;
    const grant = native.regionCreate(4 * page, page, 0, true);
    const bytes = new Uint8Array(grant.buffer, grant.offsetBytes, 4 * page).fill(7);
    expect(native.regionTrim(grant.id, 1, page)).toBe(0);
    const given = native.regionTrim(grant.id, page - 1, 2 * page + 1);
    expect(given).toBe(isAddon ? 2 * page : 0);
    expect(bytes.subarray(page, page + given).every((byte) => byte === 0)).toBe(true);
    expect(bytes[page - 1]).toBe(7);
    expect(bytes.subarray(3 * page).every((byte) => byte === 7)).toBe(true);
    native.regionClose(grant.id);
  });

  it('refuse ranges outside themselves and regions that are not open', () => {
    const { id, sizeBytes } = native.regionCreate(100, 64, 0, false);
    expect(() => native.regionTrim(id, sizeBytes, 1)).toThrow(RangeError);
    expect(() => native.regionTrim(id, 2 ** 53 - 1, 2 ** 53 - 1)).toThrow(RangeError);
    native.regionClose(id);
    expect(() => native.regionTrim(id, 0, 1)).toThrow(RangeError);
    expect(() => native.regionResidency(id, new Float64Array(2))).toThrow(RangeError);
  });

  it('report residency as numbers or NaN, never as a made-up 0', () => {
    const grant = native.regionCreate(64 * 4096, 64, 0, true);
    const out = new Float64Array(2).fill(-1);
    native.regionResidency(grant.id, out);
    expect(out[0]).toBe(isAddon ? 64 * 4096 : NaN);
    expect(out[1] === 0 || Number.isNaN(out[1])).toBe(true);
    native.regionClose(grant.id);
  });

  it('say what became of huge pages', () => {
    const none = native.regionCreate(4096, 64, 0, false);
    const small = native.regionCreate(4096, 64, 1, false);
    const large = native.regionCreate(4 << 20, 64, 1, false);
    expect(none.hugePages).toBe('none');
    expect(small.hugePages).toBe('refused');
    expect(large.hugePages).toBe(native.capabilities().hugePages.available ? 'advised' : 'refused');
    for (const { id } of [none, small, large]) native.regionClose(id);
    expect(() => native.regionCreate(4096, 64, 2, false)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^E/), syscall: 'madvise' }),
    );
  });

  it.each([
    [0, 64, 0, false, RangeError],
    [-1, 64, 0, false, RangeError],
    [1.5, 64, 0, false, RangeError],
    [NaN, 64, 0, false, RangeError],
    [2 ** 40 + 1, 64, 0, false, RangeError],
    ['64', 64, 0, false, TypeError],
    [64, 0, 0, false, RangeError],
    [64, 48, 0, false, RangeError],
    [64, 4, 0, false, RangeError],
    [64, 2 ** 31, 0, false, RangeError],
    [64, 64, 3, false, RangeError],
    [64, 64, true, false, TypeError],
    [64, 64, 0, 0, TypeError],
    [64, 64, 0, undefined, TypeError],
  ])('refuse (%s, %s, %s, %s)', (size, alignment, huge, prefault, type) => {
    const before = native.regionCount();
    expect(() => native.regionCreate(size as any, alignment, huge as any, prefault as any)).toThrow(type);
    expect(native.regionCount()).toBe(before);
  });

  it('fail with ENOMEM where the system has not that much, and go on', () => {
    expect(() => native.regionCreate(2 ** 40, 8, 0, false)).toThrow(
      expect.objectContaining({ code: 'ENOMEM', errno: expect.any(Number), syscall: expect.any(String) }),
    );
    expect(native.regionClose(native.regionCreate(64, 8, 0, false).id)).toBe(true);
  });

  it('give back whole pages of shared memory only', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(8 * 4096)).fill(7);
    const start = native.addressOf(shared);
    const given = native.discardShared(shared);
    expect(given % 4096).toBe(0);
    if (isAddon && process.platform === 'linux') {
      expect(given).toBe(start % 4096n === 0n ? 8 * 4096 : 7 * 4096);
      expect(shared.filter((byte) => byte === 0).length).toBe(given);
    } else {
      expect(shared.every((byte) => byte === 7)).toBe(true);
    }
    expect(native.discardShared(new DataView(shared.buffer, 1, 4096))).toBe(0);
    // A subclass that claims shared memory does not make private memory so.
    const liar = new (class extends Uint8Array {
      override get buffer(): any {
        return shared.buffer;
      }
    })(8 * 4096).fill(7);
    for (const view of [new Uint8Array(8 * 4096), Buffer.alloc(8), ...(isAddon ? [liar] : [])]) {
      expect(() => native.discardShared(view)).toThrow(TypeError);
    }
    expect(liar.every((byte) => byte === 7)).toBe(true);
  });

  it('report the residency of any view as numbers or NaN', () => {
    const view = new Uint8Array(new SharedArrayBuffer(64 * 4096)).fill(1);
    const out = new Float64Array(2).fill(-1);
    native.viewResidency(view, out);
    if (isAddon) expect(out[0]).toBeGreaterThanOrEqual(64 * 4096);
    else expect([...out]).toEqual([NaN, NaN]);
    expect(() => native.viewResidency(view, new Float64Array(1))).toThrow(RangeError);
  });

  it('bind memory to a node, or fail by the name of the system call', () => {
    const refusal = expect.objectContaining({
      code: expect.stringMatching(/^E/),
      errno: expect.any(Number),
      syscall: 'mbind',
    });
    const grant = native.regionCreate(1 << 20, 4096, 0, true);
    const view = new Uint8Array(grant.buffer);
    try {
      native.bindToNode(view, 0);
    } catch (error) {
      expect(error).toEqual(refusal);
    }
    expect(() => native.bindToNode(view, 1023)).toThrow(refusal);
    expect(() => native.bindToNode(new Uint8Array(8), 0)).toThrow(refusal);
    expect(() => native.bindToNode(view, 1024)).toThrow(RangeError);
    expect(() => native.bindToNode(view, NaN)).toThrow(RangeError);
    native.regionClose(grant.id);
  });

  it('tell the address and take advice for views of every kind', () => {
    const shared = new SharedArrayBuffer(4 << 20);
    const views = [
      new Uint8Array(shared),
      new Float64Array(8),
      new DataView(new ArrayBuffer(8)),
      Buffer.alloc(3),
    ];
    for (const view of views) {
      expect(native.addressOf(view) > 0n).toBe(isAddon);
      expect(typeof native.adviseHugePages(view)).toBe('boolean');
    }
    if (isAddon) expect(native.addressOf(new Uint8Array(shared, 5)) - native.addressOf(views[0]!)).toBe(5n);
    expect(() => native.addressOf(new ArrayBuffer(8) as any)).toThrow(TypeError);
    expect(() => native.adviseHugePages({} as any)).toThrow(TypeError);
    expect(native.adviseHugePages(new Uint8Array(8))).toBe(false);
  });
});
