import { describe, expect, it } from 'vitest';
import { runInChild } from './native-child.js';

const linux = process.platform === 'linux';
const external = [
  ['external buffers', '1'],
  ['V8’s own buffers', '0'],
] as const;

describe.each(external)('closing a region while it is in use (%s)', (_kind, setting) => {
  const run = (code: string, flags: string[] = []) =>
    runInChild(`const native = loadNative(); ${code}`, { flags, env: { SYSOPT_EXTERNAL_BUFFERS: setting } });

  it('leaves views that read undefined', async () => {
    const { status, output } = await run(`
      const { id, buffer } = native.regionCreate(1 << 20, 64, 0, true);
      const views = [Uint8Array, Float64Array, BigInt64Array].map((View) => new View(buffer));
      const words = Buffer.from(buffer);
      native.regionClose(id);
      for (const view of views) view[0] = view instanceof BigInt64Array ? 1n : 1;
      await turn();
      console.log(JSON.stringify([views.map((view) => view[0] ?? null), words.length, native.regionCount()]));
    `);
    expect(status).toBe(0);
    expect(output).toEqual([[null, null, null], 0, 0]);
  });

  it('is safe after its buffer was handed on', async () => {
    const { status, signal, stderr, output } = await run(`
      const results = [];
      const ways = [
        (buffer) => structuredClone(buffer, { transfer: [buffer] }),
        (buffer) => (buffer.transfer ? buffer.transfer() : structuredClone(buffer)),
        (buffer) => structuredClone(buffer),
      ];
      for (const way of ways) {
        const { id, buffer, offsetBytes } = native.regionCreate(4096, 64, 0, true);
        new Uint8Array(buffer, offsetBytes).fill(9);
        let copy;
        // Node refuses to transfer external buffers to another thread; that is fine too.
        try { copy = way(buffer); } catch { copy = buffer.slice(0); }
        native.regionTrim(id, 0, 0);
        native.regionClose(id);
        await turn();
        results.push(new Uint8Array(copy, offsetBytes)[100]);
        new Uint8Array(copy).fill(1);
      }
      console.log(JSON.stringify({ results, open: native.regionCount() }));
    `);
    expect(stderr).toBe('');
    expect({ status, signal }).toEqual({ status: 0, signal: null });
    expect(output).toEqual({ results: [9, 9, 9], open: 0 });
  });

  it.runIf(linux)('is done by the collector for regions that were dropped', async () => {
    const { status, stderr, output } = await run(
      `
      const before = mappings();
      for (let i = 0; i < 300; i++) native.regionCreate(65536 + 4096 * (i % 7), 1 << 16, 0, true);
      for (let i = 0; i < 5; i++) { gc(); await turn(); await turn(); }
      console.log(JSON.stringify({ open: native.regionCount(), mappings: mappings() - before }));
    `,
      ['--expose-gc'],
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const left = output as { open: number; mappings: number };
    expect(left.open).toBeLessThanOrEqual(1);
    expect(left.mappings).toBeLessThan(60);
  });
});

describe('closing a region', () => {
  it('is safe while the thread pool works on it', async () => {
    const { status, signal, stderr, output } = await runInChild(`
      const native = loadNative();
      const { randomFill, webcrypto } = await import('node:crypto');
      const { deflate } = await import('node:zlib');
      const { open } = await import('node:fs/promises');
      const file = await open('/dev/zero', 'r');
      const settled = { done: 0, failed: 0 };
      const count = (promise) => promise.then(() => settled.done++, () => settled.failed++);
      for (let round = 0; round < 20; round++) {
        const { id, buffer, offsetBytes } = native.regionCreate(1 << 20, 64, 0, true);
        const bytes = new Uint8Array(buffer, offsetBytes, 1 << 20);
        const work = [
          count(new Promise((resolve, reject) => randomFill(bytes, (e) => (e ? reject(e) : resolve())))),
          // In one chunk: between two, Node itself ends the process over a detached buffer.
          count(new Promise((resolve, reject) => deflate(bytes, { chunkSize: 4 << 20 }, (e) => (e ? reject(e) : resolve())))),
          count(webcrypto.subtle.digest('SHA-256', bytes)),
          count(file.read(bytes, 0, bytes.length)),
        ];
        native.regionClose(id);
        // What comes next may get the same addresses.
        native.regionClose(native.regionCreate(1 << 20, 64, 0, true).id);
        await Promise.all(work);
      }
      await file.close();
      console.log(JSON.stringify({ settled: settled.done + settled.failed, open: native.regionCount() }));
    `);
    expect(stderr).toBe('');
    expect({ status, signal }).toEqual({ status: 0, signal: null });
    expect(output).toEqual({ settled: 80, open: 0 });
  });
});

describe.runIf(linux)('ten thousand cycles of opening and closing', () => {
  const CYCLES = 10_000;

  it.each([
    ['with turns of the event loop between', 'if (i % 100 === 0) await turn();'],
    ['in one synchronous loop', ''],
  ])('leave no mapping, no address space and no descriptor: %s', async (_how, between) => {
    const { status, stderr, output } = await runInChild(
      `
      const native = loadNative();
      const cycles = async (count) => {
        for (let i = 0; i < count; i++) {
          const { id } = native.regionCreate(65536, 1 << 16, i % 3 === 0 ? 1 : 0, i % 2 === 0);
          native.regionClose(id);
          native.countersClose(native.countersOpen(Float64Array.of(1, 1, 0, 1, 1, 3, 0, 0), false).id);
          ${between}
        }
        for (let i = 0; i < 3; i++) await turn();
      };
      await cycles(200);
      const before = { mappings: mappings(), descriptors: descriptors(), addressSpaceKb: addressSpaceKb() };
      await cycles(${CYCLES});
      console.log(JSON.stringify({
        mappings: mappings() - before.mappings,
        descriptors: descriptors() - before.descriptors,
        addressSpaceKb: addressSpaceKb() - before.addressSpaceKb,
        open: native.regionCount(),
      }));
    `,
      // One heap of libc, or its reservations for V8's threads drown the figure.
      { env: { MALLOC_ARENA_MAX: '1' } },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const left = output as { mappings: number; descriptors: number; addressSpaceKb: number; open: number };
    expect(left.open).toBe(0);
    expect(left.descriptors).toBe(0);
    expect(left.mappings).toBeLessThan(100);
    // The regions came to 640,000 KiB; what remains is V8's heap.
    expect(left.addressSpaceKb).toBeLessThan(100_000);
  });
});
