// npm run bench:real-cases [-- --quick --case lru --check]: computations as services have them, with public packages
// as variants. Each is optimised like a user's; then, for each size, the dispatcher it got is timed against every
// fixed variant. `--quick` takes a quarter of the time; `--check` fails where the dispatcher is shown to be more than
// 2 % slower than the best fixed variant of a size.
//
// Method: each replicate is a fresh process, since code once compiled stays as it was compiled, and the same function can
// be 3 % faster in one process than in the next. In it, every dispatcher serves all its sizes first; then, for each size,
// come rounds of one short batch per function in random order. The best variant of a size is named by the even rounds and
// compared by the odd ones: the least of several noisy times is too small, so that the same rounds would flatter what
// they picked. Only what comes near the fastest takes part in the rounds, for what another leaves behind in caches and for the
// collector is no cost of its neighbours'; the others' times are the least of their warm-up.
//
// Shown is the geometric mean over processes with the interval of Student's t (99 %, for it is looked at repeatedly). Processes
// are added for the sizes whose interval does not lie on one side of 2 %, up to a most: then they are called open.
//
// The variant that the dispatcher calls is called directly in a loop of its own too: what that one is over the best is no
// cost of the dispatcher's, but of choosing. What gives another result than the first variant is not counted as a choice.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { computation } from '../dist/computation/computation.js';
import { SystemOptimizer } from '../dist/index.js';
import { studentQuantile } from '../dist/validation/distributions.js';
import { mean, median, quantile, standardDeviation } from '../dist/validation/statistics.js';

const FILES = ['top-k', 'string-search', 'json-field', 'lru', 'intersection', 'nearest', 'csv', 'dedupe'];
/** Shorter than most disturbances are apart; see docs/selection-quality.md. */
const BATCH_MS = 0.1;
const MIN_ROUNDS = 32;
/** What takes part in the rounds: up to so many times the fastest, by the warm-up. */
const CLOSE = 1.5;
/** No variant's name. */
const DISPATCHER = ' dispatch';
const TWIN = ' directly';
/** What the project holds itself to. */
const MAX_RATIO = 1.02;

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    case: { type: 'string', multiple: true, default: FILES },
    check: { type: 'boolean', default: false },
    /** Of a child: what it measures, as JSON. */
    child: { type: 'string' },
  },
});
const budgetMs = flags.quick ? 6_000 : 20_000;
const roundsMs = flags.quick ? 200 : 400;
const [minProcesses, maxProcesses] = flags.quick ? [3, 6] : [7, 21];

const load = async (file) => (await import(`./real-cases/${file}.js`)).default;
const sizeIn = ({ size = (value) => value.length }, input) => size(input);
const variantIn = (choice, actual) =>
  choice.bySize.find(({ maxSize }) => maxSize === null || actual <= maxSize).variant;

/** A child's part: for each case its file, its choice and the sizes that are asked for. */
async function measureAll(cases) {
  const measured = [];
  for (const { file, choice, sizes } of cases) {
    const subject = await load(file);
    const { name, variants, size } = subject;
    const own = computation({ name, variants, ...(size && { size }) });
    own.applyChoice(choice);
    const inputs = subject.sizes.map((of) => subject.inputs(of));
    for (const input of inputs) warm(timed(DISPATCHER, own.dispatch, input), 20);
    for (const [i, of] of subject.sizes.entries()) {
      if (!sizes.includes(of)) continue;
      measured.push({ file, of, ...timesAt(subject, own.dispatch, choice, inputs[i]) });
    }
  }
  return measured;
}

