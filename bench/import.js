/**
 * What importing the package costs a service: fresh processes that import it, an empty module, or nothing of ours,
 * in random order. Prints the median over the empty module, with the range that its middle half covers.
 *
 * Usage: npm run bench:import [-- --rounds 30]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '30' } } });
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), 'sysopt-import-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const empty = join(folder, 'empty.mjs');
writeFileSync(empty, 'export {};\n');
const timer = join(folder, 'timer.mjs');
writeFileSync(
  timer,
  `const start = performance.now();
await import(process.argv[2]);
process.stdout.write(String(performance.now() - start));
`,
);

const subjects = { empty, package: new URL('../dist/index.js', import.meta.url).href };
const times = { empty: [], package: [] };
const load = (name) => Number(execFileSync(process.execPath, [timer, subjects[name]], { encoding: 'utf8' }));
for (const name of Object.keys(subjects)) load(name); // File caches.
for (let round = 0; round < rounds; round += 1) {
  for (const name of Math.random() < 0.5 ? ['empty', 'package'] : ['package', 'empty'])
    times[name].push(load(name));
}

const quantile = (list, share) => list.toSorted((a, b) => a - b)[Math.floor(share * (list.length - 1))];
const extra = times.package.map((time, round) => time - times.empty[round]);
const startMs = (() => {
  const start = performance.now();
  execFileSync(process.execPath, [empty]);
  return performance.now() - start;
})();
console.log(
  `Importing the package costs ${quantile(extra, 0.5).toFixed(1)} ms over an empty module ` +
    `(middle half ${quantile(extra, 0.25).toFixed(1)} to ${quantile(extra, 0.75).toFixed(1)} ms, ${rounds} pairs of processes).`,
);
console.log(
  `For scale: starting Node ${process.version} for an empty module takes ${startMs.toFixed(0)} ms here.`,
);
