// npm run bench:kernels [-- --quick] [-- --only contests,gate,bandwidth,threads,peers]: the native kernels, warmed, in one
// run: against plain loops in JavaScript from 100 values (where the gate must not cost) to a million (out of cache); short
// arrays against what the gate costs; sums against what memory gives; one thread against two; and other packages.
import { parseArgs } from 'node:util';
import { captureEnvironment } from '../dist/host/environment.js';
import { runBandwidth } from './kernels/bandwidth.js';
import { runContests } from './kernels/contests.js';
import { runGate } from './kernels/gate.js';
import { runPeers } from './kernels/peers.js';
import { runThreads } from './kernels/threads.js';

const PARTS = {
  contests: runContests,
  gate: runGate,
  bandwidth: runBandwidth,
  threads: runThreads,
  peers: runPeers,
};

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string', default: Object.keys(PARTS).join() } },
});
const chosen = values.only.split(',');
const unknown = chosen.find((name) => !(name in PARTS));
if (unknown !== undefined) throw new Error(`No part "${unknown}": take of ${Object.keys(PARTS).join(', ')}.`);

const { host, node, loadAverage } = captureEnvironment();
console.log(`${host.cpuModel}, Node ${node}, load ${loadAverage?.toFixed(1) ?? 'unknown'}`);
console.log('Times in µs per call; the ratio is how many times as fast (middle half of the pairs).');
for (const name of chosen) await PARTS[name]();
