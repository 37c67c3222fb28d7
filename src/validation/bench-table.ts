/** A benchmark run as text for a terminal or a document, and two runs beside each other. */
import type { Comparison, Verdict } from '../model/comparison.js';
import { formatBytes, formatDurationNs, formatNumber } from '../units.js';
import type { BenchReport, BenchResult } from './bench.js';
import { verdictOf } from './decision.js';

const COLUMNS = [
  'variant',
  'time/call',
  'speed-up',
  '95 % interval',
  'verdict',
  'allocated/call',
  'processes',
];

/**
 * A Markdown table per case. The speed-up is baseline ÷ variant: above 1 is faster. (Stored ratios are the
 * inverse, cost over cost.)
 */
export function formatBench(report: BenchReport): string {
  return [...grouped(report.results).values()].map(formatCase).join('\n\n');
}

function grouped(results: readonly BenchResult[]): Map<string, BenchResult[]> {
  const groups = new Map<string, BenchResult[]>();
  for (const result of results) {
    const key = `${result.file}\0${result.case}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return groups;
}

function formatCase(results: readonly BenchResult[]): string {
  const { case: name, baseline } = results[0]!;
  const compared = results.flatMap(({ comparison }) => (comparison ? [comparison] : []));
  const rows = [
    COLUMNS,
    ...(compared[0] ? [baselineRow(baseline, compared[0])] : []),
    ...results.map((result) =>
      result.comparison
        ? candidateRow(result.variant, result.comparison)
        : [result.variant, '–', '–', '–', `failed: ${result.error?.code ?? 'UNKNOWN'}`, '–', '–'],
    ),
  ];
  const notes = results.flatMap(({ variant, comparison, error }) => [
    ...(error ? [`${variant}: ${error.message}`] : []),
    ...(comparison?.warnings.map((warning) => `${variant}: ${warning}`) ?? []),
  ]);
  return [`### ${name}`, '', ...table(rows), ...notes.map((note) => `\n${note}`)].join('\n');
}

function baselineRow(name: string, comparison: Comparison): string[] {
  return [
    name,
    formatDurationNs(comparison.baselineCost),
    '1×',
    '',
    'baseline',
    allocated(comparison, 'baseline'),
    '',
  ];
}

function candidateRow(name: string, comparison: Comparison): string[] {
  const { ratio, interval, verdict, candidateCost, processes } = comparison;
  return [
    name,
    formatDurationNs(candidateCost),
    `${formatNumber(1 / ratio)}×`,
    interval ? `${formatNumber(1 / interval[1])}–${formatNumber(1 / interval[0])}×` : 'none yet',
    verdict,
    allocated(comparison, 'candidate'),
    String(processes),
  ];
}

function allocated(comparison: Comparison, side: 'baseline' | 'candidate'): string {
  const cost = comparison.costs.find(({ name }) => name === 'allocated');
  return cost ? formatBytes(cost[side]) : 'unknown';
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(rows[0]!), line(rule), ...rows.slice(1).map(line)];
}

/** How a variant's standing against its baseline changed from one run to another. */
export interface BenchChange {
  readonly case: string;
  readonly variant: string;
  /** Later ratio over earlier: below 1 is better than before. */
  readonly ratio: number;
  readonly interval: readonly [number, number] | null;
  readonly verdict: Verdict;
}

/**
 * Compares two runs by their ratios, not their times: each ratio was measured against a baseline beside it, so
 * the host's state on either day cancels out. Where two runs come from different hosts nothing cancels;
 * `sameHost` is then false.
 */
export function compareRuns(
  before: BenchReport,
  after: BenchReport,
): { readonly sameHost: boolean; readonly changes: readonly BenchChange[] } {
  const earlier = new Map(before.results.map((result) => [keyOf(result), result.comparison]));
  const changes = after.results.flatMap((result) => {
    const [old, now] = [earlier.get(keyOf(result)), result.comparison];
    return old && now ? [{ case: result.case, variant: result.variant, ...changeBetween(old, now) }] : [];
  });
  return { sameHost: before.environment.host.id === after.environment.host.id, changes };
}

function keyOf({ case: name, variant, baseline }: BenchResult): string {
  return JSON.stringify([name, variant, baseline]);
}

function changeBetween(before: Comparison, after: Comparison): Omit<BenchChange, 'case' | 'variant'> {
  const ratio = after.ratio / before.ratio;
  const widths = [before, after].map(({ interval }) =>
    interval ? Math.log(interval[1] / interval[0]) / 2 : Infinity,
  );
  // Two independent errors add as squares.
  const halfWidth = Math.hypot(...widths);
  if (!Number.isFinite(halfWidth)) return { ratio, interval: null, verdict: 'inconclusive' };
  const centre = Math.log(ratio);
  const [low, high] = [centre - halfWidth, centre + halfWidth];
  const verdict = verdictOf(low, high, after.equivalenceMargin);
  return { ratio, interval: [Math.exp(low), Math.exp(high)], verdict };
}
