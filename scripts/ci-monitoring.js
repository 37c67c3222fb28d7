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
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  appendRatios,
  findSeriesChanges,
  ratioPointsOf,
  readRatios,
  runBench,
  SystemOptimizer,
} from 'system-optimizer';
import { NEWS_POINTS } from '../dist/storage/ratio-series.js';
import { readOptions } from './ci-run.js';
import watches from './ci-watches.js';

const { storage, out, budget } = readOptions({ budget: 120 });
const seriesFile = join(storage, 'monitoring.ndjson');

const report = await runBench([fileURLToPath(new URL('./ci-watches.js', import.meta.url))], {
  budgetMs: (budget * 1000) / watches.length,
  onResult: ({ case: name, comparison }) => {
    if (comparison) console.log(`${name}: ${ratioOf(comparison)}`);
  },
});
const { results } = report;
const points = ratioPointsOf(report);
/** Ratios depend on the processor and on V8, so each kind of machine has series of its own. */
const machine = points[0]?.machine ?? 'this machine';
await appendRatios(seriesFile, points);
const { series, problems } = await readRatios(seriesFile);
for (const problem of problems) console.error(problem);
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

/** A result with the series of its watch, and the change in it that is news. */
function follow({ case: watch, baseline, variant, comparison: { ratio, interval, processes, warnings } }) {
  const own = series.find((one) => one.case === watch && one.variant === variant && one.machine === machine);
  const news = findSeriesChanges([own]).filter(({ pointsSince }) => pointsSince <= NEWS_POINTS);
  const last = news.at(-1);
  return {
    watch,
    baseline,
    variant,
    ratio,
    interval,
    processes,
    warnings,
    points: own.points.length,
    change: last ? { ratio: last.ratio, interval: last.interval, pointsAgo: last.pointsSince } : null,
  };
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
