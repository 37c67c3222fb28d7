// npm run bench:wisdom [-- --processes 31 --count 50 --check]: what loading wisdom costs at the start of a service.
//
// Each replicate is a fresh process, because the start of a service runs all of this for the first time: reading the
// file, parsing it, finding out which host this is, and putting the choices in force.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { computation } from '../dist/computation/computation.js';
import { exportWisdom } from '../dist/computation/wisdom.js';

/** What the project holds itself to. */
const MAX_MS = 1;

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '31' },
    count: { type: 'string', default: '50' },
    check: { type: 'boolean', default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'sysopt-wisdom-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'wisdom.json');
const learnt = Array.from({ length: Number(values.count) }, (_, i) => {
  const one = computation({ name: `computation ${i}`, variants: { a: (n) => n + i, b: (n) => i + n } });
  const bySize = [
    { maxSize: 100 * i + 10, variant: 'b' },
    { maxSize: null, variant: 'a' },
  ];
  one.applyChoice({ kind: 'computation', bySize });
  return one;
});
writeFileSync(file, JSON.stringify(exportWisdom(learnt)));
const child = fileURLToPath(new URL('./wisdom-child.js', import.meta.url));
const times = Array.from({ length: Number(values.processes) }, () => {
  const { status, stdout } = spawnSync(process.execPath, [child, file, values.count], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`A process ended with ${status}.`);
  return Number(stdout);
}).sort((a, b) => a - b);
const at = (share) => times[Math.round(share * (times.length - 1))];
console.log(
  `Wisdom of ${values.count} computations, file to force, ${times.length} fresh processes, Node ${process.version}: ` +
    `median ${at(0.5).toFixed(2)} ms, quartiles ${at(0.25).toFixed(2)} and ${at(0.75).toFixed(2)}, worst ${at(1).toFixed(2)}.`,
);
if (values.check && at(0.5) > MAX_MS) process.exitCode = 1;
