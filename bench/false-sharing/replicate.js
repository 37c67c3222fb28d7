// One process of bench/false-sharing.js: prints { packedNs, separatedNs, kept, rounds } as JSON.
import { Worker } from 'node:worker_threads';
import { u32 } from '../../dist/memory/struct/field-types.js';
import { struct } from '../../dist/memory/struct/struct-type.js';
import { countLoop } from './count-loop.js';

const kind = process.argv[2];
const TURNS = 20_000;
const ROUNDS = 2_000;
/** Of the time from the first begin to the last end, during which both threads counted. */
const MIN_OVERLAP = 0.5;

const fields = { produced: u32, consumed: u32 };
const types = [
  struct('Packed', fields),
  struct('Separated', fields, { writers: { producer: ['produced'], consumer: ['consumed'] } }),
];
const arrays = types.map((type) => type.array(1, { shared: true }));
const control = new Int32Array(new SharedArrayBuffer(512));
const times = new BigInt64Array(new SharedArrayBuffer(128));
const descriptors = arrays.map((array) => array.descriptor);
const worker = new Worker(new URL('./writer.js', import.meta.url), {
  workerData: { descriptors, control, times, kind, turns: TURNS },
});
const loops = arrays.map((array) => countLoop(array, 'produced', kind, TURNS));

const samples = [[], []];
const played = [0, 0];
for (let round = 1; round <= ROUNDS; round += 1) {
  const layout = Math.random() < 0.5 ? 0 : 1;
  played[layout] += TURNS;
  Atomics.store(control, 32, layout);
  Atomics.store(control, 0, round);
  while (Atomics.load(control, 64) !== round);
  const begin = process.hrtime.bigint();
  loops[layout]();
  const end = process.hrtime.bigint();
  while (Atomics.load(control, 96) !== round);
  const [otherBegin, otherEnd] = times;
  const both = Number((end < otherEnd ? end : otherEnd) - (begin > otherBegin ? begin : otherBegin));
  const whole = Number((end > otherEnd ? end : otherEnd) - (begin < otherBegin ? begin : otherBegin));
  // The first rounds are interpreted; later ones count where the system ran both threads at once.
  if (round > ROUNDS / 10 && both >= MIN_OVERLAP * whole) samples[layout].push(whole / TURNS);
}
Atomics.store(control, 32, -1);
Atomics.store(control, 0, ROUNDS + 1);
await new Promise((ended) => worker.once('exit', ended));

// Each field has one writer, so that no count may be lost, packed or not.
arrays.forEach((array, layout) => {
  const { produced, consumed } = array.get(0);
  if (produced !== played[layout] || consumed !== played[layout]) throw new Error('Counts were lost.');
});

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
console.log(
  JSON.stringify({
    packedNs: median(samples[0]) ?? null,
    separatedNs: median(samples[1]) ?? null,
    kept: samples[0].length + samples[1].length,
    rounds: ROUNDS,
  }),
);
