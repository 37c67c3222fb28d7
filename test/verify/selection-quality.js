// npm run verify:selection [-- --runs 200 --seed 1 --set held-out --cases 'cache cliff' --noise f --resume f]: how good
// the choices of the race are, and what they cost.
//
// Computations with known costs by size (planted winners, crossovers, ties) are raced by the code that races real ones,
// on a simulated clock. Their noise is this machine's: the times of a real loop are recorded, batch after batch, and
// each run replays a stretch of that record, so that drifts and disturbances hit neighbours as they did. `tuned` are
// the computations that the race was tuned on, `held-out` those that were written afterwards and never tuned on.
//
// --noise keeps the record in a file and takes it from there the next time; --resume keeps the rows that are done.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { timedBatch } from '../../dist/computation/racer.js';
import { Race } from '../../dist/computation/race.js';
import { seededRandom } from '../../dist/computation/random.js';
import { search } from '../../dist/computation/search.js';
import { choiceOf, crossovers, pickVariants } from '../../dist/computation/selection.js';
import { variantFor } from '../../dist/computation/computation.js';

/** Of the noise's record. */
const PIECE_MS = 0.02;
/** Of the percentage that a record is called by. */
const NAMED_MS = 0.5;
/** As the race's: at the first size, and at the others, where the code is compiled already. */
const WARM_UP_MS = 25;
const WARM_AGAIN_MS = 12;
/** What one batch takes beside the calls: clocks, shuffling, keeping the result. */
const BETWEEN_MS = 0.002;
/** What the cost is held against: every variant for so long at every size, and for so many calls at least. */
const FULL_MS = 64;
const FULL_CALLS = 128;
const SIZES = [10, 100, 1_000, 10_000, 100_000];
/** Where a choice is judged: at the sizes measured and between them. */
const JUDGED = [10, 32, 100, 316, 1_000, 3_162, 10_000, 31_623, 100_000];

const linear = (a, b) => (n) => a + b * n;
/**
 * Costs in ns by size. The race's thresholds were chosen on these.
 *
 * @type {Record<string, Record<string, (n: number) => number>>}
 */
export const TUNED = {
  'clear winner': { a: linear(50, 10), b: linear(50, 8), c: linear(50, 20) },
  'winner by 5 %': { a: linear(50, 10), b: linear(47.5, 9.5), c: linear(55, 11) },
  'winner by 3 %': { a: linear(50, 10), b: linear(48.5, 9.7) },
  'winner by 1.5 %': { a: linear(50, 10), b: linear(49.25, 9.85), c: linear(49.9, 9.98) },
  'quadratic against linear': { a: (n) => 20 + 0.5 * n * n, b: linear(400, 6) },
  'scan against index': { a: linear(5, 0.5), b: (n) => 40 + 6 * Math.log2(n) },
  'two crossovers': { a: (n) => 10 + n * n * 0.02, b: linear(300, 2), c: linear(40_000, 0.3) },
  'threads above a size': { a: linear(20, 1), b: linear(25_000, 0.55), c: linear(25_000, 0.5) },
  'three equal': { a: linear(50, 10), b: linear(50, 10), c: linear(50, 10) },
  'two equal, one slow': { a: linear(50, 10), b: linear(50, 10), c: linear(90, 18) },
  'equal above, different below': { a: linear(10, 4), b: linear(900, 4) },
  'eight variants': Object.fromEntries(
    [1.3, 1.08, 1, 1.02, 2, 1.5, 1.05, 1.2].map((factor, i) => [`v${i}`, linear(30 * factor, 7 * factor)]),
  ),
};

/**
 * Never used for choosing a threshold.
 *
 * @type {Record<string, Record<string, (n: number) => number>>}
 */
export const HELD_OUT = {
  'last of three by 8 %': { a: linear(60, 9), b: linear(58, 8.7), c: linear(55.2, 8.28) },
  'in force is best by 4 %': { a: linear(40, 5), b: linear(41.6, 5.2), c: linear(42.4, 5.3) },
  'root against logarithm': { a: (n) => 30 + 4 * Math.sqrt(n), b: (n) => 60 + 12 * Math.log2(n) },
  'cache cliff': { a: (n) => 20 + (n <= 20_000 ? 2 * n : 5 * n - 60_000), b: linear(30, 3) },
  'staircase of five': Object.fromEntries(
    [1.08, 1.06, 1.04, 1.02, 1].map((factor, i) => [`v${i}`, linear(45 * factor, 6 * factor)]),
  ),
  'two pairs of equals': { a: linear(53, 10.6), b: linear(50, 10), c: linear(53, 10.6), d: linear(50, 10) },
  'gentle crossing': { a: (n) => 10 + 4 * n ** 0.97, b: (n) => 10 + 3.2 * n },
  'twelve, one better by 5 %': Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`v${i}`, linear(i === 7 ? 38 : 40, i === 7 ? 7.6 : 8)]),
  ),
};

