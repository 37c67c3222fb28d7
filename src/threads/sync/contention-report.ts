/** Which primitives threads wait for most: figures of several, in order, for people and for programs. */
import { describe, fail } from '../../errors.js';
import type { ContentionStats } from './primitive.js';

export interface ContentionRow extends ContentionStats {
  /** Of the acquisitions, those that did not succeed at once, 0 to 1 (above where waits were given up); 0 without any. */
  readonly contendedShare: number;
  /** Of a contended acquisition, in µs; 0 without any. */
  readonly meanWaitUs: number;
}

export interface ContentionReport {
  /** Longest waited for first, in all; then by contended acquisitions, then by name. */
  readonly rows: readonly ContentionRow[];
  /** The same as a Markdown table. */
  readonly markdown: string;
}

/** Anything with figures of contention: a `Mutex`, `Condition`, `Semaphore`, `Barrier`, `SeqLock`, `MpmcQueue` or `SpscRing`. */
export interface Contended {
  stats(): ContentionStats;
}

/**
 * Costs a few loads a primitive. The figures are of all threads together since each primitive was created, so any thread
 * that holds them can ask.
 *
 * @throws INVALID_ARGUMENT
 * @example
 * console.log(contentionReport([mutex, jobs, ready]).markdown);
 */
export function contentionReport(primitives: Iterable<Contended>): ContentionReport {
  if (typeof (primitives as Partial<Iterable<Contended>> | undefined)?.[Symbol.iterator] !== 'function')
    throw refused('primitives', primitives);
  const rows = [...primitives].map((primitive, i) => {
    if (typeof (primitive as Partial<Contended> | undefined)?.stats !== 'function')
      throw refused(`primitives[${i}]`, primitive);
    return rowOf(primitive.stats());
  });
  rows.sort((a, b) => b.waitMs - a.waitMs || b.contended - a.contended || (a.name < b.name ? -1 : 1));
  return { rows, markdown: tableOf(rows) };
}

function rowOf(stats: ContentionStats): ContentionRow {
  const { acquisitions, contended, waitMs } = stats;
  return {
    ...stats,
    contendedShare: acquisitions > 0 ? contended / acquisitions : 0,
    meanWaitUs: contended > 0 ? (waitMs * 1e3) / contended : 0,
  };
}

function tableOf(rows: readonly ContentionRow[]): string {
  const lines = rows.map((row) =>
    [
      // A name is the program's own text: it must not break the table.
      row.name.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll(/\s+/g, ' '),
      row.acquisitions,
      `${row.contended} (${(row.contendedShare * 100).toFixed(1)} %)`,
      row.waitMs.toFixed(3),
      row.meanWaitUs.toFixed(1),
      row.timedOut,
      row.abandoned,
    ].join(' | '),
  );
  return [
    '| primitive | acquisitions | contended | waited (ms) | mean wait (µs) | timed out | abandoned |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n');
}

function refused(name: string, actual: unknown): Error {
  return fail('INVALID_ARGUMENT', {
    name,
    actual: describe(actual),
    expected: 'a list of primitives (Mutex, Semaphore, MpmcQueue, …)',
  });
}
