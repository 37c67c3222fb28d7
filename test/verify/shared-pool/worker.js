// One thread of the stress test of SharedSlabPool: random acquires, releases, and handles passed on to other threads.
//
// Every slot in use carries a stamp that only its user writes. A slot that is handed out twice is stamped by
// the second user, and the first finds that out when it releases.
import { parentPort, workerData } from 'node:worker_threads';
import { SharedSlabPool } from '../../../dist/memory/shared-pool/shared-slab-pool.js';

const { descriptor, seed, operations, limit, slotMask, words, layout, isStrict, reuses } = workerData;
const pool = SharedSlabPool.attach(descriptor);
const shared = new Int32Array(words);
const { counterAt, stampsAt, marketAt, marketCells } = layout;

let state = seed;
/** A whole number from 0 to 2^32 - 1 (xorshift). */
function random() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}

const held = new Int32Array(limit);
const stamps = new Int32Array(limit);
let holding = 0;
let stampsMade = 0;
let lastReleased = -1;

function stamp(handle) {
  stampsMade = (stampsMade + 1) & 0xff_ffff;
  const mine = (workerData.tag << 24) | stampsMade;
  const before = Atomics.exchange(shared, stampsAt + (handle & slotMask), mine);
  held[holding] = handle;
  stamps[holding] = mine;
  holding += 1;
  return before;
}

function drop(k) {
  holding -= 1;
  held[k] = held[holding];
  stamps[k] = stamps[holding];
}

function acquire() {
  const handle = pool.tryAcquire();
  if (handle === undefined) {
    // All threads together can never hold every slot, so one was free all the time.
    if (isStrict) throw new Error(`no slot, with ${holding} of ${limit} held here`);
    return;
  }
  const before = stamp(handle);
  if (isStrict && before !== 0) throw new Error(`handle ${handle} is in use: stamp ${before}`);
}

function release() {
  const k = random() % holding;
  const handle = held[k];
  const seen = Atomics.compareExchange(shared, stampsAt + (handle & slotMask), stamps[k], 0);
  if (seen !== stamps[k])
    throw new Error(`handle ${handle} handed out twice: stamp ${seen}, not ${stamps[k]}`);
  drop(k);
  pool.release(handle);
  lastReleased = handle;
}

/** Puts a slot of its own on the market, or nothing, and takes what lies there. */
function trade() {
  let offer = 0;
  if (holding > 0 && (holding === limit || (random() & 1) === 0)) {
    const k = random() % holding;
    offer = held[k] + 1;
    drop(k);
  }
  const found = Atomics.exchange(shared, marketAt + (random() % marketCells), offer) - 1;
  if (found < 0) return;
  try {
    pool.adopt(found);
  } catch (error) {
    // Its first user died, and the slot was reclaimed.
    if (isStrict || error.code !== 'STALE_HANDLE') throw error;
    return;
  }
  stamp(found);
}

function misuse() {
  if (lastReleased < 0) return;
  try {
    pool.release(lastReleased);
  } catch (error) {
    if (error.code === 'STALE_HANDLE') return;
    throw error;
  }
  throw new Error(`handle ${lastReleased} was released twice`);
}

for (let done = 1; done <= operations; done += 1) {
  const choice = random() & 0x3ff;
  if (choice === 0) misuse();
  else if (choice < 64) trade();
  else if (holding === 0 || (holding < limit && (choice & 1) === 0)) acquire();
  else release();
  if ((done & 0xff) === 0) Atomics.add(shared, counterAt, 256);
}
while (holding > 0) release();
if (reuses) pool.detach();
parentPort.postMessage('done');
