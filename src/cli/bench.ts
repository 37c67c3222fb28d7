import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Verdict } from '../model/comparison.js';
import { formatBench, compareRuns, type BenchChange } from '../validation/bench-table.js';
import { runBench, type BenchReport, type BenchResult } from '../validation/bench.js';
import { formatNumber } from '../units.js';
import {
  appendRatios,
  findSeriesChanges,
  NEWS_POINTS,
  ratioPointsOf,
  readRatios,
  type SeriesChange,
} from '../storage/ratio-series.js';
import { EXIT, UsageError } from './exit-code.js';
import { checkOutput, writeOutput } from './output-file.js';
import type { Session, VerbOutcome } from './session.js';
import { visible } from './terminal.js';

export interface BenchVerbOptions {
  readonly filter?: string;
  /** For each comparison. */
  readonly budgetMs?: number;
  /** File that the run is written to as JSON. */
  readonly save?: string;
  /** An earlier run, as `--save` wrote it. */
  readonly against?: string;
  /** File of ratios over time, which this run is appended to. */
  readonly series?: string;
  readonly failOnSlower: boolean;
}

/** `sysopt bench files…`: variants of a task against a baseline, by the procedure that validates optimisations. */
export async function benchVerb(
  files: readonly string[],
  options: BenchVerbOptions,
  { terminal, signal }: Session,
): Promise<VerbOutcome> {
  if (files.length === 0) {
    throw new UsageError('There is no benchmark to run.', 'Give its file: sysopt bench sum.bench.js');
  }
  if (options.failOnSlower && options.against === undefined && options.series === undefined) {
    throw new UsageError(
      '--fail-on-slower needs a run or a series to compare with.',
      'Give it with --against FILE or --series FILE.',
    );
  }
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) throw new UsageError(`There is no file ${resolve(missing)}.`, 'Check its path.');
  // First: a file that cannot be read or written must not cost a whole run.
  for (const [file, option] of [
    [options.save, '--save'],
    [options.series, '--series'],
  ] as const)
    if (file !== undefined) await checkOutput(file, option);
  const before = options.against === undefined ? undefined : await readRun(options.against);
  const report = await runBench(files, {
    ...(options.filter !== undefined && { filter: options.filter }),
    ...(options.budgetMs !== undefined && { budgetMs: options.budgetMs }),
    signal,
    onProgress: (progress) => terminal.progress(progress),
    onResult: (result) =>
      terminal.progress({ stage: `${result.case} ${result.variant}`, message: inWords(result) }),
  });
  signal.throwIfAborted();
  terminal.print(visible(formatBench(report)));
  if (options.save !== undefined) await writeRun(options.save, report);
  const changes = before === undefined ? undefined : compareRuns(before, report);
  if (changes !== undefined) {
    terminal.print();
    if (!changes.sameHost) {
      terminal.warn('The earlier run is from another host: what differs may be the hosts.');
    }
    for (const change of changes.changes) terminal.print(visible(changeInWords(change)));
  }
  const seriesChanges =
    options.series === undefined ? undefined : await followSeries(options.series, report, terminal);
  const failed = report.results.some(({ comparison }) => comparison === null);
  const slower =
    changes?.changes.some(({ verdict }) => verdict === 'slower') === true ||
    seriesChanges?.some((change) => change.ratio > 1 && change.pointsSince <= NEWS_POINTS) === true;
  return {
    result: { ...report, ...(changes && { changes }), ...(seriesChanges && { seriesChanges }) },
    exitCode: failed ? EXIT.target : options.failOnSlower && slower ? EXIT.gate : EXIT.ok,
  };
}

function inWords({ case: name, variant, comparison, error }: BenchResult): string {
  const outcome = comparison?.verdict ?? `failed (${error?.code ?? 'UNKNOWN'})`;
  return `${name}: ${variant} is ${outcome}`;
}

const CHANGES: Readonly<Record<Verdict, string>> = {
  faster: 'faster than before',
  slower: 'slower than before',
  equivalent: 'as before',
  inconclusive: 'not decided',
};

function changeInWords(change: BenchChange): string {
  const interval =
    change.interval === null
      ? 'no bound yet'
      : `${formatNumber(1 / change.interval[1])} to ${formatNumber(1 / change.interval[0])}`;
  const gain = `${formatNumber(1 / change.ratio)}× (${interval})`;
  return `${change.case}, ${change.variant}: ${CHANGES[change.verdict]}, ${gain}`;
}

/** Appends the run to its series and tells where those changed their level. */
async function followSeries(
  file: string,
  report: BenchReport,
  terminal: Session['terminal'],
): Promise<SeriesChange[]> {
  const path = resolve(file);
  const points = ratioPointsOf(report);
  await appendRatios(path, points);
  const { series, problems } = await readRatios(path);
  for (const problem of problems) terminal.warn(problem);
  // Other cases and machines may share the file; this run has nothing to say about them.
  const ours = series.filter(({ points: all }) => all.at(-1)?.at === report.createdAt);
  const changes = findSeriesChanges(ours);
  terminal.print();
  for (const change of changes) terminal.print(visible(seriesChangeInWords(change)));
  if (changes.length === 0) {
    const lengths = ours.map(({ points: all }) => all.length);
    terminal.print(`No change of level in ${file} (${lengths.join(', ')} points).`);
  }
  return changes;
}

function seriesChangeInWords({ series, point, pointsSince, ratio, interval }: SeriesChange): string {
  const gain = `${formatNumber(1 / ratio)}× (${formatNumber(1 / interval[1])} to ${formatNumber(1 / interval[0])})`;
  const direction = ratio > 1 ? 'slower' : 'faster';
  const since = pointsSince === 1 ? 'the newest point' : `${pointsSince} points ago`;
  return `${series.case}, ${series.variant}: ${direction} since ${point.at} (${since}), ${gain}`;
}

const SAVED_RUN = 'Give --against a file that sysopt bench --save wrote.';

/** A file that the caller names, as `--load` and the files of `sysopt layout` are: none of the store's documents. */
async function readRun(file: string): Promise<BenchReport> {
  let report: unknown;
  try {
    report = JSON.parse(await readFile(resolve(file), 'utf8'));
  } catch (cause) {
    throw new UsageError(`Cannot read the run ${file}: ${(cause as Error).message}.`, SAVED_RUN);
  }
  const { results, environment } = (report ?? {}) as Partial<BenchReport>;
  if (!Array.isArray(results) || environment?.host === undefined) {
    throw new UsageError(`${file} holds no run.`, SAVED_RUN);
  }
  return report as BenchReport;
}

async function writeRun(file: string, report: BenchReport): Promise<void> {
  await writeOutput(file, `${JSON.stringify(report, null, 2)}\n`, '--save');
}
