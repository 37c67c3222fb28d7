import { once } from 'node:events';
import { MessageChannel, Worker, threadId } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createControlBlock } from '../../../../dist/memory/shared-pool/control-block.js';
import { SharedSlabPool } from '../../../../dist/memory/shared-pool/shared-slab-pool.js';
import { Region } from '../../../../dist/memory/regions.js';
import { loadNative } from '../../../../dist/native/load.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });
const MODULE = new URL('../../../../dist/memory/shared-pool/shared-slab-pool.js', import.meta.url).href;

/** A worker with `pool` attached. `body` is the inside of an async function; what it returns is posted. */
function worker(pool: SharedSlabPool, body: string, data: unknown = {}): Worker {
  const source = `
    const { parentPort, workerData, threadId } = require('node:worker_threads');
    import(${JSON.stringify(MODULE)}).then(async ({ SharedSlabPool }) => {
      const { descriptor, data } = workerData;
      const attempt = (call) => { try { return call(); } catch (error) { return error.code ?? String(error); } };
      parentPort.postMessage(await (async () => { ${body} })());
    });`;
  return new Worker(source, { eval: true, workerData: { descriptor: pool.descriptor, data } });
}
/** What the worker's body returned; the worker has ended then. */
async function result(from: Worker): Promise<any> {
  const [[message]] = await Promise.all([once(from, 'message'), once(from, 'exit')]);
  return message;
}

