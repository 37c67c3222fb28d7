/** What a program waited for and how its threads fared, as tables on the terminal. */
import type { ProfilingResult } from '../model/profiling-result.js';
import type { ThreadCost } from '../model/signals.js';
import { formatPlace } from '../report/format.js';
import { activeThreads, activityName, shareOfThread, threadRoleText } from '../report/waiting-tables.js';
import { formatDurationMs, formatNumber, formatShare } from '../units.js';
import { alignColumns, visible, type Terminal } from './terminal.js';

const SHOWN_ROWS = 8;
/** Of a path or an address; the report shows all of it. */
const MAX_NAME = 48;

/**
 * Operations by call site for `io` and `network`, threads and their functions for `thread`; nothing for the other
 * types, whose findings name what matters of it.
 *
 * @param shorten how a place is written, such as from the working directory.
 */
export function printWaiting(
  terminal: Terminal,
  { type, durationMs, activities = [], threads = [], threadProfiles = [] }: ProfilingResult,
  shorten: (place: string) => string,
): void {
  if (type === 'io' || type === 'network') {
    const rows = activities.toSorted((a, b) => b.totalMs - a.totalMs);
    printTable(
      terminal,
      ['Operation', 'count', 'p50', 'p99', 'total', 'asked for by'],
      rows.map((activity) => {
        const { location = activity.via } = activity;
        return [
          clipped(activityName(activity)),
          formatNumber(activity.count),
          formatDurationMs(activity.p50Ms),
          formatDurationMs(activity.p99Ms),
          formatDurationMs(activity.totalMs),
          location === undefined ? '–' : `${location.function} ${shorten(formatPlace(location))}`,
        ];
      }),
    );
  }
  if (type === 'thread') {
    const share = (thread: ThreadCost, ms: number | undefined) =>
      ms === undefined ? '–' : formatShare(shareOfThread(thread, ms, durationMs));
    printTable(
      terminal,
      ['Thread', 'on a CPU', 'ready', 'blocked', 'role'],
      activeThreads(threads, durationMs).map((thread) => [
        `${thread.name} ${thread.tid}`,
        share(thread, thread.onCpuMs),
        share(thread, thread.runnableMs),
        share(thread, thread.blockedMs),
        threadRoleText(thread.role),
      ]),
    );
    printTable(
      terminal,
      ['Worker', 'busy', 'hottest function', 'place'],
      threadProfiles.map(({ title, workerId, busyShare, functions: [hottest] }) => [
        clipped(title === '' ? `worker ${workerId}` : title),
        formatShare(busyShare),
        hottest === undefined ? '–' : `${hottest.location.function} ${formatShare(hottest.selfShare)}`,
        hottest === undefined ? '' : shorten(formatPlace(hottest.location)),
      ]),
    );
  }
}

function printTable(
  terminal: Terminal,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  if (rows.length === 0) return;
  const [first = '', ...lines] = alignColumns([
    header,
    ...rows.slice(0, SHOWN_ROWS).map((row) => row.map(oneLine)),
  ]);
  terminal.print();
  terminal.print(terminal.style('dim', first));
  for (const line of lines) terminal.print(line);
  if (rows.length > SHOWN_ROWS) {
    terminal.print(terminal.style('dim', `${rows.length - SHOWN_ROWS} more in the stored result`));
  }
}

function clipped(text: string): string {
  return text.length <= MAX_NAME ? text : `…${text.slice(1 - MAX_NAME)}`;
}

/** A name with a line break in it would tear the table. */
function oneLine(text: string): string {
  return visible(text.replace(/\s+/g, ' '));
}
