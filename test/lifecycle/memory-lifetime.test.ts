import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../dist/native/load.js';

const run = promisify(execFile);
const memory = new URL('../../dist/memory/', import.meta.url).href;
const native = new URL('../../dist/native/load.js', import.meta.url).href;

/** Runs a program in a process of its own; its standard output. A crash rejects. */
async function output(program: string, ...flags: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [...flags, '--input-type=module', '-e', program]);
  return stdout.trim();
}

/** The same with an address space of 200 GB; V8 itself reserves a good part of that. */
async function limited(program: string): Promise<string> {
  const imports = `
    const { Region } = await import('${memory}regions.js');
    const { SlabPool } = await import('${memory}slab-pool.js');
    const { Arena } = await import('${memory}arena.js');
    const { BuddyAllocator } = await import('${memory}buddy-allocator.js');`;
  const { stdout } = await run('bash', [
    '-c',
    `ulimit -v 200000000; exec "$0" --input-type=module -e "$1"`,
    process.execPath,
    imports + program,
  ]);
  return stdout.trim();
}

describe('memory outlives nothing and is outlived by nothing', () => {
  it('a process may exit with open pools, regions, arenas and waiting callers', async () => {
    const out = await output(`
      const { SlabPool } = await import('${memory}slab-pool.js');
      const { Arena } = await import('${memory}arena.js');
      const { BuddyAllocator } = await import('${memory}buddy-allocator.js');
      const pool = new SlabPool({ slotBytes: 64, slots: 1 });
      pool.buffer(pool.acquire()).write('x');
      pool.acquireAsync().catch(() => {});
      new Arena({ bytes: 4096 }).scope();
      new BuddyAllocator({ bytes: 4096 }).allocate(10);
      console.log('end');
      process.exit();`);
    expect(out).toBe('end');
  });

  it('a process lives as long as somebody waits for a slot, and no longer', async () => {
    const out = await output(`
      const { SlabPool } = await import('${memory}slab-pool.js');
      const pool = new SlabPool({ slotBytes: 64, slots: 1 });
      const slot = pool.acquire();
      // Neither keeps a process alive by itself.
      await pool.acquireAsync({ signal: AbortSignal.timeout(50) }).catch((error) => console.log(error.code));
      setTimeout(() => pool.release(slot), 50).unref();
      console.log(pool.has(await pool.acquireAsync()));
      const closing = pool.acquireAsync().catch((error) => console.log(error.code));
      setTimeout(() => pool.close(), 50).unref();
      await closing;
      setTimeout(() => console.log('too long'), 5_000).unref();`);
    expect(out).toBe('ABORTED\ntrue\nCLOSED');
  });

  it.runIf(loadNative().implementation === 'addon')(
    'a dropped region is freed by the collector, but not while a view of it is kept',
    async () => {
      const out = await output(
        `
        const { Region } = await import('${memory}regions.js');
        const { loadNative } = await import('${native}');
        const view = (() => new Region({ sizeBytes: 1 << 20 }).view())();
        view[5] = 42;
        (() => { for (let k = 0; k < 50; k += 1) new Region({ sizeBytes: 1 << 20 }); })();
        for (let k = 0; k < 50 && loadNative().regionCount() > 1; k += 1) {
          gc();
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        console.log(loadNative().regionCount(), view[5]);`,
        '--expose-gc',
      );
      expect(out).toBe('1 42');
    },
  );

  it('a shared array is used from a worker, and survives its termination', async () => {
    const out = await output(`
      import { Worker } from 'node:worker_threads';
      const { struct } = await import('${memory}struct/struct-type.js');
      const { u32, f64 } = await import('${memory}struct/field-types.js');
      const T = struct('T', { id: u32, value: f64 });
      const all = T.array(1000, { shared: true, order: 'soa' });
      const worker = new Worker(\`
        const { workerData, parentPort } = await import('node:worker_threads');
        import('${memory}struct/struct-type.js').then(({ arrayFromDescriptor }) => {
          const p = arrayFromDescriptor(workerData).cursor();
          for (let i = 0; i < 1000; i += 1) { p.index = i; p.value = i * 2; }
          parentPort.postMessage('done');
          for (;;) { p.index = 0; p.id += 1; }
        });\`, { eval: true, workerData: all.descriptor });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
      const p = all.cursor(999);
      console.log(p.value);
      all.close();
      try { p.index = 1; } catch (error) { console.log(error.code); }`);
    expect(out).toBe('1998\nCLOSED');
  });

  it('the room works without the addon', async () => {
    const program = `
      const { SlabPool } = await import('${memory}slab-pool.js');
      const { struct } = await import('${memory}struct/struct-type.js');
      const { f64 } = await import('${memory}struct/field-types.js');
      const pool = new SlabPool({ slotBytes: 64, slots: 2 });
      const view = pool.view(pool.acquire());
      const p = struct('T', { x: f64 }).array(3, { shared: true }).cursor(2);
      p.x = 1.5;
      pool.close();
      console.log(view.length, p.x);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, SYSOPT_NATIVE: 'fallback' },
    });
    expect(stdout.trim()).toBe('0 1.5');
  });

  it.each([
    ['Region', 'new Region({ sizeBytes: 2 ** 32 })'],
    ['shared Region', 'new Region({ sizeBytes: 2 ** 32, shared: true })'],
    ['Region at a huge alignment', 'new Region({ sizeBytes: 2 ** 32, alignment: 2 ** 30 })'],
    ['SlabPool', 'new SlabPool({ slotBytes: 2 ** 30, slots: 4 })'],
    ['Arena', 'new Arena({ bytes: 2 ** 31 - 4096 })'],
    ['BuddyAllocator', 'new BuddyAllocator({ bytes: 2 ** 32, minBlockBytes: 2 ** 20 })'],
  ])('%s runs out of memory with an error and not with a crash', async (_name, make) => {
    expect(
      await limited(`
      const kept = [];
      try {
        for (;;) kept.push(${make});
      } catch (error) {
        console.log(error.code, kept.length > 0);
        // There is room again, and everything goes on.
        for (const each of kept) each.close();
        new SlabPool({ slotBytes: 64, slots: 2 }).acquire();
      }`),
    ).toBe('OUT_OF_MEMORY true');
  });

  it('a pool that cannot grow for want of memory stays as it was', async () => {
    expect(
      await limited(`
      const pool = new SlabPool({ slotBytes: 2 ** 30, slots: 1, maxSlots: 1024 });
      const held = [];
      let code;
      try {
        for (;;) held.push(pool.acquire());
      } catch (error) {
        code = error.code;
      }
      const { capacity, inUse } = pool.stats();
      pool.release(held.pop());
      held.push(pool.acquire());
      console.log(code, capacity === inUse, new Set(held).size === held.length, held.every((handle) => pool.has(handle)));`),
    ).toBe('OUT_OF_MEMORY true true true');
  });
});