/** Times in ms of all functions at one size, and the log ratios of the dispatcher and its variant to those that come near the best. */
function timesAt({ variants, equivalence = isDeepStrictEqual, size }, dispatch, choice, input) {
  const [reference] = Object.values(variants);
  const expected = reference(input);
  const right = Object.entries(variants).filter(([, run]) => equivalence(expected, run(input)));
  const called = variantIn(choice, sizeIn({ size }, input));
  const functions = [...right, [TWIN, variants[called]], [DISPATCHER, dispatch]];
  const all = functions.map(([name, run]) => timed(name, run, input));
  for (const each of all) each.warmMs = warm(each, 100);
  const isOurs = ({ name }) => name === DISPATCHER || name === TWIN;
  const fastestMs = Math.min(...all.map(({ warmMs }) => warmMs));
  const raced = all.filter((each) => isOurs(each) || each.warmMs <= fastestMs * CLOSE);
  const endMs = performance.now() + roundsMs;
  for (let round = 0; round < 2 * MIN_ROUNDS || performance.now() < endMs; round += 1) {
    for (const each of shuffled(raced)) each.times.push(each.loop(each.repeats));
  }
  const ofRounds = (times, rest) => times.filter((_, round) => round % 2 === rest);
  // Lower quartile: other programs lengthen times and never shorten them.
  const naming = ({ times, warmMs }) => (times.length > 0 ? quantile(ofRounds(times, 0), 0.25) : warmMs);
  const logRatios = (name) => {
    const own = ofRounds(all.find((each) => each.name === name).times, 1);
    const over = ({ times }) => median(ofRounds(times, 1).map((time, i) => Math.log(own[i] / time)));
    return Object.fromEntries(raced.filter((each) => !isOurs(each)).map((each) => [each.name, over(each)]));
  };
  return {
    called,
    times: Object.fromEntries(
      all.filter((each) => each.name !== TWIN).map((each) => [each.name, naming(each)]),
    ),
    dispatcher: logRatios(DISPATCHER),
    directly: logRatios(TWIN),
  };
}

let made = 0;
/** A loop with code of its own: what V8 learns about one function's calls must not slow another's. */
function loopFor(run, input) {
  made += 1;
  const source = `/* ${made} */ let last; for (let i = 0; i < repeats; i += 1) last = run(input); return last;`;
  const loop = new Function('run', 'input', 'repeats', source);
  /** Milliseconds per call. Some calls before are not timed: the round's last function had the caches. */
  return (repeats) => {
    if (repeats > 1) loop(run, input, repeats >> 1);
    const startMs = performance.now();
    loop(run, input, repeats);
    return (performance.now() - startMs) / repeats;
  };
}

function timed(name, run, input) {
  return { name, repeats: 1, times: [], loop: loopFor(run, input) };
}

/** The least time of a call, once V8 had time to compile it: on a loaded machine its threads wait too. */
function warm(each, forMs) {
  const endMs = performance.now() + forMs;
  let callMs = each.loop(1);
  let leastMs = callMs;
  while (performance.now() < endMs) {
    each.repeats = Math.max(1, Math.min(1e6, Math.round(BATCH_MS / callMs)));
    callMs = each.loop(each.repeats);
    leastMs = Math.min(leastMs, callMs);
  }
  each.repeats = Math.max(1, Math.min(1e6, Math.round(BATCH_MS / leastMs)));
  return leastMs;
}

function shuffled(items) {
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}

/** The parent's part. */
async function compareAll() {
  const cases = await optimised();
  const rows = cases.flatMap(({ file, sizes }) => sizes.map((of) => ({ file, of, replicates: [] })));
  for (let processes = 0; processes < maxProcesses; processes += 1) {
    const asked = rows.filter((row) => processes < minProcesses || isOpen(verdictOn(row).dispatcher));
    if (asked.length === 0) break;
    process.stderr.write(`\rprocess ${processes + 1}, ${asked.length} sizes   `);
    const request = cases.flatMap(({ file, choice }) => {
      const sizes = asked.filter((row) => row.file === file).map(({ of }) => of);
      return sizes.length > 0 ? [{ file, choice, sizes }] : [];
    });
    for (const { file, of, ...replicate } of replicateOf(request)) {
      rows.find((row) => row.file === file && row.of === of).replicates.push(replicate);
    }
  }
  process.stderr.write('\n');
  report(cases, rows);
}

