/**
 * npm run bench:overhead: what profiling costs a busy service, and whether it changes what it measures.
 *
 *   --pairs 30    pairs of windows for each tier
 *   --only 100   tiers whose name holds this text
 *   --quick       a few pairs, to see that it runs
 *
 * One process on one pinned CPU answers synthetic requests (parse, look up, render, one turn of the loop each).
 * Windows of 400 ms alternate between a tier that is on and one that is stopped altogether, in random order within
 * each pair; CPU time of the whole process per request, with the profiler's own thread, is compared pair by pair.
 * Single runs of one variant spread over a third of their value on a shared host; pairs agree within a few percent.
 * Event-loop utilisation is compared the same way, idle and at half load. The traces of operations are held against
 * requests that consist of little else: a file that is read, or an exchange over HTTP.
 */
import { Session } from 'node:inspector';
import { parseArgs } from 'node:util';
import { Monitor } from '../dist/profiling/monitor.js';
import { loadNative } from '../dist/native/load.js';
import { ActivityTracer } from '../dist/profiling/activity/tracer.js';
import fs from 'node:fs';
import { createServer, get, Agent } from 'node:http';
import { fileURLToPath } from 'node:url';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '30' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});
const pairs = values.quick ? 3 : Number(values.pairs);
const WINDOW_MS = 400;

const native = loadNative();
const allowed = new Int32Array(1024);
const count = native.getAffinity(0, allowed);
native.setAffinity(0, allowed.slice(count - 1, count));
native.blockProfilerSignal();

const users = new Map(
  Array.from({ length: 2000 }, (_, id) => [id, { id, name: `user ${id}`, tags: ['a', 'b', 'c'] }]),
);
let sum = 0;
function render(user) {
  return `<li>${user.name}: ${user.tags.map((tag) => tag.toUpperCase()).join(', ')}</li>`;
}
function answer(request) {
  const { from, size } = JSON.parse(request);
  let html = '';
  for (let i = 0; i < size; i += 1) html += render(users.get((from + i) % 2000));
  return JSON.stringify({ html, length: html.length });
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @returns CPU microseconds per request. */
async function busyWindow() {
  const end = performance.now() + WINDOW_MS;
  const before = process.cpuUsage();
  let requests = 0;
  while (performance.now() < end) {
    sum += answer(`{"from":${requests},"size":40}`).length;
    requests += 1;
    await turn();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requests;
}

/** @returns event-loop utilisation with about `load` of the loop taken. */
async function calmWindow(load) {
  const before = performance.eventLoopUtilization();
  const end = performance.now() + WINDOW_MS;
  while (performance.now() < end) {
    const from = performance.now();
    while (load > 0 && performance.now() - from < load * 20) sum += answer('{"from":1,"size":40}').length;
    await sleep((1 - load) * 20);
  }
  return performance.eventLoopUtilization(before).utilization;
}

function cpuProfile(intervalUs) {
  let session;
  const post = (method, params) => session.post(method, params);
  return {
    start() {
      session = new Session();
      session.connect();
      post('Profiler.enable');
      post('Profiler.setSamplingInterval', { interval: intervalUs });
      post('Profiler.start');
    },
    stop() {
      post('Profiler.stop');
      post('Profiler.disable');
      session.disconnect();
    },
  };
}

/** The samples, without the names at the end, which come after the window. */
function nativeCode(intervalUs) {
  return { start: () => native.stackSamplesStart(intervalUs), stop: () => native.stackSamplesStop() };
}

function both(first, second) {
  return {
    start() {
      first.start();
      second.start();
    },
    stop() {
      second.stop();
      first.stop();
    },
  };
}

let monitor;
const TIERS = {
  'nothing (same against same)': { start() {}, stop() {} },
  'always on, 10 Hz': {
    start() {
      monitor = new Monitor();
    },
    stop() {
      monitor.close();
    },
  },
  'CPU profile, 100 Hz': cpuProfile(10_000),
  'CPU profile, 200 Hz': cpuProfile(5000),
  'CPU profile, 400 Hz': cpuProfile(2500),
  'CPU profile, 1 kHz': cpuProfile(1000),
  'native code, 100 Hz': nativeCode(10_000),
  // What a CPU run takes by default.
  'CPU 400 Hz, native code 100 Hz': both(cpuProfile(2500), nativeCode(10_000)),
  'CPU and native code, 400 Hz': both(cpuProfile(2500), nativeCode(2500)),
};

const quantile = (list, share) => list.toSorted((a, b) => a - b)[Math.round(share * (list.length - 1))];

async function paired(tier, measure) {
  const side = async (on) => {
    if (on) tier.start();
    // What starting costs is not what being on costs.
    await sleep(20);
    const value = await measure();
    if (on) tier.stop();
    return value;
  };
  const results = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const onFirst = Math.random() < 0.5;
    const first = await side(onFirst);
    const second = await side(!onFirst);
    results.push(onFirst ? { on: first, off: second } : { on: second, off: first });
  }
  return results;
}

for (let i = 0; i < 5; i += 1) await busyWindow();
console.log(`${pairs} pairs of ${WINDOW_MS} ms windows on one CPU, Node ${process.version}\n`);
console.log(`${'tier'.padEnd(28)} CPU per request, on / off     utilisation on - off: idle   half load`);
for (const [name, tier] of Object.entries(TIERS)) {
  if (!name.includes(values.only)) continue;
  const ratios = (await paired(tier, busyWindow)).map(({ on, off }) => on / off);
  const difference = async (load) =>
    quantile(
      (await paired(tier, () => calmWindow(load))).map(({ on, off }) => on - off),
      0.5,
    );
  const idle = await difference(0);
  const half = await difference(0.5);
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(3));
  console.log(
    `${name.padEnd(28)} ${middle}  (${low} to ${high})                    ${idle.toFixed(4).padStart(10)} ${half.toFixed(4).padStart(11)}`,
  );
}

