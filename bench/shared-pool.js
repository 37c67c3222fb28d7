// npm run bench:shared-pool: SharedSlabPool at one and two threads, and against a free list behind a lock.
//
//   --rounds N   rounds of every scenario, interleaved in random order; 31 by default
//
// Prints the median over rounds of the ratio within a round, with its distribution-free 95 % interval. Wall-clock
// ratios suffer where other processes want the CPUs; the last column is the same from CPU time (of the process, per
// operation), which does not count the time of others, and not the time that threads sleep either.
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SharedSlabPool } from '../dist/memory/shared-pool/shared-slab-pool.js';
import { LockedPool } from './shared-pool/locked-pool.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '31' } } });
const rounds = Number(values.rounds);
const SLOTS = 4096;
const SLOT_BYTES = 256;

const KINDS = {
  shared: () => SharedSlabPool.create({ slotBytes: SLOT_BYTES, slots: SLOTS }),
  'lock, spinning': () => LockedPool.create({ slots: SLOTS, spins: 200 }),
  'lock, sleeping': () => LockedPool.create({ slots: SLOTS, spins: 0 }),
};
const gate = new SharedArrayBuffer(4 * 65536);
let gates = 0;

const sides = {};
for (const [kind, make] of Object.entries(KINDS)) {
  const ring = new SharedArrayBuffer((32 + 1024) * 4);
  const { descriptor } = make();
  const start = (cpu) =>
    new Worker(new URL('./shared-pool/worker.js', import.meta.url), {
      workerData: { kind, descriptor, ring, gate, cpu },
    });
  sides[kind] = { ring, workers: [start(0), start(1)] };
}

/** Nanoseconds per operation (one acquire and its release): wall clock, and CPU time of the process. */
async function run(kind, roles, operations) {
  const { ring, workers } = sides[kind];
  new Int32Array(ring).fill(0, 0, 32);
  const round = gates++;
  const cpuBefore = process.cpuUsage();
  const times = await Promise.all(
    roles.map((role, k) => {
      const done = new Promise((resolve, reject) => {
        workers[k].once('message', resolve);
        workers[k].once('error', reject);
      });
      workers[k].postMessage({ role, operations, threads: roles.length, round });
      return done.finally(() => workers[k].removeAllListeners('error'));
    }),
  );
  const { user, system } = process.cpuUsage(cpuBefore);
  const first = times.reduce((least, { startNs }) => (startNs < least ? startNs : least), times[0].startNs);
  const last = times.reduce((most, { endNs }) => (endNs > most ? endNs : most), times[0].endNs);
  const total = roles[0] === 'local' ? operations * roles.length : operations;
  return { wallNs: Number(last - first) / total, cpuNs: ((user + system) * 1000) / total };
}

const SCENARIOS = {};
for (const kind of Object.keys(KINDS)) {
  const operations = kind === 'shared' ? 1 << 20 : 1 << 18;
  SCENARIOS[`${kind}: local, 1 thread`] = () => run(kind, ['local'], operations);
  SCENARIOS[`${kind}: local, 2 threads`] = () => run(kind, ['local', 'local'], operations);
  SCENARIOS[`${kind}: cross-thread`] = () => run(kind, ['produce', 'consume'], operations);
}

const results = Object.fromEntries(Object.keys(SCENARIOS).map((name) => [name, []]));
for (let round = -3; round < rounds; round += 1) {
  const order = Object.keys(SCENARIOS).sort(() => Math.random() - 0.5);
  for (const name of order) {
    const figures = await SCENARIOS[name]();
    // The first three rounds warm up.
    if (round >= 0) results[name].push(figures);
  }
}

const median = (sorted) => (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
/** Median and the order statistics that enclose it with 95 % confidence. */
function summary(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const reach = Math.ceil(0.98 * Math.sqrt(sorted.length));
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.max(0, Math.floor(middle - reach))];
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(middle + reach))];
  return { median: median(sorted), low, high };
}
const show = ({ median, low, high }) => `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;

console.log(`acquire + release, ns: median [95 % interval] over ${rounds} rounds`);
console.log(`${''.padEnd(38)}${'wall clock'.padEnd(28)}CPU time`);
for (const [name, list] of Object.entries(results)) {
  const [wall, cpu] = ['wallNs', 'cpuNs'].map((key) => show(summary(list.map((figures) => figures[key]))));
  console.log(`${name.padEnd(38)}${wall.padEnd(28)}${cpu}`);
}

console.log(`\n${'ratio, above 1 is better'.padEnd(54)}${'wall clock'.padEnd(22)}CPU time`);
function ratio(label, slow, fast, factor = 1) {
  const of = (key, times) =>
    show(summary(results[slow].map((figures, k) => (times * figures[key]) / results[fast][k][key])));
  // Wall time falls with more threads, CPU time does not: what two threads cost is held against twice what one does.
  console.log(`${label.padEnd(54)}${of('wallNs', 1).padEnd(22)}${of('cpuNs', factor)}`);
}
ratio('throughput of 2 threads / 1 thread, local', 'shared: local, 1 thread', 'shared: local, 2 threads', 2);
for (const lock of ['lock, spinning', 'lock, sleeping']) {
  ratio(`cross-thread, against ${lock}`, `${lock}: cross-thread`, 'shared: cross-thread');
  ratio(`local, 2 threads, against ${lock}`, `${lock}: local, 2 threads`, 'shared: local, 2 threads');
}
console.log(
  `\n${cpus()[0].model}, ${cpus().length} CPUs, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`,
);
for (const { workers } of Object.values(sides))
  await Promise.all(workers.map((worker) => worker.terminate()));
