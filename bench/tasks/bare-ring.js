// Numbers to a thread and back without a pool, for bench/thread-pool.js: a promise and a place in a ring for each, one wake-up
// for all that one turn hands over, and looking for results in each turn of the event loop. It has one task, numbers only,
// no queue, no cancelling and no errors; who dies takes everything with it. What it takes is the floor of any pool whose
// calls are promises.
import { Worker } from 'node:worker_threads';

/** Places; no more may be under way. */
const PLACES = 1_024;

let resolveOfLast;
const keep = (resolve) => {
  resolveOfLast = resolve;
};

export function bareRing() {
  const buffer = new SharedArrayBuffer(256 + PLACES * 8);
  const words = new Int32Array(buffer);
  const numbers = new Float64Array(buffer, 256);
  const worker = new Worker(new URL('./bare-ring-worker.js', import.meta.url), { workerData: buffer });
  worker.unref();
  const resolvers = new Array(PLACES).fill(undefined);
  let given = 0;
  let taken = 0;
  let isLooking = false;

  const look = () => {
    const returned = Atomics.load(words, 32);
    for (; taken !== returned; taken += 1) resolvers[taken & (PLACES - 1)](numbers[taken & (PLACES - 1)]);
    isLooking = taken !== given;
    if (isLooking) setImmediate(look);
  };
  const handOver = () => {
    Atomics.store(words, 0, given);
    Atomics.notify(words, 0);
    if (isLooking) return;
    isLooking = true;
    setImmediate(look);
  };
  const settled = Promise.resolve();
  let isAnnounced = false;
  const afterCalls = () => {
    isAnnounced = false;
    handOver();
  };
  return {
    run: (_, value) => {
      const promise = new Promise(keep);
      resolvers[given & (PLACES - 1)] = resolveOfLast;
      numbers[given & (PLACES - 1)] = value;
      given += 1;
      if (!isAnnounced) {
        isAnnounced = true;
        settled.then(afterCalls);
      } else if ((given & 15) === 0) Atomics.store(words, 0, given);
      return promise;
    },
  };
}
