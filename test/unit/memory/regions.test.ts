import { describe, expect, it } from 'vitest';
import { Region } from '../../../dist/memory/regions.js';
import { loadNative } from '../../../dist/native/load.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });
const hasAddon = loadNative().implementation === 'addon';

describe.each([false, true])('Region, shared %s', (shared) => {
  it.each([
    [8, 8],
    [64, 64],
    [128, 128],
    ['page', 4096],
    ['2MiB', 2 ** 21],
  ] as const)('is aligned at %s and zeroed', (alignment, bytes) => {
    using region = new Region({ sizeBytes: 10_000, alignment, shared });
    const view = region.view();
    if (hasAddon) expect(loadNative().addressOf(view) % BigInt(bytes)).toBe(0n);
    expect(view.length).toBe(10_000);
    expect(view.every((byte) => byte === 0)).toBe(true);
    expect(region.buffer instanceof SharedArrayBuffer).toBe(shared);
    view[9_999] = 7;
    expect(region.view(9_999)[0]).toBe(7);
  });

  it('throws CLOSED from every method after close, and closes twice without harm', () => {
    const region = new Region({ sizeBytes: 4096, shared, name: 'mine' });
    const view = region.view();
    region.close();
    region.close();
    expect(region.closed).toBe(true);
    for (const use of [
      () => region.buffer,
      () => region.view(),
      () => region.trim(),
      () => region.residency(),
    ]) {
      expect(use).toThrow(code('CLOSED'));
      expect(use).toThrow(/"mine"/);
    }
    // A kept view does no harm: detached where private, still valid memory where shared.
    expect(view[0]).toBe(shared ? 0 : undefined);
    view[0] = 5;
  });

  it.each([
    ['sizeBytes', { sizeBytes: 0 }],
    ['sizeBytes', { sizeBytes: -1 }],
    ['sizeBytes', { sizeBytes: NaN }],
    ['sizeBytes', { sizeBytes: 2 ** 53 }],
    ['sizeBytes', { sizeBytes: '64' }],
    ['sizeBytes', {}],
    ['alignment', { sizeBytes: 8, alignment: 48 }],
    ['alignment', { sizeBytes: 8, alignment: 2 ** 31 }],
    ['alignment', { sizeBytes: 8, alignment: 'line' }],
    ['hugePages', { sizeBytes: 8, hugePages: true }],
    ['prefault', { sizeBytes: 8, prefault: 'yes' }],
    ['name', { sizeBytes: 8, name: 8 }],
    ['"bytes"', { sizeBytes: 8, bytes: 8 }],
  ])('names %s where it is wrong: %o', (name, options) => {
    const make = () => new Region({ ...options, shared } as never);
    expect(make).toThrow(code('INVALID_ARGUMENT'));
    expect(make).toThrow(name);
  });

  it('refuses parts outside itself', () => {
    using region = new Region({ sizeBytes: 100, shared });
    for (const use of [
      () => region.view(101),
      () => region.view(50, 51),
      () => region.view(-1),
      () => region.trim(0, 101),
      () => region.trim(NaN),
    ]) {
      expect(use).toThrow(code('INVALID_ARGUMENT'));
    }
  });

  it('says that the system has no memory, rather than crashing', () => {
    // 2^40 bytes can be reserved where memory is overcommitted; then there is nothing to refuse.
    const make = () => new Region({ sizeBytes: shared ? 2 ** 32 : 2 ** 40, shared, prefault: false }).close();
    try {
      make();
    } catch (error) {
      expect(error).toMatchObject({ code: 'OUT_OF_MEMORY' });
    }
  });
});

