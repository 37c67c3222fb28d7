// The other side of bare-ring.js.
import { workerData } from 'node:worker_threads';
import { noop } from './pool-tasks.js';

const words = new Int32Array(workerData);
const numbers = new Float64Array(workerData, 256);
const MASK = numbers.length - 1;
const SPIN_MS = 0.05;

for (let done = 0; ;) {
  const until = performance.now() + SPIN_MS;
  while (Atomics.load(words, 0) === done && performance.now() < until);
  Atomics.wait(words, 0, done);
  for (const given = Atomics.load(words, 0); done !== given; done += 1)
    numbers[done & MASK] = noop(numbers[done & MASK]);
  Atomics.store(words, 32, done);
}
