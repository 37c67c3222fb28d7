// The stress test of SharedSlabPool: runs threads on one pool, terminates some in the middle, and counts the slots.
import { Worker } from 'node:worker_threads';
import { SharedSlabPool } from '../../../dist/memory/shared-pool/shared-slab-pool.js';

const MARKET_CELLS = 5;

/**
 * @param options threads, operations (of all threads together), limit (slots that one thread holds at most),
 *   kills (threads to terminate), seed.
 * @returns what was done; throws at the first slot that was handed out twice, refused although free, or lost.
 */
export async function stress({ threads, operations, limit, kills = 0, seed }) {
  // Exactly as many as can be in use at once: an acquire below the limit must then always succeed.
  const slots = threads * limit + MARKET_CELLS;
  const pool = SharedSlabPool.create({ slotBytes: 16, slots, maxThreads: threads + 2 });
  const layout = { counterAt: 0, stampsAt: 16, marketAt: 16 + slots, marketCells: MARKET_CELLS };
  const shared = new Int32Array(new SharedArrayBuffer((layout.marketAt + MARKET_CELLS) * 4));
  const slotMask = 2 ** Math.ceil(Math.log2(slots)) - 1;
  let started = 0;
  let terminated = 0;
  let reclaimed = 0;
  let random = seed >>> 0;
  const next = () => (random = (Math.imul(random, 1664525) + 1013904223) >>> 0) / 2 ** 32;

  /** Resolves when the worker is done, or was terminated and reclaimed. */
  async function thread(work, lifetimeMs) {
    started += 1;
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: {
        descriptor: pool.descriptor,
        seed: (Math.imul(seed, 0x9e3779b1) ^ Math.imul(started, 0x85ebca6b)) | 1,
        tag: (started % 127) + 1,
        operations: work,
        limit,
        slotMask,
        words: shared.buffer,
        layout,
        isStrict: kills === 0,
        // Half of them detach, the others just end: slots that they keep in readiness must not be lost either way.
        reuses: started % 2 === 0,
      },
    });
    const ownerId = worker.threadId;
    let timer;
    if (lifetimeMs !== undefined) {
      worker.once('online', () => (timer = setTimeout(() => void worker.terminate(), lifetimeMs)));
    }
    const outcome = await new Promise((resolve, reject) => {
      let finished = false;
      worker.once('message', () => (finished = true));
      worker.once('error', reject);
      worker.once('exit', () => resolve(finished ? 'done' : 'terminated'));
    });
    clearTimeout(timer);
    if (outcome === 'terminated') terminated += 1;
    if (kills > 0) reclaimed += pool.reclaim(ownerId);
  }

  const startedMs = performance.now();
  if (kills === 0) {
    await Promise.all(Array.from({ length: threads }, () => thread(Math.ceil(operations / threads))));
  } else {
    let left = kills;
    await Promise.all(
      Array.from({ length: threads }, async () => {
        while (left > 0) {
          left -= 1;
          await thread(2 ** 40, 5 + 40 * next());
        }
        const doneSoFar = () => Atomics.load(shared, layout.counterAt) >>> 0;
        await thread(Math.max(256, Math.ceil((operations - doneSoFar()) / threads)));
      }),
    );
  }
  const seconds = (performance.now() - startedMs) / 1000;

  // Only what lies on the market is in use now, and after terminations perhaps not even that.
  let onMarket = 0;
  for (let cell = 0; cell < MARKET_CELLS; cell += 1) {
    const handle = shared[layout.marketAt + cell] - 1;
    if (handle < 0 || !pool.has(handle)) continue;
    onMarket += 1;
    pool.release(handle);
  }
  const inUse = pool.stats().inUse;
  // In runs without termination nobody has reclaimed anything.
  if (inUse !== 0) throw new Error(`${inUse} slots are in use, but nobody has them`);
  const all = new Set();
  for (let handle = pool.tryAcquire(); handle !== undefined; handle = pool.tryAcquire()) {
    all.add(handle & slotMask);
  }
  if (all.size !== slots) throw new Error(`${slots - all.size} of ${slots} slots are lost`);
  const counted = Atomics.load(shared, layout.counterAt) >>> 0;
  pool.close();
  return { threads, slots, operations: counted, terminated, reclaimed, onMarket, seconds };
}