/** Every case, optimised as a user's is, with its choice. */
async function optimised() {
  const folder = mkdtempSync(join(tmpdir(), 'sysopt-real-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const optimizer = new SystemOptimizer({ storagePath: folder });
  const cases = [];
  for (const file of flags.case) {
    process.stderr.write(`\roptimise ${file}            `);
    const subject = await load(file);
    const { name, variants, inputs, sizes, size, equivalence } = subject;
    const settings = { ...(size && { size }), ...(equivalence && { equivalence }), budgetMs };
    const { status, choice } = await optimizer.optimizeComputation({
      name,
      variants,
      inputs,
      sizes,
      ...settings,
    });
    const kept = { kind: 'computation', bySize: [{ maxSize: null, variant: Object.keys(variants)[0] }] };
    cases.push({ file, subject, name, sizes, status, choice: choice ?? kept });
  }
  await optimizer.close();
  return cases;
}

function replicateOf(request) {
  const args = [fileURLToPath(import.meta.url), '--child', JSON.stringify(request)];
  const child = spawnSync(process.execPath, flags.quick ? [...args, '--quick'] : args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error(`A process ended with ${child.status ?? child.signal}.`);
  return JSON.parse(child.stdout);
}

/** What the replicates of one size say. The best is the same for all: the one that comes out least over them. */
function verdictOn({ replicates }) {
  const names = Object.keys(replicates[0].times).filter((name) => name !== DISPATCHER);
  const timeOf = (name) => median(replicates.map(({ times }) => times[name]));
  const ordered = names.toSorted((a, b) => timeOf(a) - timeOf(b));
  const best = ordered[0];
  const over = (side) => intervalOf(replicates.flatMap((each) => each[side][best] ?? []));
  return { ordered, best, timeOf, dispatcher: over('dispatcher'), directly: over('directly') };
}

function intervalOf(logs) {
  const half = studentQuantile(0.01, logs.length - 1) * (standardDeviation(logs) / Math.sqrt(logs.length));
  const [low, ratio, high] = [-half, 0, half].map((shift) => Math.exp(mean(logs) + shift));
  return { low, ratio, high };
}

const isOpen = ({ low, high }) => low <= MAX_RATIO && high > MAX_RATIO;

function report(cases, rows) {
  const microseconds = (ms) => (ms * 1000).toPrecision(3);
  const percent = (ratio) => `${ratio >= 1 ? '+' : '−'}${Math.abs((ratio - 1) * 100).toFixed(1)} %`;
  const shown = ({ ratio, low, high }) => `${percent(ratio)} (${percent(low)} … ${percent(high)})`;
  const details = [];
  const missed = [];
  let [within, directlyWithin, directlyOutside] = [0, 0, 0];
  console.log(
    '| computation | size | dispatcher calls | dispatcher, µs | best fixed, µs | dispatcher over best (99 %) | its variant directly, over best (99 %) | within 2 % | worst fixed over dispatcher |',
  );
  console.log('| --- | ---: | --- | ---: | ---: | ---: | ---: | --- | ---: |');
  for (const row of rows) {
    const { subject, name, status } = cases.find(({ file }) => file === row.file);
    const actual = sizeIn(subject, subject.inputs(row.of));
    const { ordered, best, timeOf, dispatcher, directly } = verdictOn(row);
    const verdict = isOpen(dispatcher) ? 'open' : dispatcher.low > MAX_RATIO ? 'no' : 'yes';
    const worst = ordered[ordered.length - 1];
    console.log(
      `| ${name} | ${actual} | ${row.replicates[0].called} | ${microseconds(timeOf(DISPATCHER))} | ` +
        `${best} ${microseconds(timeOf(best))} | ${shown(dispatcher)} | ${shown(directly)} | ${verdict} | ` +
        `${worst} ${(timeOf(worst) / timeOf(DISPATCHER)).toFixed(2)}× |`,
    );
    const times = ordered.map((each) => `${each} ${microseconds(timeOf(each))}`).join(', ');
    details.push(`${name}, ${actual} (${status}, ${row.replicates.length} processes): ${times}`);
    if (verdict === 'yes') within += 1;
    if (verdict === 'no') missed.push(`${name} at ${actual}: ${percent(dispatcher.ratio)} over ${best}`);
    if (directly.high <= MAX_RATIO) directlyWithin += 1;
    if (directly.low > MAX_RATIO) directlyOutside += 1;
  }
  console.log(`\nTimes of all fixed variants, µs a call:\n${details.map((line) => `- ${line}`).join('\n')}`);
  console.log(
    `\nWithin 2 % of the best fixed variant: shown at ${within} of ${rows.length} sizes, shown to be outside at ${missed.length}, ` +
      `open at ${rows.length - within - missed.length}. Its variant called directly: shown at ${directlyWithin}, outside at ${directlyOutside}.`,
  );
  for (const line of missed) console.log(`Outside: ${line}`);
  if (flags.check && missed.length > 0) process.exitCode = 1;
}

if (flags.child === undefined) await compareAll();
else process.stdout.write(JSON.stringify(await measureAll(JSON.parse(flags.child))));
