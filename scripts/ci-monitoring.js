/**
 * The monitoring run of CI, the same on a developer's machine: measures the ratios of ci-watches.js, appends them
 * to a series in the store's folder and looks for a change for the worse.
 *
 *   node scripts/ci-monitoring.js [--storage DIR] [--out DIR] [--budget s]
 *
 * --budget is the time for all watches together. Writes monitoring.md and monitoring.json to --out and appends to
 * monitoring.ndjson in --storage. Ends with 1 where the newest points of a watch show a
 * change for the worse, or a watch cannot be measured.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { compare, findChangePoints, SystemOptimizer } from 'system-optimizer';
import { readOptions } from './ci-run.js';
import { WATCHES } from './ci-watches.js';

/** A step that began among so many of the newest points is news; an older one is the level we live with. */
const NEWS_POINTS = 12;
/** Steps smaller than this share are not worth waking anybody, however certain they are. */
const WORTH_TELLING = 0.03;
/** Of an hourly test: rare enough that an alarm means something. */
const SIGNIFICANCE = 0.001;
/** How far back one looks: twelve days of hourly points. */
const POINTS_LOOKED_AT = 300;

const { storage, out, budget } = readOptions({ budget: 120 });
const seriesFile = join(storage, 'monitoring.ndjson');
/** Ratios depend on the processor and on V8, so each kind of machine has a series of its own. */
const machine = `${cpus()[0]?.model.trim() || 'unknown'}, ${process.arch}, Node ${process.versions.node.split('.')[0]}`;

const rows = [];
const failures = [];
for (const watch of WATCHES) {
  console.log(`${watch.name}: ${watch.about}`);
  try {
    const row = await measure(watch);
    rows.push(row);
    console.log(`  ratio ${row.ratio.toFixed(4)}${row.interval ? ` [${bounds(row.interval)}]` : ''}`);
  } catch (error) {
    // A side that throws or disagrees is the worst change of all, and no reason to miss the other watches.
    failures.push(`${watch.name} could not be measured. ${error.message}`);
  }
}

const optimizer = new SystemOptimizer({ storagePath: storage });
const stats = optimizer.getOptimizationStats();
await optimizer.close();

const alarms = [
  ...failures,
  ...rows
    .filter(({ change }) => change !== null && change.factor > 1)
    .map(({ name, change }) => sentence(name, change)),
];
writeFileSync(
  join(out, 'monitoring.json'),
  `${JSON.stringify({ machine, watches: rows, alarms, stats }, null, 2)}\n`,
);
writeFileSync(join(out, 'monitoring.md'), markdown());
for (const alarm of alarms) console.error(alarm);
if (alarms.length > 0) process.exitCode = 1;
else console.log(`No change for the worse in ${rows.length} watches.`);

async function measure(watch) {
  const module = new URL('./ci-watches.js', import.meta.url);
  const side = (name) => ({ module, export: name, factory: true });
  const { ratio, interval, processes, verdict, warnings } = await compare(
    side(watch.baseline),
    side(watch.candidate),
    { budgetMs: (budget * 1000) / WATCHES.length },
  );
  const before = readSeries(watch.name);
  append({ at: new Date().toISOString(), watch: watch.name, machine, ratio, interval, processes });
  const change = newestChange([...before, ratio]);
  return { ...watch, ratio, interval, processes, verdict, warnings, points: before.length + 1, change };
}

/** Ratios of a watch on this kind of machine, oldest first. A torn line is what a killed run left: skipped. */
function readSeries(name) {
  if (!existsSync(seriesFile)) return [];
  const ratios = [];
  for (const line of readFileSync(seriesFile, 'utf8').split('\n')) {
    const point = parsePoint(line);
    if (point?.watch === name && point.machine === machine && point.ratio > 0) ratios.push(point.ratio);
  }
  return ratios.slice(-POINTS_LOOKED_AT);
}

function parsePoint(line) {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function append(point) {
  const isTorn = existsSync(seriesFile) && !/(^|\n)$/.test(readFileSync(seriesFile, 'utf8'));
  appendFileSync(seriesFile, `${isTorn ? '\n' : ''}${JSON.stringify(point)}\n`);
}

/** The last change of level in the series, where it is news and large enough; null otherwise. */
function newestChange(ratios) {
  const change = findChangePoints(ratios, { significance: SIGNIFICANCE }).at(-1);
  if (change === undefined || change.index < ratios.length - NEWS_POINTS) return null;
  if (Math.abs(change.ratio - 1) < WORTH_TELLING) return null;
  const { ratio, interval } = change;
  return { factor: ratio, interval, pointsAgo: ratios.length - change.index };
}

function sentence(name, change) {
  const percent = Math.abs(100 * (change.factor - 1)).toFixed(1);
  const direction = change.factor > 1 ? 'slower' : 'faster';
  return `${name} became ${percent} % ${direction} against its pinned baseline, ${change.pointsAgo} points ago (factor ${bounds(change.interval)}).`;
}

function bounds([low, high]) {
  return `${low.toFixed(3)} to ${high.toFixed(3)}`;
}

function markdown() {
  const news =
    alarms.length > 0 ? alarms.map((alarm) => `**${alarm}**`).join('\n\n') : 'No change for the worse.';
  const table = rows.map(({ name, about, ratio, interval, points, change }) => {
    const moved = change ? `× ${change.factor.toFixed(3)}` : 'none';
    return `| ${name} | ${about} | ${ratio.toFixed(3)} | ${interval ? bounds(interval) : '–'} | ${points} | ${moved} |`;
  });
  const { total, referenceRuns, gains } = stats;
  return `## Monitoring

${news}

Ratio is the candidate's cost over the pinned baseline's: below 1 is better.

| Watch | What | Ratio | Interval | Points | Recent change |
|---|---|---:|---|---:|---|
${table.join('\n')}

In the store: ${total} optimisations, ${referenceRuns} of them reference runs; ${gains.count} applied to a subject.

Measured on ${machine}. Each kind of machine has a series of its own.
`;
}
