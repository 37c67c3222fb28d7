/** What a program waited for and how its threads fared, as tables on the terminal. */
import type { ProfilingResult } from '../model/profiling-result.js';
import type { ThreadCost } from '../model/signals.js';
import { formatPlace } from '../report/format.js';
import { activeThreads, activityName, shareOfThread, threadRoleText } from '../report/waiting-tables.js';
import { formatDurationMs, formatNumber, formatShare } from '../units.js';
import { clipped, printTable } from './print-table.js';
import type { Terminal } from './terminal.js';

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
