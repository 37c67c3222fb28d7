/**
 * The optimisation run of CI, the same on a developer's machine: profiles the example service under load,
 * optimises its subjects and reports.
 *
 *   node scripts/ci-optimization.js [--storage DIR] [--out DIR] [--duration s] [--budget s]
 *
 * --duration is the length of each profile, --budget the time for all optimisations together. Writes report.html,
 * summary.md and stats.json to --out; everything measured is in the store. A step that fails does not keep the
 * others from their turn; the script then ends with 1. That nothing could be improved is no failure.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { SystemOptimizer } from 'system-optimizer';
import { readOptions, root, sysopt } from './ci-run.js';

const { storage, out, duration, budget } = readOptions({ duration: 15, budget: 180 });
const example = join(relative(process.cwd(), root), 'examples/orders-service');
const failures = [];

for (const type of ['cpu', 'memory']) {
  const port = await freePort();
  await step(
    `profile of type ${type}`,
    [
      ...['profile', '--type', type, '--duration', `${duration}s`, '--storage', storage],
      ...['--url', `http://127.0.0.1:${port}/health`, '--load', join(example, 'load.json')],
      ...['--', 'node', join(example, 'app.js')],
    ],
    { PORT: String(port) },
  );
}
await step('optimisation of the subjects', [
  ...['optimize', '--subjects', join(example, 'subjects.js')],
  ...['--budget', `${budget}s`, '--storage', storage],
]);

const summary = join(out, 'summary.md');
writeFileSync(summary, '');
await step('HTML report', ['report', '--storage', storage, '--out', join(out, 'report.html')]);
await step('summary', ['report', '--format', 'markdown', '--storage', storage, '--out', summary]);
await writeStats();

if (failures.length > 0) {
  for (const failure of failures) console.error(failure);
  appendFileSync(summary, `\n${failures.map((failure) => `> **${failure}**`).join('\n>\n')}\n`);
  process.exitCode = 1;
}

async function step(name, args, env) {
  const code = await sysopt(args, env);
  if (code === 130) process.exit(code);
  if (code !== 0) failures.push(`The ${name} failed with exit code ${code}; the log says why.`);
}

async function writeStats() {
  const optimizer = new SystemOptimizer({ storagePath: storage });
  const stats = optimizer.getOptimizationStats();
  await optimizer.close();
  writeFileSync(join(out, 'stats.json'), `${JSON.stringify(stats, null, 2)}\n`);
}

/** A port that was free a moment ago: runs on one machine do not meet on a fixed one. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
