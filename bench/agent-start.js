/**
 * npm run bench:agent: what preloading the agent costs a program's start.
 *
 *   --rounds 15   starts of each arm
 *
 * Fresh processes of an empty program, in random order within each round: as it is, with the agent and no controller
 * (the flag in a start script), with a controller that it connects to (`sysopt profile`), and with the monitor. CPU time
 * and wall time of each arm less the plain start of the same round; medians with their middle halves.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listenForAgents } from '../dist/profiling/controller.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), 'sysopt-agent-start-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
// The program tells its own CPU time: that of its threads too.
const report =
  "process.on('exit', () => { const { user, system } = process.cpuUsage(); process.stdout.write(String((user + system) / 1000)); });";
const programs = { esm: join(folder, 'app.mjs'), cjs: join(folder, 'app.cjs') };
for (const file of Object.values(programs)) writeFileSync(file, report);
const preload = ['--import', new URL('../dist/integration/preload.js', import.meta.url).href];
const server = await listenForAgents();
const { SYSOPT_CONTROL } = server.env;

const ARMS = {
  plain: { flags: [], env: {} },
  'agent, no controller': { flags: preload, env: {} },
  'agent, connected': { flags: preload, env: { SYSOPT_CONTROL } },
  'monitor, watchdog': {
    flags: preload,
    env: { SYSOPT_MONITOR: '1', SYSOPT_STORAGE: join(folder, 'store') },
  },
};

function start(file, { flags, env }) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [...flags, file], {
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.once('error', reject);
    child.once('close', () => resolve({ wallMs: performance.now() - startedAt, cpuMs: Number(text) }));
  });
}

const quantile = (list, share) => list.toSorted((a, b) => a - b)[Math.round(share * (list.length - 1))];
const shown = (list) =>
  `${quantile(list, 0.5).toFixed(1).padStart(6)} (${quantile(list, 0.25).toFixed(1)} to ${quantile(list, 0.75).toFixed(1)})`;

console.log(`${rounds} starts of each, Node ${process.version}; over the plain start, ms\n`);
for (const [format, file] of Object.entries(programs)) {
  const results = Object.fromEntries(Object.keys(ARMS).map((name) => [name, []]));
  for (const arm of Object.values(ARMS)) await start(file, arm); // File caches.
  for (let round = 0; round < rounds; round += 1) {
    const order = Object.entries(ARMS)
      .map((arm) => ({ arm, at: Math.random() }))
      .sort((a, b) => a.at - b.at);
    for (const {
      arm: [name, arm],
    } of order)
      results[name].push(await start(file, arm));
  }
  console.log(
    `${format}: plain start ${shown(results.plain.map(({ cpuMs }) => cpuMs))} ms CPU, ${shown(results.plain.map(({ wallMs }) => wallMs))} ms wall`,
  );
  for (const [name, runs] of Object.entries(results)) {
    if (name === 'plain') continue;
    const over = (key) => runs.map((run, round) => run[key] - results.plain[round][key]);
    console.log(`  ${name.padEnd(22)} CPU ${shown(over('cpuMs'))}   wall ${shown(over('wallMs'))}`);
  }
}
await server.close();
