import { availableParallelism } from 'node:os';
import { isMainThread, Worker } from 'node:worker_threads';

function searchNonce(seed) {
  let hash = seed;
  for (let i = 0; i < 4e6; i += 1) hash = (Math.imul(hash ^ i, 2654435761) >>> 0) ^ (hash >>> 7);
  return hash;
}

if (isMainThread) {
  for (let i = 0; i < availableParallelism() * 6; i += 1) new Worker(new URL(import.meta.url));
} else {
  let seed = 1;
  setInterval(() => {
    seed = searchNonce(seed);
  }, 0);
}
