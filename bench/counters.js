// npm run bench:counters [-- --rounds 200]: what reading counters costs, in empty native calls.
//
// All sides take turns in random order, in batches of about a fifth of a millisecond. Each batch is set against the
// batch of its reference (the empty native call; for a snapshot the read) of the same round, so that a slow phase of
// the machine hits both. Shown are the median of those ratios with its 95 % interval (order statistics), and the ratio
// of the lower tenths, which preemption and neighbours touch least. A system call is among the sides, because software
// counters can only be read through one.
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { openCounters } from '../dist/counters/counter-group.js';
import { loadNative } from '../dist/native/load.js';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } });
const ROUNDS = Math.max(20, Number(flags.rounds));
const BATCH_MS = 0.2;
const SOFTWARE = [
  'taskClock',
  'cpuClock',
  'contextSwitches',
  'migrations',
  'pageFaults',
  'minorFaults',
  'majorFaults',
  'cgroupSwitches',
];
const HARDWARE = ['cycles', 'instructions', 'branches', 'branchMisses'];
const EMPTY = 'empty native call';
const READ = 'read of eight software events';
const SNAPSHOT = 'snapshot of the eight';
const GOALS = [
  { name: READ, reference: EMPTY, limit: 50 },
  { name: SNAPSHOT, reference: READ, limit: 1.3 },
];

const native = loadNative();
/** What cannot be measured here, with the reason: a row of the table all the same. */
const missing = {};

const eight = openCounters({ events: SOFTWARE });
const one = openCounters({ events: ['taskClock'] });
const hardware = openCounters({ events: HARDWARE });
const refused = Object.entries({ ...eight.snapshot().values, ...hardware.snapshot().values }).filter(
  ([, value]) => !value.available,
);
for (const [name, { reason, message }] of refused) missing[name] = `${reason}: ${message}`;

/** A loop of its own for each side: one loop for all would call through a megamorphic site, which costs more than the calls. */
const loopOf = (call, scope = {}) =>
  new Function(
    ...Object.keys(scope),
    `return (n) => { let kept; for (let i = 0; i < n; i += 1) kept = ${call}; return kept; };`,
  )(...Object.values(scope));
const sides = {
  [EMPTY]: loopOf('native.emptyCall()', { native }),
  [READ]: loopOf('group.read()', { group: eight }),
  [SNAPSHOT]: loopOf('group.snapshot()', { group: eight }),
  'snapshot of the eight, all values looked at': loopOf('group.snapshot().values', { group: eight }),
  'measure() around nothing, two reads': loopOf('group.measure(nothing)', { group: eight, nothing: () => 0 }),
  'read of one software event': loopOf('group.read()', { group: one }),
  ...(refused.every(([name]) => !HARDWARE.includes(name)) && {
    'read of four hardware events': loopOf('group.read()', { group: hardware }),
  }),
  'thread CPU clock, one system call': loopOf('native.threadCpuTimeNs()', { native }),
  'process.resourceUsage()': loopOf('process.resourceUsage()'),
  'process.cpuUsage()': loopOf('process.cpuUsage()'),
  'performance.now()': loopOf('performance.now()'),
  ...(await rival()),
};

async function rival() {
  const name = '@mitata/counters, before() and after()';
  try {
    const lib = await import('@mitata/counters');
    lib.init();
    lib.before();
    lib.after();
    // It counts nothing where its figures are zero or not numbers; what it costs is measured all the same.
    const { cycles, instructions } = lib.translate(1, 1);
    if (!(cycles.avg > 0))
      missing[`${name}: its result`] = `${cycles.avg} cycles, ${instructions.avg} instructions`;
    return { [name]: loopOf('(lib.before(), lib.after())', { lib }) };
  } catch (error) {
    missing[name] = `does not work here: ${String(error.message).split('\n')[0]}`;
    return {};
  }
}

const names = Object.keys(sides);
const calls = Object.fromEntries(names.map((name) => [name, callsPerBatch(sides[name])]));
const times = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const name of shuffled(names)) times[name].push(timeOf(sides[name], calls[name]));
}

function callsPerBatch(loop) {
  let count = 64;
  for (let warm = 0; warm < 200; warm += 1) loop(count);
  while (timeOf(loop, count) * count < BATCH_MS * 1e6) count *= 2;
  return count;
}

/** Nanoseconds a call. */
function timeOf(loop, count) {
  const start = process.hrtime.bigint();
  loop(count);
  return Number(process.hrtime.bigint() - start) / count;
}

function shuffled(items) {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function quantile(numbers, share) {
  return numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(share * numbers.length))];
}

/** Median of the ratios round by round, its interval by order statistics, and the ratio of the lower tenths. */
function against(name, reference) {
  const ratios = times[name].map((time, round) => time / times[reference][round]);
  const half = 0.98 / Math.sqrt(ratios.length);
  return {
    ratio: quantile(ratios, 0.5),
    low: quantile(ratios, 0.5 - half),
    high: quantile(ratios, 0.5 + half),
    quiet: quantile(times[name], 0.1) / quantile(times[reference], 0.1),
  };
}

const show = (number) => (number < 10 ? number.toFixed(2) : number.toFixed(0));
console.log('side | ns (lower tenth) | × an empty native call | 95 % interval | lower tenths');
console.log('--- | --- | --- | --- | ---');
for (const name of names) {
  const { ratio, low, high, quiet } = against(name, EMPTY);
  console.log(
    `${name} | ${show(quantile(times[name], 0.1))} | ${show(ratio)} | ${show(low)} to ${show(high)} | ${show(quiet)}`,
  );
}
for (const [name, reason] of Object.entries(missing)) console.log(`${name} | ${reason} | | |`);
console.log();
for (const { name, reference, limit } of GOALS) {
  const { ratio, low, high, quiet } = against(name, reference);
  console.log(
    `${name}: ${show(ratio)} times the ${reference} (${show(low)} to ${show(high)}; lower tenths ${show(quiet)}), limit ${limit}: ${ratio <= limit ? 'kept' : 'missed'}`,
  );
}
console.log(
  `${cpus()[0].model}, Node ${process.versions.node}, ${ROUNDS} rounds, load ${loadavg()[0].toFixed(1)}`,
);
