// A thread without a pool, for bench/thread-pool.js: sleeps in `Atomics.wait`, runs one task so many times in a plain loop
// and answers with one message. What it takes is the least that threads which sleep can take here.
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import run from './pool-tasks.js';

const { port, bell } = workerData;
for (let rings = 0; ; rings += 1) {
  // Also woken by a ring that it has seen already: the bell is raised before it is rung.
  while (Atomics.load(bell, 0) === rings) Atomics.wait(bell, 0, rings);
  const { name, args, count } = receiveMessageOnPort(port).message;
  let result;
  for (let i = 0; i < count; i += 1) result = run({ name, args });
  port.postMessage(result);
}
