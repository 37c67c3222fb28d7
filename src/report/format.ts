import type { Comparison } from '../model/comparison.js';
import type { CodeLocation, Evidence } from '../model/finding.js';
import type { Metric } from '../model/metric.js';
import type { ProfileType } from '../model/types.js';
import {
  formatBytes,
  formatDurationMs,
  formatDurationNs,
  formatNumber,
  formatShare,
  formatSpeedup,
} from '../units.js';

/** A figure in its unit, as people read it: `0.93 ratio` → `93 %`, `1536 bytes` → `1.5 KiB`. */
export function formatValue(value: number, unit: string): string {
  // Scaling would turn nothing into `0 ns`, whatever it was measured in.
  if (value === 0 && (unit === 'ms' || unit === 'us')) return unit === 'ms' ? '0 ms' : '0 µs';
  switch (unit) {
    case 'ratio':
      return formatShare(value);
    case 'ms':
      return formatDurationMs(value);
    case 'us':
      return formatDurationNs(value * 1e3);
    case 'ns':
      return formatDurationNs(value);
    case 'bytes':
      return formatBytes(value);
    case 'bytes/s':
      return `${formatBytes(value)}/s`;
    case 'count':
      return formatNumber(value);
    case 'count/s':
      return `${formatNumber(value)}/s`;
    default:
      return unit === '' ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
  }
}

/** A function's name as profilers write it. */
export function formatFunctionName(name: string): string {
  return name === '' ? '(anonymous)' : name;
}

export function formatMetric(metric: Metric): string {
  return metric.available ? formatValue(metric.value, metric.unit) : 'not available';
}

/**
 * A place as people type it into their editor: `routes/report.js:42`. Paths are shortened by the directory
 * that all user files of the report share (`root`); URLs such as `node:internal/…` stay as they are.
 */
export function formatPlace(location: Pick<CodeLocation, 'file' | 'line'>, root = ''): string {
  const file =
    root !== '' && location.file.startsWith(root) ? location.file.slice(root.length) : location.file;
  if (file === '') return '';
  return location.line > 0 ? `${file}:${location.line}` : file;
}

/**
 * Text with the paths below a directory shown from there: `read (/srv/app/lib/a.js:3)` → `read (lib/a.js:3)`.
 *
 * @param root the directory with its final separator; empty or the root of the file system changes nothing.
 */
export function shortenPaths(text: string, root: string): string {
  if (root.length <= 1) return text;
  const literal = root.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // Not within a longer path that happens to end in the same names.
  return text.replace(new RegExp(`(?<![\\w./\\\\-])(?:file://)?${literal}`, 'g'), '');
}

/** The threshold of evidence that passed it. What stayed below decided nothing, so its threshold says nothing. */
export function passedThreshold({ value, threshold }: Evidence): number | undefined {
  return threshold !== undefined && value >= threshold ? threshold : undefined;
}

/** What evidence says, with the threshold where it passed one: `It took 88 % of the time (threshold 25 %).` */
export function evidenceInWords(evidence: Evidence): string {
  const threshold = passedThreshold(evidence);
  if (threshold === undefined) return evidence.statement;
  return `${evidence.statement.replace(/\.$/, '')} (threshold ${formatValue(threshold, evidence.unit)}).`;
}

/** `1 result`, `2 results`; a plural that is not regular is given. */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}

/** The deepest directory (with its final slash) that holds every one of the files; empty where there is none. */
export function commonDirectory(files: Iterable<string>): string {
  let common: string[] | undefined;
  for (const file of files) {
    if (!file.startsWith('/')) continue;
    const directories = file.split('/').slice(0, -1);
    if (common === undefined) {
      common = directories;
      continue;
    }
    let same = 0;
    while (same < common.length && common[same] === directories[same]) same += 1;
    common = common.slice(0, same);
  }
  return common === undefined || common.length <= 1 ? '' : `${common.join('/')}/`;
}

/** Speed-up with its interval, `1.42× (1.38 to 1.46)`. An interval of cost ratios turns round. */
export function formatGain(comparison: Pick<Comparison, 'ratio' | 'interval'>): string {
  const { ratio, interval } = comparison;
  if (interval === null) return `${formatSpeedup(ratio)} (no bound yet)`;
  return `${formatSpeedup(ratio)} (${formatNumber(1 / interval[1])} to ${formatNumber(1 / interval[0])})`;
}

/** `2026-03-01T12:00:00.000Z` → `2026-03-01 12:00 UTC`. Text that is no such date stays as it is. */
export function formatInstant(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(iso) ? `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC` : iso;
}

/** `cpu` → `CPU profile`. */
export function profileName(type: ProfileType): string {
  return `${TYPE_NAMES[type] ?? type} profile`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  cpu: 'CPU',
  memory: 'Memory',
  io: 'I/O',
  network: 'Network',
  thread: 'Thread',
};

/** A place in a drawing, in percent: as exact as any screen shows it. */
export function fixed(value: number): number {
  return Number(value.toFixed(2));
}
