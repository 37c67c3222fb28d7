// npm run bench:aa: how often each harness claims a difference that is not there, and finds one that is.
//
//   --quick           a twelfth of the comparisons, to see that it runs
//   --only a,b        these harnesses only
//   --hog             with a process that keeps one CPU busy meanwhile (A/A only)
//   --out FILE        where to keep every single result; data/bench/aa.json by default
//
// Harnesses take turns comparison by comparison, so all of them see the same host.
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { changePointRates } from './aa/change-point-rates.js';
import { HARNESSES } from './aa/harnesses.js';
import { formatTable, summarise } from './aa/summary.js';
import { WORKLOADS } from './aa/workloads.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    hog: { type: 'boolean', default: false },
    only: { type: 'string' },
    out: { type: 'string', default: 'data/bench/aa.json' },
  },
});

/** Per workload, so three times as many in all. */
const SAME_PER_WORKLOAD = options.quick ? 2 : 20;
const DIFFERENT_PER_WORKLOAD = options.quick ? 1 : 10;
const EFFECTS = options.hog ? [] : [0.03, 0.05, 0.1];

const names = options.only?.split(',') ?? Object.keys(HARNESSES);
const unknown = names.find((name) => !(name in HARNESSES));
if (unknown !== undefined)
  throw new Error(`--only ${unknown}: there are ${Object.keys(HARNESSES).join(', ')}`);

const hog = options.hog ? spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }) : undefined;
process.on('exit', () => hog?.kill('SIGKILL'));
process.on('SIGINT', () => process.exit(130));

const tasks = WORKLOADS.flatMap((workload) => [
  ...Array.from({ length: SAME_PER_WORKLOAD }, () => ({ workload, effect: 0 })),
  ...EFFECTS.flatMap((effect) =>
    // Half of them with the greater work first, so that no preference for a side passes for skill.
    Array.from({ length: DIFFERENT_PER_WORKLOAD }, (_, i) => ({
      workload,
      effect: i % 2 === 0 ? effect : -effect,
    })),
  ),
]);
// The workloads take turns too.
const perWorkload = tasks.length / WORKLOADS.length;
const ordered = Array.from({ length: tasks.length }, (_, i) => {
  const turn = Math.floor(i / WORKLOADS.length);
  return tasks[(i % WORKLOADS.length) * perWorkload + turn];
});

const results = [];
const startedMs = performance.now();
for (const [position, { workload, effect }] of ordered.entries()) {
  const [workA, workB] = effect >= 0 ? [1, 1 + effect] : [1 - effect, 1];
  for (const harness of names) {
    const beganMs = performance.now();
    const outcome = await HARNESSES[harness](workload, workA, workB).catch((error) => ({
      failed: error.message,
    }));
    const seconds = (performance.now() - beganMs) / 1000;
    results.push({ harness, workload, effect, seconds, ...outcome });
    if (outcome.failed) console.error(`${harness} failed on ${workload}: ${outcome.failed.split('\n')[0]}`);
  }
  const elapsedMin = (performance.now() - startedMs) / 60_000;
  const leftMin = (elapsedMin / (position + 1)) * (ordered.length - position - 1);
  if (process.stderr.isTTY || position % 10 === 9) {
    const line = `${position + 1} of ${ordered.length} rounds, about ${leftMin.toFixed(0)} min left`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }
}
hog?.kill('SIGKILL');
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

console.log(
  formatTable(
    names.map((name) =>
      summarise(
        name,
        results.filter(({ harness }) => harness === name),
      ),
    ),
  ),
);
const ratios = results.filter(
  ({ harness, effect, ratio }) => harness === 'system-optimizer' && effect === 0 && ratio > 0,
);
if (ratios.length >= 6)
  console.log(
    `\n${changePointRates(
      ratios.map(({ ratio }) => ratio),
      options.quick ? 50 : 400,
    )}`,
  );
console.log(
  `\n${cpus()[0].model}, ${cpus().length} CPUs, Node ${process.version}, load at the end ${loadavg()[0].toFixed(1)}` +
    `${options.hog ? ', with a CPU hog' : ''}; ${((performance.now() - startedMs) / 60_000).toFixed(1)} min in all`,
);
await mkdir(dirname(options.out), { recursive: true });
await writeFile(
  options.out,
  `${JSON.stringify({ createdAt: new Date().toISOString(), options, results }, null, 1)}\n`,
);