/** Four under way at once, as in a service. @returns CPU microseconds per operation. */
async function operations(operate) {
  const end = performance.now() + WINDOW_MS;
  const before = process.cpuUsage();
  let count = 0;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (performance.now() < end) {
        await operate();
        count += 1;
      }
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const own = fileURLToPath(import.meta.url);
const service = createServer((_, response) => response.end('{"stock":1}'));
await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve));
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const { port } = service.address();
const OPERATIONS = {
  'a file read': () => new Promise((resolve) => fs.readFile(own, resolve)),
  'an HTTP exchange': () =>
    new Promise((resolve) =>
      get({ port, host: '127.0.0.1', agent }, (answer) => answer.resume().on('end', resolve)),
    ),
};
let tracer;
let adapting;
const traced = (type) => ({
  start() {
    tracer = new ActivityTracer();
    tracer.start(type);
    // As the sampler does, ten times a second.
    adapting = setInterval(() => tracer.table.adapt(), 100);
  },
  stop() {
    clearInterval(adapting);
    tracer.stop();
  },
});
console.log(`\n${'traced'.padEnd(40)} CPU per operation, µs: off   on / off`);
for (const [name, operate] of Object.entries(OPERATIONS)) {
  for (let i = 0; i < 3; i += 1) await operations(operate);
  for (const type of ['cpu', 'io']) {
    const label = `${name}, traces of ${type}`;
    if (!label.includes(values.only)) continue;
    const results = await paired(traced(type), () => operations(operate));
    const ratios = results.map(({ on, off }) => on / off);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(3));
    const off = quantile(
      results.map((pair) => pair.off),
      0.5,
    );
    console.log(
      `${label.padEnd(40)} ${off.toFixed(1).padStart(12)} ${middle.padStart(18)}  (${low} to ${high})`,
    );
  }
}
agent.destroy();
service.close();
if (sum < 0) console.log(sum);
