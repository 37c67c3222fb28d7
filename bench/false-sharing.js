// npm run bench:false-sharing [-- --processes 12]: what it costs that two threads write to one cache line.
//
// Two threads count in two fields of one record, with Atomics.add and with plain reads
// and writes. Packed, the fields lie side by side; with `writers` declared, the
// planner gives each a line. Rounds of both layouts are mixed at random, and only those count in which the system ran
// both threads at the same time: with one thread waiting for a CPU there is no sharing to see. The process is the
// replicate; the interval is Student's over the log ratios of processes.
import { spawn } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { studentQuantile } from '../dist/validation/distributions.js';
import { mean, standardDeviation } from '../dist/validation/statistics.js';
import { KINDS } from './false-sharing/count-loop.js';

const { values } = parseArgs({ options: { processes: { type: 'string', default: '8' } } });
const REPLICATE = fileURLToPath(new URL('./false-sharing/replicate.js', import.meta.url));
const PROCESSES = Math.max(2, Number(values.processes));
/** Fewer say nothing about the process. */
const MIN_ROUNDS = 20;
const TIMEOUT_MS = 60_000;

for (const kind of KINDS) {
  const replicates = [];
  for (let k = 0; k < PROCESSES; k += 1) {
    const { packedNs, separatedNs, kept, rounds } = await replicate(kind);
    const usable = kept >= MIN_ROUNDS && packedNs !== null && separatedNs !== null;
    console.log(
      `${kind}, process ${k + 1}: ${kept} of ${rounds} rounds ran on two CPUs at once` +
        (usable
          ? `; ${packedNs.toFixed(2)} ns a turn packed, ${separatedNs.toFixed(2)} ns separated`
          : '; too few'),
    );
    if (usable) replicates.push(Math.log(packedNs / separatedNs));
  }
  if (replicates.length < 2) {
    console.log('Too few processes could run two threads at once: is there a second CPU, and is it free?');
    process.exitCode = 1;
    continue;
  }
  const n = replicates.length;
  const middle = mean(replicates);
  const half = (studentQuantile(0.05, n - 1) * standardDeviation(replicates)) / Math.sqrt(n);
  const [low, ratio, high] = [middle - half, middle, middle + half].map((value) =>
    Math.exp(value).toFixed(2),
  );
  console.log(
    `${kind}: a line for each writer is ${ratio}× as fast (95 % interval ${low} to ${high}, ${n} processes)`,
  );
}
console.log(
  `${cpus()[0].model}, ${cpus().length} CPUs, Node ${process.versions.node}, load ${loadavg()[0].toFixed(1)}`,
);

function replicate(kind) {
  return new Promise((settle, reject) => {
    const child = spawn(process.execPath, [REPLICATE, kind], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: TIMEOUT_MS,
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) settle(JSON.parse(output));
      // A machine without a free CPU: the threads wait for each other, a time slice for each round.
      else if (signal !== null) settle({ packedNs: null, separatedNs: null, kept: 0, rounds: 0 });
      else reject(new Error(`A replicate ended with ${code}.`));
    });
  });
}
