/**
 * The monitoring run of CI, the same on a developer's machine: measures the ratios of ci-watches.js, appends them
 * to a series in the store's folder and looks for a change for the worse.
 *
 *   node scripts/ci-monitoring.js [--storage DIR] [--out DIR] [--budget s]
 *
 * --budget is the time for all watches together. Writes monitoring.md and monitoring.json to --out and appends to
 * monitoring.ndjson in --storage. Ends with 1 where the newest points of a watch show a change for the worse, or
 * a watch cannot be measured.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChangePoints, SystemOptimizer } from 'system-optimizer';
import { runBench } from '../dist/validation/bench.js';
import { readOptions } from './ci-run.js';
import watches from './ci-watches.js';

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

const { results } = await runBench([fileURLToPath(new URL('./ci-watches.js', import.meta.url))], {
  budgetMs: (budget * 1000) / watches.length,
  onResult: ({ case: name, comparison }) => {
    if (comparison) console.log(`${name}: ${ratioOf(comparison)}`);
  },
});
const rows = results.filter(({ comparison }) => comparison !== null).map(follow);

const optimizer = new SystemOptimizer({ storagePath: storage });
const stats = optimizer.getOptimizationStats();
await optimizer.close();

const alarms = [
  // A side that throws or disagrees is the worst change of all.
  ...results.flatMap(({ case: name, error }) =>
    error ? `${name} cannot be measured. ${error.message}` : [],
  ),
  ...rows.filter(({ change }) => change !== null && change.ratio > 1).map(sentence),
];
writeFileSync(
  join(out, 'monitoring.json'),
  `${JSON.stringify({ machine, watches: rows, alarms, stats }, null, 2)}\n`,
);
writeFileSync(join(out, 'monitoring.md'), markdown());
for (const alarm of alarms) console.error(alarm);
if (alarms.length > 0) process.exitCode = 1;
else console.log(`No change for the worse in ${rows.length} watches.`);

/** Adds a result to the series of its watch, and looks at the series. */
function follow({ case: watch, baseline, variant, comparison: { ratio, interval, processes, warnings } }) {
  const before = readSeries(watch);
  append({ at: new Date().toISOString(), watch, machine, ratio, interval, processes });
  const change = newestChange([...before, ratio]);
  return {
    watch,
    baseline,
    variant,
    ratio,
    interval,
    processes,
    warnings,
    points: before.length + 1,
    change,
  };
}

/** Ratios of a watch on this kind of machine, oldest first. A torn line is what a killed run left: skipped. */
function readSeries(watch) {
  if (!existsSync(seriesFile)) return [];
  const ratios = [];
  for (const line of readFileSync(seriesFile, 'utf8').split('\n')) {
    const point = parsePoint(line);
    if (point?.watch === watch && point.machine === machine && point.ratio > 0) ratios.push(point.ratio);
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
  return { ratio: change.ratio, interval: change.interval, pointsAgo: ratios.length - change.index };
}

function sentence({ watch, variant, baseline, change: { ratio, interval, pointsAgo } }) {
  const step = `${Math.abs(100 * (ratio - 1)).toFixed(1)} % ${ratio > 1 ? 'slower' : 'faster'}`;
  return `${watch}: ${variant} became ${step} against ${baseline}, ${pointsAgo} points ago (factor ${bounds(interval)}).`;
}

function ratioOf({ ratio, interval }) {
  return `ratio ${ratio.toFixed(3)}${interval ? ` (${bounds(interval)})` : ''}`;
}

function bounds([low, high]) {
  return `${low.toFixed(3)} to ${high.toFixed(3)}`;
}

function markdown() {
  const news = alarms.length > 0 ? alarms.map((alarm) => `**${alarm}**`) : ['No change for the worse.'];
  const table = rows.map((row) => {
    const interval = row.interval ? bounds(row.interval) : '–';
    const moved = row.change ? `× ${row.change.ratio.toFixed(3)}` : 'none';
    const what = `${row.variant} against ${row.baseline}`;
    return `| ${row.watch} | ${what} | ${row.ratio.toFixed(3)} | ${interval} | ${row.points} | ${moved} |`;
  });
  const { total, referenceRuns, gains } = stats;
  return `## Monitoring

${news.join('\n\n')}

Ratio is the candidate's cost over the pinned baseline's: below 1 is better.

| Watch | What | Ratio | Interval | Points | Recent change |
|---|---|---:|---|---:|---|
${table.join('\n')}

In the store: ${total} optimisations, ${referenceRuns} of them reference runs; ${gains.count} applied to a subject.

Measured on ${machine}. Each kind of machine has a series of its own.
`;
}