describe.runIf(hasAddon && process.platform === 'linux')('shared Region with the addon', () => {
  it('gives pages back by trim, for every holder', () => {
    using region = new Region({ sizeBytes: 1 << 20, alignment: 'page', shared: true, prefault: true });
    const other = new Uint8Array(region.buffer, region.offsetBytes, 1 << 20).fill(9);
    expect(region.residency()).toMatchObject({ residentBytes: 1 << 20 });
    expect(region.trim(4096, 8192)).toBe(8192);
    expect([other[4095], other[4096], other[12_287], other[12_288]]).toEqual([9, 0, 0, 9]);
    expect(region.trim(1, 4096)).toBe(0);
    expect(region.trim()).toBe(1 << 20);
    expect(region.residency()).toMatchObject({ residentBytes: 0 });
  });

  it('gives its pages back when it is closed; views that are kept find zeros and go on working', () => {
    const region = new Region({ sizeBytes: 1 << 20, alignment: 'page', shared: true });
    const kept = region.view().fill(9);
    const out = new Float64Array(2);
    region.close();
    loadNative().viewResidency(kept, out);
    expect(out[0]).toBe(0);
    expect(kept[77]).toBe(0);
    kept[77] = 1;
    expect(kept[77]).toBe(1);
  });

  it('is made of whole huge pages where they are required, or refused', () => {
    const make = () => new Region({ sizeBytes: 4 << 20, shared: true, hugePages: 'require', prefault: true });
    if (!loadNative().capabilities().hugePages.available) return expect(make).toThrow(code('NOT_SUPPORTED'));
    let region;
    try {
      region = make();
    } catch (error) {
      return expect(error).toMatchObject({ code: 'NOT_SUPPORTED' }); // none was free
    }
    const residency = region.residency();
    if (residency.available) expect(residency.hugeBytes).toBe(4 << 20);
    region.close();
  });
});

describe.each([false, true])('Region on a NUMA node, shared %s', (shared) => {
  it('is bound, or refused with the reason', () => {
    try {
      using region = new Region({ sizeBytes: 1 << 20, numaNode: 0, shared, prefault: true });
      region.view().fill(1);
      expect(region.view()[0]).toBe(1);
    } catch (error) {
      expect(error).toMatchObject({ code: 'NOT_SUPPORTED', cause: { syscall: 'mbind' } });
    }
  });

  it('leaves nothing open where the node does not exist', () => {
    const before = loadNative().regionCount();
    expect(() => new Region({ sizeBytes: 1 << 20, numaNode: 1023, shared })).toThrow(code('NOT_SUPPORTED'));
    expect(loadNative().regionCount()).toBe(before);
  });

  it.each([-1, 0.5, NaN, 1024, '0'])('names numaNode where it is %s', (numaNode) => {
    const make = () => new Region({ sizeBytes: 1 << 20, numaNode, shared } as never);
    expect(make).toThrow(code('INVALID_ARGUMENT'));
    expect(make).toThrow('numaNode');
  });
});

describe.runIf(hasAddon)('private Region with the addon', () => {
  it('is outside the heap and counted while open', () => {
    const before = loadNative().regionCount();
    const region = new Region({ sizeBytes: 1 << 20 });
    expect(loadNative().regionCount()).toBe(before + 1);
    region.close();
    expect(loadNative().regionCount()).toBe(before);
  });

  it('is resident after prefault, and no more after trim', () => {
    using region = new Region({ sizeBytes: 1 << 20, alignment: 'page', prefault: true });
    region.view().fill(9);
    const full = region.residency();
    if (!full.available) return expect(full.reason).toBe('PLATFORM');
    expect(full.residentBytes).toBe(1 << 20);
    expect(region.trim()).toBe(1 << 20);
    expect(region.residency()).toMatchObject({ residentBytes: 0 });
    expect(region.view()[5]).toBe(0);
  });

  it('tells what became of the advice to use huge pages', () => {
    using none = new Region({ sizeBytes: 4 << 20 });
    expect(none.hugePages).toBe('none');
    using small = new Region({ sizeBytes: 4096, hugePages: 'auto' });
    expect(small.hugePages).toBe('none');
    using large = new Region({ sizeBytes: 4 << 20, hugePages: 'auto' });
    expect(['advised', 'refused']).toContain(large.hugePages);
    if (large.hugePages === 'refused') {
      expect(() => new Region({ sizeBytes: 4 << 20, hugePages: 'require' })).toThrow(code('NOT_SUPPORTED'));
    }
  });
});
