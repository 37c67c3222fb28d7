/**
 * The monitoring run of CI, the same on a developer's machine: measures the ratios of ci-watches.js, appends them
 * to a series in the store's folder and looks for a change for the worse.
 *
 *   node scripts/ci-monitoring.js [--storage DIR] [--out DIR] [--budget s]
 *
 * --budget is the time for all watches together. Writes monitoring.md and monitoring.json to --out and appends to
 * monitoring.ndjson in --storage. Ends with 1 where the newest points of a watch show a change for the worse.
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
/** How far back one looks: three weeks of hourly points. */
const POINTS_LOOKED_AT = 500;

const { storage, out, budget } = readOptions({ budget: 120 });
const seriesFile = join(storage, 'monitoring.ndjson');
/** Ratios depend on the processor and on V8, so each kind of machine has a series of its own. */
const machine = `${cpus()[0]?.model.trim() || 'unknown'}, ${process.arch}, Node ${process.versions.node.split('.')[0]}`;

const rows = [];
for (const watch of WATCHES) {
  console.log(`${watch.name}: ${watch.about}`);
  const module = new URL('./ci-watches.js', import.meta.url);
  const side = (name) => ({ module, export: name, factory: true });
  const comparison = await compare(side(watch.baseline), side(watch.candidate), {
    budgetMs: (budget * 1000) / WATCHES.length,
    // The sides sum in the same order, so they agree to the last bit or one of them is wrong.
    checkResults: true,
  });
  const { ratio, interval, processes, verdict, warnings } = comparison;
  const before = readSeries(watch.name);
  append({ at: new Date().toISOString(), watch: watch.name, machine, ratio, interval, processes });
  const change = newestChange([...before, ratio]);
  rows.push({ ...watch, ratio, interval, processes, verdict, warnings, points: before.length + 1, change });
  console.log(
    `  ratio ${ratio.toFixed(4)}${interval ? ` [${interval.map((x) => x.toFixed(4)).join(', ')}]` : ''}`,
  );
}

const optimizer = new SystemOptimizer({ storagePath: storage });
const stats = optimizer.getOptimizationStats();
await optimizer.close();

const worse = rows.filter(({ change }) => change !== null && change.factor > 1);
writeFileSync(
  join(out, 'monitoring.json'),
  `${JSON.stringify({ machine, watches: rows, stats }, null, 2)}\n`,
);
writeFileSync(join(out, 'monitoring.md'), markdown());
for (const { name, change } of worse) console.error(sentence(name, change));
if (worse.length > 0) process.exitCode = 1;
else console.log(`No change for the worse in ${rows.length} watches.`);

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

/** The last step of the series, where it is news and large enough; null otherwise. */
function newestChange(ratios) {
  const step = findChangePoints(ratios.map(Math.log)).at(-1);
  if (step === undefined || step.index < ratios.length - NEWS_POINTS) return null;
  const factor = Math.exp(step.after - step.before);
  if (Math.abs(factor - 1) < WORTH_TELLING) return null;
  return {
    factor,
    before: Math.exp(step.before),
    after: Math.exp(step.after),
    pointsAgo: ratios.length - step.index,
  };
}

function sentence(name, { factor, before, after, pointsAgo }) {
  const size = `${Math.abs((factor - 1) * 100).toFixed(1)} % ${factor > 1 ? 'slower' : 'faster'}`;
  const when = pointsAgo === 1 ? 'with the newest point' : `${pointsAgo} points ago`;
  return `${name} became ${size} against its pinned baseline ${when}: ratio ${before.toFixed(4)} → ${after.toFixed(4)}.`;
}

function markdown() {
  const verdict =
    worse.length > 0
      ? worse.map(({ name, change }) => `**${sentence(name, change)}**`).join('\n\n')
      : 'No change for the worse.';
  const table = rows.map(({ name, about, ratio, interval, points, change }) => {
    const bounds = interval ? `${interval[0].toFixed(3)} to ${interval[1].toFixed(3)}` : '–';
    const moved = change ? `${change.before.toFixed(3)} → ${change.after.toFixed(3)}` : 'none';
    return `| ${name} | ${about} | ${ratio.toFixed(3)} | ${bounds} | ${points} | ${moved} |`;
  });
  const { total, referenceRuns, gains } = stats;
  return `## Monitoring

${verdict}

Ratio is the candidate's cost over the pinned baseline's: below 1 is better.

| Watch | What | Ratio | Interval | Points | Recent change |
|---|---|---:|---|---:|---|
${table.join('\n')}

In the store: ${total} optimisations, ${referenceRuns} of them reference runs; ${gains.count} applied to a subject.

Measured on ${machine}. Each kind of machine has a series of its own.
`;
}
