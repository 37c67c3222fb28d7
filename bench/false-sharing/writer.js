// The second thread of bench/false-sharing.js: counts in its own field whenever it is told to.
import { workerData } from 'node:worker_threads';
import { arrayFromDescriptor } from '../../dist/memory/struct/struct-type.js';
import { countLoop } from './count-loop.js';

const { descriptors, control, times, kind, turns } = workerData;
const loops = descriptors.map((each) => countLoop(arrayFromDescriptor(each), 'consumed', kind, turns));

// control: a line each for the round, the layout, the round that is ready, the round that is done
for (let round = 1; ; round += 1) {
  while (Atomics.load(control, 0) < round);
  const layout = Atomics.load(control, 32);
  if (layout < 0) break;
  Atomics.store(control, 64, round);
  times[0] = process.hrtime.bigint();
  loops[layout]();
  times[1] = process.hrtime.bigint();
  Atomics.store(control, 96, round);
}