/** Times of a real loop over their median, one after the other: what this machine does to equal work. */
export function recordNoise(pieces) {
  const values = Float64Array.from({ length: 64 }, (_, i) => Math.sin(i));
  let sink = 0;
  const piece = (passes) => {
    const startMs = performance.now();
    for (let pass = 0; pass < passes; pass += 1) for (const value of values) sink += value * value;
    return performance.now() - startMs;
  };
  const middleOf = (times) => Float64Array.from(times).sort()[times.length >> 1];
  let passes = 32;
  for (let i = 0; i < 10; i += 1) {
    const ms = middleOf(Float64Array.from({ length: 500 }, () => piece(passes)));
    passes = Math.max(1, Math.round((passes * PIECE_MS) / ms));
  }
  const times = Float64Array.from({ length: pieces }, () => piece(passes));
  const middle = middleOf(times);
  if (sink === 0.5) throw new Error('unreachable: keeps the loop');
  return times.map((ms) => ms / middle);
}

/** Sums up to each piece, from which the mean of any stretch follows. */
function cumulated(noise) {
  const sums = new Float64Array(noise.length + 1);
  for (let i = 0; i < noise.length; i += 1) sums[i + 1] = sums[i] + noise[i];
  return sums;
}

/** Races one computation on simulated time. */
async function runOnce(costs, sums, strategy, random) {
  const pieces = sums.length - 1;
  let clockMs = 0;
  let at = Math.floor(random() * pieces);
  /** Works for so long, and returns how many times as long it took. */
  const work = (ms) => {
    const count = Math.min(pieces, Math.max(1, Math.round(ms / PIECE_MS)));
    if (at + count > pieces) at = 0;
    const mean = (sums[at + count] - sums[at]) / count;
    at += count;
    clockMs += ms;
    return mean;
  };
  const names = Object.keys(costs);
  const warmed = new Set();
  const races = SIZES.map((size) => {
    const racers = names.map((name) => {
      const costNs = costs[name](size);
      const { lead, passes } = timedBatch(costNs / 1e6);
      return {
        name,
        warmUp: async () => {
          clockMs += warmed.has(name) ? WARM_AGAIN_MS : WARM_UP_MS;
          warmed.add(name);
        },
        sample: () => {
          clockMs += BETWEEN_MS;
          if (lead > 0) work((lead * costNs) / 1e6);
          return costNs * work((passes * costNs) / 1e6);
        },
      };
    });
    return new Race(racers, { random, now: () => clockMs, breathe: async () => {} });
  });
  await search(races, { strategy, budgetMs: Infinity, random, now: () => clockMs, progress: () => {} });
  const measured = SIZES.map((size, i) => ({
    size,
    minSize: size,
    maxSize: size,
    standings: races[i].standings(),
  }));
  const present = { kind: 'computation', bySize: [{ maxSize: null, variant: names[0] }] };
  const picked = pickVariants(measured, names, present, true);
  const choice = choiceOf(picked, crossovers(measured, picked));
  const regrets = JUDGED.map((size) => {
    const least = Math.min(...names.map((name) => costs[name](size)));
    return costs[variantFor(choice, size)](size) / least - 1;
  });
  return {
    clockMs,
    measured,
    regrets: regrets.filter((_, i) => SIZES.includes(JUDGED[i])),
    between: regrets,
  };
}

/** Time that measuring all variants fully at all sizes takes. */
function measuringAllMs(costs) {
  const all = Object.values(costs);
  const measuringMs = SIZES.flatMap((size) =>
    all.map((cost) => Math.max(FULL_MS, (FULL_CALLS * cost(size)) / 1e6)),
  );
  const warmUpMs = all.length * (WARM_UP_MS + (SIZES.length - 1) * WARM_AGAIN_MS);
  return warmUpMs + measuringMs.reduce((sum, ms) => sum + ms, 0);
}

/** Pairs of variants within 0.1 % at a size: must be called tied with the leader when one of them leads. */
function tiesOf(costs, measured) {
  let [ties, called] = [0, 0];
  for (const { size, standings } of measured) {
    const least = Math.min(...Object.values(costs).map((cost) => cost(size)));
    const equals = standings.filter(({ variant }) => costs[variant](size) <= least * 1.001);
    if (equals.length < 2) continue;
    ties += equals.length;
    called += equals.filter(({ tied }) => tied).length;
  }
  return { ties, called };
}

