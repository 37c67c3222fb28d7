// One thread of bench/shared-pool.js. It serves one kind of pool only, so that its loops see one class.
import { parentPort, workerData } from 'node:worker_threads';
import { SharedSlabPool } from '../../dist/memory/shared-pool/shared-slab-pool.js';
import { loadNative } from '../../dist/native/load.js';
import { LockedPool } from './locked-pool.js';

const { kind, descriptor, ring: ringBuffer, gate: gateBuffer, cpu } = workerData;
// Each thread on a CPU of its own, as on a host with CPUs to spare: two threads that the kernel puts on one CPU never
// meet, which flatters a lock.
if (loadNative().capabilities().affinity.available) loadNative().setAffinity(0, Int32Array.of(cpu));
const pool = kind === 'shared' ? SharedSlabPool.attach(descriptor) : LockedPool.attach(descriptor);
const gate = new Int32Array(gateBuffer);

/** Handles on their way from producer to consumer, published in batches so that the ring costs next to nothing. */
const [HEAD, TAIL, FIRST] = [0, 16, 32];
const ring = new Int32Array(ringBuffer);
const ROOM = ring.length - FIRST;
const BATCH = 64;

function sleepUntilMoved(index, seen) {
  for (let k = 0; k < 2000; k += 1) if (ring[index] !== seen && Atomics.load(ring, index) !== seen) return;
  Atomics.wait(ring, index, seen);
}

const held = new Int32Array(64);
const ROLES = {
  local(operations) {
    for (let k = 0; k < 64; k += 1) held[k] = pool.acquire();
    for (let k = 0; k < operations; k += 1) {
      pool.release(held[k & 63]);
      held[k & 63] = pool.acquire();
    }
    for (let k = 0; k < 64; k += 1) pool.release(held[k]);
  },
  produce(operations) {
    for (let tail = 0; tail < operations; tail += BATCH) {
      for (let head = Atomics.load(ring, HEAD); tail - head > ROOM - BATCH; head = Atomics.load(ring, HEAD)) {
        sleepUntilMoved(HEAD, head);
      }
      for (let k = 0; k < BATCH; k += 1) ring[FIRST + ((tail + k) & (ROOM - 1))] = pool.acquire();
      Atomics.store(ring, TAIL, tail + BATCH);
      Atomics.notify(ring, TAIL);
    }
  },
  consume(operations) {
    for (let head = 0; head < operations; head += BATCH) {
      for (let tail = Atomics.load(ring, TAIL); tail === head; tail = Atomics.load(ring, TAIL)) {
        sleepUntilMoved(TAIL, tail);
      }
      for (let k = 0; k < BATCH; k += 1) pool.release(ring[FIRST + ((head + k) & (ROOM - 1))]);
      Atomics.store(ring, HEAD, head + BATCH);
      Atomics.notify(ring, HEAD);
    }
  },
};

parentPort.on('message', ({ role, operations, threads, round }) => {
  // All threads of a round start together.
  Atomics.add(gate, round, 1);
  Atomics.notify(gate, round);
  for (let seen = Atomics.load(gate, round); seen < threads; seen = Atomics.load(gate, round)) {
    Atomics.wait(gate, round, seen, 100);
  }
  const startNs = process.hrtime.bigint();
  ROLES[role](operations);
  parentPort.postMessage({ startNs, endNs: process.hrtime.bigint() });
});
