/**
 * The whole loop on this service: profile app.js as it is, diagnose it, optimise the subjects, prove each, then
 * measure the whole service before and after over HTTP. `npm run demo` in the package's folder; under five minutes
 * on two cores. Everything printed is measured here and now; on another machine it may choose otherwise.
 *
 * Usage: node demo.js [--storage DIR] [--quick]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compare, SystemOptimizer } from 'system-optimizer';

const here = dirname(fileURLToPath(import.meta.url));
const cli = join(here, '../../dist/cli/main.js');
const { values: options } = parseArgs({
  options: {
    storage: { type: 'string', default: join(here, 'data/optimization') },
    quick: { type: 'boolean', default: false },
  },
});
const times = options.quick
  ? { profileS: 3, budgetS: 40, serviceMs: 20_000 }
  : { profileS: 8, budgetS: 90, serviceMs: 45_000 };
const CONNECTIONS = 4;
const loadFile = join(here, 'load.json');
const startedAt = new Date();

function heading(text) {
  console.log(`\n\u001b[1m▌ ${text}\u001b[0m\n`);
}

/** A port that nobody listens on. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs the command line as a user would, and shows what it shows. */
async function sysopt(args, port) {
  const shown = args.map((arg) => (arg.startsWith(here) ? relative(process.cwd(), arg) : arg));
  console.log(`\u001b[2m$ ${port ? `PORT=${port} ` : ''}sysopt ${shown.join(' ')}\u001b[0m`);
  const child = spawn(process.execPath, [cli, ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...(port && { PORT: String(port) }) },
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`sysopt ${args[0]} ended with exit code ${code}`);
}

async function profileApp(type) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/health`;
  await sysopt(
    [
      ...['profile', '--type', type, '--duration', String(times.profileS), '--url', url, '--load', loadFile],
      ...[
        '--connections',
        String(CONNECTIONS),
        '--storage',
        options.storage,
        '--',
        'node',
        join(here, 'app.js'),
      ],
    ],
    port,
  );
}

async function service(file, label, storage) {
  const port = await freePort();
  return {
    service: [process.execPath, join(here, file)],
    url: `http://127.0.0.1:${port}/health`,
    env: { PORT: String(port), ...(storage && { ORDERS_STORAGE: storage }) },
    label,
  };
}

/** The whole service, two ways, under the same mix of requests: CPU time per request, and answers held equal. */
async function compareServices(optimizer, name, changedBy, baseline, candidate) {
  const comparison = await compare(baseline, candidate, {
    budgetMs: times.serviceMs,
    // Floating-point sums may differ in the last digit where another order of adding was chosen.
    checkResults: { relativeTolerance: 1e-9 },
    load: { requests: JSON.parse(readFileSync(loadFile, 'utf8')), connections: CONNECTIONS },
  });
  await optimizer.keepComparison(name, changedBy, comparison);
  console.log(`${name}: ${sentence(comparison)}`);
  for (const cost of comparison.costs) {
    if (cost.ratio) console.log(`  ${cost.name}: ${gain(cost)}`);
  }
  return comparison;
}

/** `1.9× as fast (1.8× to 2.0×)`: the ratio turned into the speed-up that people think in. */
function gain({ ratio, interval }) {
  const times = (value) => `${Number((1 / value).toPrecision(3))}×`;
  return `${times(ratio)}${interval ? ` (${times(interval[1])} to ${times(interval[0])})` : ' (no interval yet)'}`;
}

function sentence(comparison) {
  const words = {
    faster: 'faster',
    slower: 'slower',
    equivalent: 'no difference that matters',
    inconclusive: 'inconclusive: this machine was too noisy for the time allowed',
  };
  return `${gain(comparison)} ${words[comparison.verdict]}`;
}

// An earlier demo's choices would be the baseline of this one: it begins with the code as it is written.
rmSync(join(options.storage, 'config.json'), { force: true });

heading('1. Profile app.js as it is, from outside');
await profileApp('cpu');
await profileApp('memory');

heading('2. Optimise the registered subjects, and prove each');
await sysopt([
  ...['optimize', '--subjects', join(here, 'subjects.js')],
  ...['--budget', String(times.budgetS), '--storage', options.storage],
]);

heading('3. The whole service over HTTP, before and after');
const emptyStore = mkdtempSync(join(tmpdir(), 'orders-'));
const optimizer = new SystemOptimizer({ storagePath: options.storage });
try {
  const byTool = await compareServices(
    optimizer,
    'orders service, choices of the optimizer',
    'tool',
    await service('app-optimized.js', 'app-optimized.js without choices', emptyStore),
    await service('app-optimized.js', 'app-optimized.js with choices', options.storage),
  );
  const byPerson = await compareServices(
    optimizer,
    'orders service, code changed',
    'person',
    await service('app.js', 'app.js'),
    await service('app-optimized.js', 'app-optimized.js without choices', emptyStore),
  );

  heading('4. Report');
  const report = join(options.storage, 'report.html');
  await sysopt(['report', '--storage', options.storage, '--out', report]);

  heading('Summary');
  const { store } = optimizer;
  const results = store.list({ kind: 'result', type: 'cpu', since: startedAt, limit: 1 });
  const { analysis } = await store.getResult(results[0].id);
  console.log('What app.js spends its time on:');
  for (const { cause, location, expectedGain } of analysis.findings.filter((finding) => finding.location)) {
    const share = expectedGain === undefined ? '' : `, ${(expectedGain * 100).toFixed(0)} % of CPU time`;
    console.log(
      `  ${cause.padEnd(20)} ${location.function} (${basename(location.file)}:${location.line})${share}`,
    );
  }

  const profiles = [];
  for (const { id } of store.list({ kind: 'profile', since: startedAt }))
    profiles.push(await store.getProfile(id));
  const line = (profile) => {
    const measured = profile.validation ? sentence(profile.validation) : profile.warnings[0];
    return `  ${`${profile.subject.kind} ${profile.subject.name}`.padEnd(28)} ${measured}`;
  };
  const printService = (comparison) => {
    const time = comparison.costs.find(({ name }) => name === 'time');
    console.log(`  ${'service, CPU per request'.padEnd(28)} ${sentence(comparison)}`);
    if (time?.ratio)
      console.log(`  ${'service, time per request'.padEnd(28)} ${gain(time)} ${time.verdict ?? ''}`);
  };
  const applied = profiles.filter(({ status }) => status === 'applied');
  const left = profiles.filter(({ status }) => status !== 'applied');
  console.log('\nApplied by the tool:');
  for (const profile of applied) console.log(line(profile));
  if (applied.length === 0) console.log('  nothing: no candidate was proved faster here');
  printService(byTool);
  console.log('\nCode changed by a person:');
  printService(byPerson);
  console.log('\nDid not help, and was left alone:');
  for (const profile of left) console.log(line(profile));
  if (left.length === 0) console.log('  nothing');
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  console.log(`\nAs speed-ups, with 95 % intervals. ${seconds} s in all.`);
  console.log(`Report: ${relative(process.cwd(), report)}`);
} finally {
  await optimizer.close();
  rmSync(emptyStore, { recursive: true, force: true });
}