describe('SharedSlabPool', () => {
  it('hands out distinct, aligned slots that keep what was written', () => {
    using pool = SharedSlabPool.create({ slotBytes: 24, slots: 50, alignment: 128 });
    const handles = Array.from({ length: 50 }, () => pool.acquire());
    handles.forEach((handle, k) => pool.view(handle).fill(k));
    handles.forEach((handle, k) => expect([...new Set(pool.view(handle))]).toEqual([k]));
    expect(new Set(handles.map((handle) => pool.offset(handle))).size).toBe(50);
    for (const handle of handles) expect(loadNative().addressOf(pool.view(handle)) % 128n).toBe(0n);
    expect(pool.view(handles[0]!)).toBe(pool.view(handles[0]!));
    expect(pool.buffer(handles[0]!)).toBe(pool.buffer(handles[0]!));
    expect([pool.view(handles[0]!).length, pool.buffer(handles[0]!).length]).toEqual([24, 24]);
  });

  it('refuses double releases, stale, foreign and impossible handles', () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 5 });
    const handle = pool.acquire();
    pool.release(handle);
    expect(pool.has(handle)).toBe(false);
    for (const call of ['release', 'view', 'buffer', 'offset', 'adopt'] as const) {
      expect(() => pool[call](handle)).toThrow(code('STALE_HANDLE'));
      for (const foreign of [
        -1,
        1.5,
        NaN,
        Infinity,
        2 ** 31,
        2 ** 40,
        '0',
        null,
        undefined,
        {},
        1n,
        Symbol('s'),
      ]) {
        expect(() => pool[call](foreign as number)).toThrow(code('FOREIGN_HANDLE'));
        expect(pool.has(foreign as number)).toBe(false);
      }
      // A slot that the bits can name and the pool does not have.
      expect(() => pool[call](7)).toThrow(code('FOREIGN_HANDLE'));
    }
  });

  it('throws when all slots are in use, and counts it', () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 3, name: 'three' });
    const handles = [pool.acquire(), pool.acquire(), pool.acquire()];
    expect(() => pool.acquire()).toThrow(/three/);
    expect(pool.tryAcquire()).toBeUndefined();
    expect(pool.stats()).toMatchObject({ capacity: 3, inUse: 3, highWater: 3, exhausted: 2, orphaned: 0 });
    pool.release(handles[1]!);
    expect(pool.stats()).toMatchObject({
      inUse: 2,
      highWater: 3,
      threads: [{ ownerId: threadId, inUse: 2 }],
    });
    expect(pool.acquire()).not.toBe(handles[1]);
  });

  it('waits for a release, first come first served, until aborted', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 1 });
    const handle = await pool.acquireAsync();
    const abort = new AbortController();
    const order: string[] = [];
    const aborted = pool.acquireAsync({ signal: abort.signal });
    const first = pool.acquireAsync().then((got) => (order.push('first'), got));
    const second = pool.acquireAsync().then((got) => (order.push('second'), got));
    expect(pool.stats().waiting).toBe(3);
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toEqual(code('ABORTED'));
    pool.release(handle);
    pool.release(await first);
    pool.release(await second);
    expect(order).toEqual(['first', 'second']);
    await expect(pool.acquireAsync({ signal: abort.signal })).rejects.toEqual(code('ABORTED'));
  });

  it('shares slots with workers: what one acquires another reads and releases', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 16, slots: 4 });
    const mine = pool.acquire();
    pool.buffer(mine).write('from main');
    const theirs = await result(
      worker(
        pool,
        `const pool = SharedSlabPool.attach(descriptor);
         const text = pool.buffer(data).toString('latin1', 0, 9);
         pool.release(data);
         const handle = pool.acquire();
         pool.buffer(handle).write('from worker');
         return { text, handle, again: attempt(() => pool.release(data)), ownerId: pool.ownerId, threadId };`,
        mine,
      ),
    );
    expect(theirs).toMatchObject({ text: 'from main', again: 'STALE_HANDLE', ownerId: theirs.threadId });
    expect(() => pool.release(mine)).toThrow(code('STALE_HANDLE'));
    expect(pool.buffer(theirs.handle).toString('latin1', 0, 11)).toBe('from worker');
    pool.release(theirs.handle);
  });

  it('wakes a worker that waits with nothing else to do', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 1 });
    const handle = pool.acquire();
    const waiting = worker(
      pool,
      `const pool = SharedSlabPool.attach(descriptor);
       const got = pool.acquireAsync();
       parentPort.postMessage('waiting');
       return got;`,
    );
    await once(waiting, 'message');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const got = result(waiting);
    pool.release(handle);
    pool.release(await got);
  });

  it('lets a thread have slots that another keeps in readiness', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 200 });
    const handles = Array.from({ length: 200 }, () => pool.acquire());
    for (const handle of handles) pool.release(handle);
    const all = `const pool = SharedSlabPool.attach(descriptor);
      let count = 0;
      while (pool.tryAcquire() !== undefined) count += 1;
      return count;`;
    const taker = worker(pool, all);
    const { threadId: ownerId } = taker;
    expect(await result(taker)).toBe(200);
    expect(pool.tryAcquire()).toBeUndefined();
    expect(pool.reclaim(ownerId)).toBe(200);
    expect(pool.reclaim(ownerId)).toBe(0);
    expect(await result(worker(pool, all))).toBe(200);
  });

  it('reclaims what a terminated worker held, but not what another thread adopted', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 10 });
    const victim = worker(
      pool,
      `const pool = SharedSlabPool.attach(descriptor);
       parentPort.postMessage([pool.acquire(), pool.acquire(), pool.acquire()]);
       for (;;) pool.release(pool.acquire());`,
    );
    pool.reclaimOnExit(victim);
    const [[kept, lost, passedOn]] = (await once(victim, 'message')) as [number[]];
    pool.adopt(kept!);
    pool.release(passedOn!);
    const waiting: Promise<number>[] = [];
    while (waiting.length < 9) waiting.push(pool.acquireAsync());
    await victim.terminate();
    await Promise.all(waiting);
    expect([pool.has(kept!), pool.has(lost!)]).toEqual([true, false]);
    expect(() => pool.release(lost!)).toThrow(code('STALE_HANDLE'));
    expect(pool.stats()).toMatchObject({ inUse: 10, threads: [{ ownerId: threadId, inUse: 10 }] });
  });

  it('keeps slots in use when their thread detaches', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 4, maxThreads: 2 });
    const once = `const pool = SharedSlabPool.attach(descriptor);
      const handle = pool.acquire();
      pool.detach();
      pool.detach();
      return { handle, after: [attempt(() => pool.acquire()), attempt(() => pool.release(handle)), pool.has(handle)],
        attachedAnew: attempt(() => { using_(SharedSlabPool.attach(descriptor)); return 'yes'; }) };
      function using_(again) { again.release(again.acquire()); again.detach(); }`;
    for (let round = 0; round < 2; round += 1) {
      const { handle, after, attachedAnew } = await result(worker(pool, once));
      expect(after).toEqual(['CLOSED', 'CLOSED', false]);
      expect(attachedAnew).toBe('yes');
      expect(pool.stats()).toMatchObject({ inUse: 1, orphaned: 1, threads: [{ ownerId: threadId }] });
      pool.release(handle);
    }
    pool.detach();
    expect(() => pool.acquire()).toThrow(code('CLOSED'));
    await expect(pool.acquireAsync()).rejects.toEqual(code('CLOSED'));
    expect(() => pool.reclaim(1)).toThrow(code('CLOSED'));
    // Whoever has left can still end it for all.
    pool.close();
    expect(() => SharedSlabPool.attach(pool.descriptor)).toThrow(code('CLOSED'));
  });

  it('attaches once a thread, and no more threads than there are places', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 4, maxThreads: 1 });
    expect(() => SharedSlabPool.attach(pool.descriptor)).toThrow(code('ALREADY_ATTACHED'));
    const attempted = await result(worker(pool, 'return attempt(() => SharedSlabPool.attach(descriptor));'));
    expect(attempted).toBe('POOL_CROWDED');
    pool.close();
    expect(() => SharedSlabPool.attach(pool.descriptor)).toThrow(code('CLOSED'));
  });

  it('closes for everybody, while they use it', async () => {
    const pool = SharedSlabPool.create({ slotBytes: 8, slots: 2 });
    const handle = pool.acquire();
    const kept = pool.view(handle);
    kept[0] = 7;
    const busy = worker(
      pool,
      `const pool = SharedSlabPool.attach(descriptor);
       const mine = pool.acquire();
       const view = pool.view(mine);
       const waiting = pool.acquireAsync().catch((error) => error.code);
       parentPort.postMessage('ready');
       let ended;
       for (;;) {
         ended = attempt(() => { view[0] = 1; pool.release(mine); });
         if (ended === 'CLOSED') break;
         if (ended === undefined) { ended = 'released'; break; }
       }
       const waited = await waiting;
       // Served before the close, where this thread was quicker: the pool is still to be closed then.
       while (!pool.stats().closed) await new Promise((done) => setTimeout(done, 1));
       return { ended, waited, tried: attempt(() => pool.tryAcquire()), has: pool.has(mine) };`,
    );
    await once(busy, 'message');
    const got = result(busy);
    pool.close();
    pool.close();
    const { ended, waited, tried, has } = await got;
    expect(['CLOSED', 'released']).toContain(ended);
    expect(typeof waited === 'number' || waited === 'CLOSED').toBe(true);
    expect([tried, has]).toEqual(['CLOSED', false]);
    // What was kept does not crash; what it reads is nobody's business any more.
    kept[0] = 1;
    expect(kept.length).toBe(8);
    for (const call of ['release', 'view', 'buffer', 'offset', 'adopt'] as const) {
      expect(() => pool[call](handle)).toThrow(code('CLOSED'));
    }
    expect(() => pool.acquire()).toThrow(code('CLOSED'));
    expect(() => pool.tryAcquire()).toThrow(code('CLOSED'));
    await expect(pool.acquireAsync()).rejects.toEqual(code('CLOSED'));
    expect(pool.reclaim(busy.threadId >= 0 ? busy.threadId : 12345)).toBe(0);
    expect(pool.stats()).toMatchObject({ closed: true, capacity: 0, inUse: 0 });
  });

  it('gives its pages back when its creator closes it, though views and descriptors are kept', () => {
    for (const dispose of [false, true]) {
      const pool = SharedSlabPool.create({ slotBytes: 4096, slots: 256, alignment: 'page', prefault: true });
      const handles = Array.from({ length: 256 }, () => pool.acquire());
      const begin = Math.min(...handles.map((handle) => pool.offset(handle)));
      const kept = pool.view(handles[7]!).fill(9);
      const all = new Uint8Array(pool.descriptor.memory, begin, 256 * 4096);
      const out = new Float64Array(2);
      const { implementation } = loadNative();
      loadNative().viewResidency(all, out);
      if (implementation === 'addon' && process.platform === 'linux') expect(out[0]).toBe(1 << 20);
      if (dispose) pool[Symbol.dispose]();
      else pool.close();
      // What was kept reads zeros, where the system took the pages back, and can be written.
      loadNative().viewResidency(all, out);
      if (implementation === 'addon' && process.platform === 'linux') {
        expect(out[0]).toBe(0);
        expect(kept[0]).toBe(0);
      }
      kept[0] = 1;
      expect(kept[0]).toBe(1);
    }
  });

  it('keeps its pages where another thread than the creator only leaves', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 4096, slots: 4, alignment: 'page' });
    const handle = pool.acquire();
    pool.view(handle).fill(9);
    await result(worker(pool, 'const pool = SharedSlabPool.attach(descriptor); pool[Symbol.dispose]();'));
    expect(pool.view(handle)[4095]).toBe(9);
  });

  it('refuses what is no descriptor', () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 4 });
    const good = pool.descriptor;
    const bad: unknown[] = [
      undefined,
      null,
      7,
      'pool',
      {},
      [],
      { ...good, kind: 'slab-pool' },
      { ...good, name: 5 },
      { ...good, control: new ArrayBuffer(4096) },
      { ...good, control: new SharedArrayBuffer(4096) },
      { ...good, memory: undefined },
      { ...good, memory: new SharedArrayBuffer(8) },
      ...[-4, 2, NaN, 1e9, '0'].map((controlOffsetBytes) => ({ ...good, controlOffsetBytes })),
    ];
    for (const descriptor of bad) {
      expect(() => SharedSlabPool.attach(descriptor as any)).toThrow(code('INVALID_ARGUMENT'));
    }
    // A header that promises more than there is.
    const region = new Region({ sizeBytes: 65_536, shared: true });
    const shape = { slots: 1, slotBytes: 8, strideBytes: 8, maxThreads: 1, dataOffsetBytes: 0 };
    const { control } = createControlBlock(region, shape);
    for (const [word, value] of [
      [2, 2 ** 30],
      [2, -1],
      [3, 0],
      [4, 1],
      [5, 254],
      [6, -8],
    ] as const) {
      const before = control[word]!;
      control[word] = value;
      const forged = { ...good, control: region.buffer, controlOffsetBytes: region.offsetBytes };
      expect(() => SharedSlabPool.attach(forged as any)).toThrow(code('INVALID_ARGUMENT'));
      control[word] = before;
    }
  });

  it('passes its descriptor through messages', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 4 });
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(pool.descriptor);
    const [copy] = await once(port2, 'message');
    port1.close();
    expect(copy).toMatchObject({ kind: 'shared-slab-pool', name: pool.name });
    expect(() => SharedSlabPool.attach(copy)).toThrow(code('ALREADY_ATTACHED'));
    pool.detach();
    using again = SharedSlabPool.attach(copy);
    expect(again.slots).toBe(4);
    again.release(again.acquire());
  });

  it('refuses options out of range, and this thread as the one to reclaim', () => {
    const good = { slotBytes: 8, slots: 4 };
    for (const wrong of [
      { slotBytes: 0 },
      { slotBytes: 2 ** 53 },
      { slots: 0 },
      { slots: -1 },
      { slots: NaN },
      { slots: 1.5 },
      { slots: 2 ** 24 + 1 },
      { slotBytes: 2 ** 20, slots: 2 ** 13 },
      { maxThreads: 0 },
      { maxThreads: 254 },
      { alignment: 3 },
      { alignment: 2 ** 40 },
      { hugePages: 'always' },
      { prefault: 1 },
      { name: 1 },
      { maxSlots: 8 },
    ]) {
      expect(() => SharedSlabPool.create({ ...good, ...wrong } as any)).toThrow(code('INVALID_ARGUMENT'));
    }
    expect(() => SharedSlabPool.create(undefined as any)).toThrow(code('INVALID_ARGUMENT'));
    using pool = SharedSlabPool.create(good);
    for (const ownerId of [pool.ownerId, -1, NaN, '1']) {
      expect(() => pool.reclaim(ownerId as number)).toThrow(code('INVALID_ARGUMENT'));
    }
    expect(pool.reclaim(99_999)).toBe(0);
    for (const worker of [undefined, null, 5, {}]) {
      expect(() => pool.reclaimOnExit(worker as never)).toThrow(code('INVALID_ARGUMENT'));
    }
    const Constructor = SharedSlabPool as unknown as new (options: object) => SharedSlabPool;
    expect(() => new Constructor(good)).toThrow('SharedSlabPool.create()');
  });

  it('refuses to wait with what is no signal', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 1 });
    for (const wrong of [{ signal: 5 }, { signal: {} }, { timeoutMs: 5 }]) {
      await expect(pool.acquireAsync(wrong as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(pool.stats()).toMatchObject({ inUse: 0, waiting: 0 });
  });

  it('tells a living thread that was reclaimed', async () => {
    using pool = SharedSlabPool.create({ slotBytes: 8, slots: 2 });
    const living = worker(
      pool,
      `const pool = SharedSlabPool.attach(descriptor);
       const handle = pool.acquire();
       parentPort.postMessage('ready');
       await new Promise((resolve) => parentPort.once('message', resolve));
       const released = attempt(() => pool.release(handle));
       const acquired = [1, 2, 3].map(() => attempt(() => pool.acquire()));
       pool.detach();
       return { released, acquired };`,
    );
    const { threadId: ownerId } = living;
    await once(living, 'message');
    expect(pool.reclaim(ownerId)).toBe(1);
    const got = result(living);
    living.postMessage('go');
    const { released, acquired } = await got;
    expect(released).toBe('CLOSED');
    expect(acquired.at(-1)).toBe('CLOSED');
  });
});
