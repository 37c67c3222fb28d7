import { describe, expect, it } from 'vitest';
import { runInChild } from './native-child.js';

const memory = new URL('../../dist/memory/', import.meta.url).href;
const PRELUDE = `
  const { Region } = await import('${memory}regions.js');
  const { SlabPool } = await import('${memory}slab-pool.js');
  const { Arena } = await import('${memory}arena.js');
  const { BuddyAllocator } = await import('${memory}buddy-allocator.js');
  const { ObjectPool } = await import('${memory}object-pool.js');
`;

// test:native runs this file under the sanitizers, too.
describe.each([
  ['external buffers', '1'],
  ['V8’s own buffers', '0'],
])('pools on %s', (_kind, setting) => {
  const run = (code: string) => runInChild(PRELUDE + code, { env: { SYSOPT_EXTERNAL_BUFFERS: setting } });

  it('are aligned, hold what was written and are gone after the close', async () => {
    const { stderr, output } = await run(`
      const native = loadNative();
      const pool = new SlabPool({ slotBytes: 100, slots: 3, maxSlots: 50, alignment: 128, prefault: true });
      const handles = Array.from({ length: 50 }, () => pool.acquire());
      handles.forEach((handle, k) => pool.buffer(handle).fill(k));
      const aligned = handles.every((handle) => native.addressOf(pool.view(handle)) % 128n === 0n);
      const intact = handles.every((handle, k) => pool.view(handle).every((byte) => byte === k));
      const arena = new Arena({ bytes: 1 << 16 });
      arena.f64[arena.allocate(8) >> 3] = 1.5;
      const blocks = new BuddyAllocator({ bytes: 1 << 16 });
      blocks.view(blocks.allocate(5000)).fill(3);
      const views = [pool.view(handles[0]), pool.buffer(handles[1]), arena.u8, blocks.bytes];
      for (const each of [pool, arena, blocks]) each.close();
      for (const view of views) view[0] = 1;
      console.log(JSON.stringify([aligned, intact, views.map((view) => view.length), native.regionCount()]));`);
    expect(stderr).toBe('');
    expect(output).toEqual([true, true, [0, 0, 0, 0], 0]);
  });

  it('answer every misuse with an error of their own, and go on', async () => {
    const { status, stderr, output } = await run(`
      const hostile = [NaN, -1, 0, 1, 0.5, -0, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), Infinity, 1n, '1', '', null,
        undefined, true, Symbol('s'), {}, [], () => 1, new Proxy({}, {}), { slotBytes: 8 }, new Uint8Array(8)];
      const wrong = [];
      let refused = 0;
      const attempt = (what, use) => {
        try {
          use()?.close?.();
        } catch (error) {
          if (typeof error.code === 'string' && error.hint) refused += 1;
          // JavaScript itself refuses to calculate with symbols and big integers.
          else if (error instanceof TypeError && /Symbol|BigInt|primitive/.test(error.message)) refused += 1;
          else wrong.push(what + ': ' + error.stack);
        }
      };
      const makers = {
        Region: [Region, { sizeBytes: 64, alignment: 64, hugePages: 'never', prefault: false, shared: false, numaNode: undefined }],
        SlabPool: [SlabPool, { slotBytes: 8, slots: 2, maxSlots: 4, alignment: 8, checks: 'generation', poison: false, captureStacks: false }],
        Unchecked: [SlabPool, { slotBytes: 8, slots: 2, checks: 'none' }],
        Arena: [Arena, { bytes: 64 }],
        BuddyAllocator: [BuddyAllocator, { bytes: 1024, minBlockBytes: 16 }],
        ObjectPool: [ObjectPool, { create: () => ({}), minIdle: 0, maxIdle: 4, max: 8 }],
      };
      for (const [name, [Maker, valid]] of Object.entries(makers)) {
        for (const value of hostile) {
          attempt(name, () => new Maker(value));
          // Half a gigabyte is no misuse, and a sanitizer is slow to give it.
          for (const key of Object.keys(valid)) {
            if (typeof value === 'number' && value >= 2 ** 31 && value <= 2 ** 32) continue;
            attempt(name + '.' + key, () => new Maker({ ...valid, [key]: value }));
          }
        }
        for (const closed of [false, true]) {
          const it = new Maker(valid);
          if (closed) it.close();
          const methods = Object.getOwnPropertyNames(Maker.prototype).filter((key) => !/^(constructor|close)$/.test(key));
          for (const key of methods) {
            if (typeof Object.getOwnPropertyDescriptor(Maker.prototype, key).value !== 'function') continue;
            if (!/^(acquire|tryAcquire|release|view|buffer|offset|has|stats|trim|leaks|allocate|free|scope|reset|residency|applyChoice)$/.test(key)) continue;
            for (const value of hostile) {
              attempt(name + '.' + key, () => void it[key](value));
              attempt(name + '.' + key, () => void it[key](value, value));
            }
          }
          it.close();
        }
      }
      console.log(JSON.stringify({ wrong: wrong.slice(0, 5), refused, open: loadNative().regionCount() }));`);
    expect(stderr).toBe('');
    expect(output).toMatchObject({ wrong: [], open: 0 });
    expect((output as { refused: number }).refused).toBeGreaterThan(500);
    expect(status).toBe(0);
  });

  it('let a worker go on using a shared region that is closed and trimmed under it', async () => {
    const { status, stderr, output } = await run(`
      const region = new Region({ sizeBytes: 1 << 20, shared: true, alignment: 'page' });
      const counter = new Int32Array(region.buffer, region.offsetBytes, 2);
      const worker = new Worker(\`
        const { workerData, parentPort } = require('node:worker_threads');
        const words = new Int32Array(workerData.buffer, workerData.offsetBytes, 1 << 18);
        parentPort.postMessage('started');
        for (let k = 0; ; k += 1) {
          words[4 + (k % 200000)] = k;
          if (k % 1000 === 0) Atomics.add(words, 1, 1);
          if (Atomics.load(words, 0) === 1) break;
        }
        parentPort.postMessage('stopped');\`, { eval: true, execArgv: [], workerData: { buffer: region.buffer, offsetBytes: region.offsetBytes } });
      const message = () => new Promise((resolve) => worker.once('message', resolve));
      await message();
      for (let k = 0; k < 200; k += 1) region.trim();
      region.close();
      const refused = (() => { try { region.view(); } catch (error) { return error.code; } })();
      while (Atomics.load(counter, 1) < 5) await turn();
      const stopped = message();
      Atomics.store(counter, 0, 1);
      console.log(JSON.stringify([refused, await stopped]));
      await worker.terminate();`);
    expect(stderr).toBe('');
    expect(output).toEqual(['CLOSED', 'stopped']);
    expect(status).toBe(0);
  });
});

describe('a pool that is closed while the thread pool works on its Buffers', () => {
  it('lets reads and hashes end', async () => {
    const { status, stderr, output } = await runInChild(`${PRELUDE}
      const fs = await import('node:fs');
      const { subtle } = globalThis.crypto;
      const pool = new SlabPool({ slotBytes: 1 << 20, slots: 8 });
      const handles = Array.from({ length: 8 }, () => pool.acquire());
      const descriptor = fs.openSync(process.execPath);
      const work = handles.map((handle, k) => k % 2 === 0
        ? new Promise((resolve) => fs.read(descriptor, pool.buffer(handle), 0, 1 << 20, 0, (error, bytes) => resolve(error?.code ?? bytes)))
        : subtle.digest('SHA-256', pool.view(handle)).then((hash) => hash.byteLength, (error) => error.name));
      pool.close();
      console.log(JSON.stringify(await Promise.all(work)));`);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(output).toEqual(Array.from({ length: 8 }, (_, k) => (k % 2 === 0 ? 1 << 20 : 32)));
  });
});