/** The figures over `runs` runs of every computation. `done`: rows of an earlier call, taken as they are. */
export async function selectionQuality({
  runs,
  seed,
  noise,
  computations = TUNED,
  done = [],
  onRow = () => {},
}) {
  const rows = [];
  const sums = cumulated(noise);
  for (const [name, costs] of Object.entries(computations)) {
    const known = done.find((row) => row.name === name && row.runs === runs && row.seed === seed);
    if (known) {
      rows.push(known);
      continue;
    }
    // Seeded by name too, so that a row does not depend on which were measured before it.
    const random = seededRandom([...name].reduce((hash, letter) => hash * 31 + letter.charCodeAt(0), seed));
    const fullMs = measuringAllMs(costs);
    const row = { name, runs, seed, regret: 0, between: 0, worse: 0, cost: 0, ties: 0, called: 0 };
    for (let run = 0; run < runs; run += 1) {
      const outcome = await runOnce(costs, sums, 'successive_halving', random);
      const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
      row.regret += mean(outcome.regrets) / runs;
      row.between += mean(outcome.between) / runs;
      row.worse += (outcome.regrets.some((regret) => regret > 0.03) ? 1 : 0) / runs;
      row.cost += outcome.clockMs / fullMs / runs;
      const { ties, called } = tiesOf(costs, outcome.measured);
      row.ties += ties;
      row.called += called;
    }
    rows.push(row);
    onRow(row);
  }
  const over = (key) => rows.reduce((sum, row) => sum + row[key], 0) / rows.length;
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  return {
    rows,
    meanRegret: over('regret'),
    meanBetween: over('between'),
    worseShare: over('worse'),
    costShare: over('cost'),
    tiesCalled: sum('ties') === 0 ? 1 : sum('called') / sum('ties'),
  };
}

const percent = (share, digits = 2) => `${(100 * share).toFixed(digits)} %`;

/** @returns what misses the project's aims. */
function report(title, { rows, meanRegret, meanBetween, worseShare, costShare, tiesCalled }) {
  console.log(`\n${title}:\n`);
  console.log(
    '| computation | mean regret | between sizes | choices > 3 % worse | cost of measuring all | ties called |',
  );
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const { name, regret, between, worse, cost, ties, called } of rows) {
    const calledTies = ties === 0 ? '' : percent(called / ties, 1);
    console.log(
      `| ${name} | ${percent(regret, 3)} | ${percent(between)} | ${percent(worse, 1)} | ${cost.toFixed(2)} | ${calledTies} |`,
    );
  }
  console.log(
    `| all | ${percent(meanRegret, 3)} | ${percent(meanBetween)} | ${percent(worseShare, 1)} | ${costShare.toFixed(2)} | ${percent(tiesCalled, 1)} |`,
  );
  return [
    meanRegret > 0.002 && 'mean regret above 0.2 %',
    costShare > 0.4 && 'cost above 0.4',
    worseShare > 0.01 && 'more than 1 % of choices are over 3 % worse',
    tiesCalled < 0.95 && 'fewer than 95 % of ties called ties',
  ]
    .filter(Boolean)
    .map((reason) => `${title}: ${reason}`);
}

/** The record of a file, or a new one that is kept there. */
function noiseOf(file) {
  if (file === undefined || !existsSync(file)) {
    const noise = recordNoise(1_000_000);
    if (file !== undefined) writeFileSync(file, new Uint8Array(noise.buffer));
    return noise;
  }
  return new Float64Array(new Uint8Array(readFileSync(file)).buffer);
}

/** Robust standard deviation of the difference of neighbouring stretches of a length. */
function deviationOf(noise, stretchMs) {
  const sums = cumulated(noise);
  const count = Math.round(stretchMs / PIECE_MS);
  const logs = Float64Array.from({ length: Math.floor(noise.length / count) }, (_, i) =>
    Math.log((sums[(i + 1) * count] - sums[i * count]) / count),
  );
  const steps = Float64Array.from(logs.subarray(1), (value, i) => Math.abs(value - logs[i])).sort();
  // Of neighbours, which is what a race compares; half of all differences are below 0.67 deviations.
  return steps[steps.length >> 1] / 0.954;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      set: { type: 'string', default: 'both' },
      cases: { type: 'string', multiple: true },
      noise: { type: 'string' },
      resume: { type: 'string' },
    },
  });
  const sets = { tuned: TUNED, 'held-out': HELD_OUT };
  if (values.set !== 'both' && !(values.set in sets)) throw new RangeError('--set tuned, held-out or both');
  const names = Object.values(sets).flatMap(Object.keys);
  for (const name of values.cases ?? []) {
    if (!names.includes(name)) throw new RangeError(`--cases: one of ${names.join(', ')}`);
  }
  const noise = noiseOf(values.noise);
  const done =
    values.resume && existsSync(values.resume) ? JSON.parse(readFileSync(values.resume, 'utf8')) : [];
  const failed = [];
  for (const [set, all] of Object.entries(sets)) {
    if (values.set !== 'both' && values.set !== set) continue;
    const chosen = Object.entries(all).filter(([name]) => values.cases?.includes(name) ?? true);
    if (chosen.length === 0) continue;
    const result = await selectionQuality({
      runs: Number(values.runs),
      seed: Number(values.seed),
      noise,
      computations: Object.fromEntries(chosen),
      done,
      onRow: (row) => {
        done.push(row);
        if (values.resume) writeFileSync(values.resume, JSON.stringify(done));
      },
    });
    failed.push(...report(set, result));
  }
  const deviation = percent(deviationOf(noise, NAMED_MS), 1);
  console.log(`\nNoise of this machine: robust standard deviation ${deviation} per ${NAMED_MS} ms of work.`);
  for (const reason of failed) console.log(`FAILED: ${reason}`);
  if (failed.length > 0) process.exitCode = 1;
}
