// npm run bench:sync [-- --rounds 7 --seconds 0.5]: what the primitives of src/threads/sync cost alone and contended.
//
// Workers, one process. `alone` is one thread without a rival; `contended` is two threads that do nothing else, the worst case
// of all: operations a second of both together, and beside them what `Atomics.add` on one word gives, which is the least that
// any shared word costs. Rounds alternate between the rows; shown are median, least and greatest over rounds. Queues are
// timed from producer to consumer. Sums, counts and torn reads are checked at the end of each round.
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Barrier, Mutex, MpmcQueue, Semaphore, SeqLock, SpscRing } from '../dist/index.js';

/** Operations between two looks at the clock. */
const BATCH = 200;

/** Each row: what is shared, and what a worker does `BATCH` times; by the worker's number where they differ. */
const ROWS = {
  'Atomics.add': {
    threads: [1, 2],
    make: () => new Int32Array(new SharedArrayBuffer(128)),
    open: (words) => () => {
      for (let i = 0; i < BATCH; i += 1) Atomics.add(words, 0, 1);
      return BATCH;
    },
    check: (words, total) => Atomics.load(words, 0) === total,
  },
  'mutex: lock, unlock': {
    threads: [1, 2],
    make: () => ({
      mutex: Mutex.create().descriptor,
      words: new Int32Array(new SharedArrayBuffer(128)),
    }),
    open: ({ mutex, words }) => {
      const own = Mutex.from(mutex);
      return () => {
        for (let i = 0; i < BATCH; i += 1) {
          own.lock();
          words[0] += 1;
          own.unlock();
        }
        return BATCH;
      };
    },
    check: ({ words }, total) => words[0] === total,
  },
  'semaphore of 1: acquire, release': {
    threads: [1, 2],
    make: () => ({
      semaphore: Semaphore.create({ permits: 1 }).descriptor,
      words: new Int32Array(new SharedArrayBuffer(128)),
    }),
    open: ({ semaphore, words }) => {
      const own = Semaphore.from(semaphore);
      return () => {
        for (let i = 0; i < BATCH; i += 1) {
          own.acquire();
          words[0] += 1;
          own.release();
        }
        return BATCH;
      };
    },
    check: ({ words }, total) => words[0] === total,
  },
  'seqlock of 16 bytes: read': {
    threads: [1, 2],
    make: () => SeqLock.create({ sizeBytes: 16 }).descriptor,
    open: (descriptor, { me, threads }) => {
      const own = SeqLock.from(descriptor);
      const record = new Int32Array(4);
      // With a rival, that one writes as often as it can; reads alone are counted.
      const writes = threads === 2 && me === 1;
      return () => {
        for (let i = 0; i < BATCH; i += 1) {
          if (writes) own.write(record.fill(record[0] + 1));
          else {
            own.read(record);
            if (record[0] !== record[3]) throw new Error('a torn read');
          }
        }
        return writes ? 0 : BATCH;
      };
    },
    check: () => true,
  },
  'single-producer ring: push to pop': {
    threads: [2],
    make: () => SpscRing.create({ capacity: 1_024 }).descriptor,
    open: (descriptor, { me }) => passing(SpscRing.from(descriptor), me),
    check: () => true,
  },
  'multi-producer queue: push to pop': {
    threads: [2],
    make: () => MpmcQueue.create({ capacity: 1_024 }).descriptor,
    open: (descriptor, { me }) => passing(MpmcQueue.from(descriptor), me),
    check: () => true,
  },
  'barrier of 2: wait': {
    threads: [2],
    make: () => Barrier.create({ parties: 2 }).descriptor,
    open: (descriptor, { me }) => {
      const own = Barrier.from(descriptor);
      return (isOver) => {
        for (let i = 0; i < BATCH; i += 1) {
          try {
            own.wait({ timeoutMs: 1_000 });
          } catch (error) {
            // The other one's time was over first.
            if (isOver()) return 0;
            throw error;
          }
        }
        return me === 0 ? BATCH : 0;
      };
    },
    finish: (descriptor) => Barrier.from(descriptor).break(),
    check: () => true,
  },
};

/** Worker 0 pushes as long as there is room, worker 1 pops and checks the order; items that were popped count. */
function passing(own, me) {
  let next = 0;
  if (me === 0) {
    return () => {
      for (let i = 0; i < BATCH && own.tryPush(next); i += 1) next += 1;
      return 0;
    };
  }
  return () => {
    let count = 0;
    for (let i = 0; i < BATCH; i += 1) {
      const item = own.tryPop();
      if (item === undefined) break;
      if (item !== next) throw new Error(`item ${item} came in place of ${next}`);
      next += 1;
      count += 1;
    }
    return count;
  };
}

if (!isMainThread) {
  const { start } = workerData;
  parentPort.on('message', ({ row, descriptor, me, threads, ms }) => {
    const { open, finish } = ROWS[row];
    const batch = open(descriptor, { me, threads });
    Atomics.add(start, 0, 1);
    // All begin at once, whoever was woken first.
    while (Atomics.load(start, 0) < threads);
    const began = performance.now();
    const isOver = () => performance.now() - began >= ms;
    let count = 0;
    while (!isOver()) count += batch(isOver);
    finish?.(descriptor);
    parentPort.postMessage({ count, tookMs: performance.now() - began });
  });
} else {
  const { values: flags } = parseArgs({
    options: { rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '0.5' } },
  });
  const ms = 1e3 * Number(flags.seconds);
  const start = new Int32Array(new SharedArrayBuffer(4));
  const workers = [0, 1].map(() => new Worker(new URL(import.meta.url), { workerData: { start } }));
  const ask = (worker, message) =>
    new Promise((resolve, reject) => {
      worker.removeAllListeners('error').once('error', reject);
      worker.once('message', resolve);
      worker.postMessage(message);
    });
  console.log(
    `Node ${process.version}, ${flags.rounds} rounds of ${flags.seconds} s, load ${loadavg()[0].toFixed(1)}`,
  );
  const rows = Object.entries(ROWS).flatMap(([row, { threads }]) =>
    threads.map((count) => ({ row, threads: count })),
  );
  const ns = new Map(rows.map((each) => [each, []]));
  for (let round = -1; round < Number(flags.rounds); round += 1) {
    for (const each of rows) {
      const { row, threads } = each;
      const descriptor = ROWS[row].make();
      Atomics.store(start, 0, 0);
      const done = await Promise.all(
        workers.slice(0, threads).map((worker, me) => ask(worker, { row, descriptor, me, threads, ms })),
      );
      const count = done.reduce((sum, { count: one }) => sum + one, 0);
      if (!ROWS[row].check(descriptor, count)) throw new Error(`${row}: lost updates`);
      if (round >= 0) ns.get(each).push((Math.max(...done.map(({ tookMs }) => tookMs)) * 1e6) / count);
    }
  }
  for (const [{ row, threads }, times] of ns) {
    const sorted = times.toSorted((a, b) => a - b);
    const [median, least, most] = [sorted[sorted.length >> 1], sorted[0], sorted.at(-1)];
    console.log(
      `${row.padEnd(34)} ${threads === 1 ? 'alone    ' : 'contended'} ${median.toFixed(1).padStart(8)} ns  ` +
        `[${least.toFixed(1)}, ${most.toFixed(1)}]  ${(1e3 / median).toFixed(2).padStart(7)} M a second`,
    );
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
}
