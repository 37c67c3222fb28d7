/** Tables of what a program waited for, and of its threads: the parts of a result that no flame graph shows. */
import type { ActivityCost, ActivityKind, ThreadCost, ThreadProfile, ThreadRole } from '../model/signals.js';
import { formatBytes, formatDurationMs, formatNumber, formatShare } from '../units.js';
import { formatFunctionName, formatPlace } from './format.js';
import { html, type Markup } from './markup.js';
import { more, SHOWN_ROWS, shareCell } from './table-parts.js';

/** A thread that wanted a CPU for less than this share of the window is one of many that sleep. */
const LEAST_SHARE = 0.001;
const WORKER_FUNCTIONS = 5;

const KIND_TEXT: Readonly<Record<ActivityKind, string>> = {
  fs: 'file',
  'fs-sync': 'file, holds the loop',
  crypto: 'crypto',
  zlib: 'compression',
  dns: 'name look-up',
  connect: 'connection',
  http: 'request sent',
  'http-server': 'request served',
  socket: 'socket',
  timer: 'timer',
  'overfilled-write': 'write into a full stream',
};

const ROLE_TEXT: Readonly<Record<ThreadRole, string>> = {
  main: 'main thread',
  worker: 'worker',
  pool: 'libuv’s pool',
  runtime: 'V8, Node or native',
};

/** What an operation is about, in a word or a few. */
export function activityKindText(kind: ActivityKind): string {
  return Object.hasOwn(KIND_TEXT, kind) ? KIND_TEXT[kind] : kind;
}

export function threadRoleText(role: ThreadRole | undefined): string {
  if (role === undefined) return '–';
  return Object.hasOwn(ROLE_TEXT, role) ? ROLE_TEXT[role] : role;
}

/** `GET 127.0.0.1:8080`: the operation with what it is done to. */
export function activityName({ name, target }: ActivityCost): string {
  return target === undefined || target === '' ? name : `${name} ${target}`;
}

/**
 * A part of a thread's time as a share of the time that it was watched, which the reading of many threads makes
 * longer than the window: shares of the window would exceed 1.
 */
export function shareOfThread(thread: ThreadCost, ms: number, durationMs: number): number {
  const watchedMs = Math.max(durationMs, thread.onCpuMs + thread.runnableMs + (thread.blockedMs ?? 0));
  return watchedMs === 0 ? 0 : ms / watchedMs;
}

/** The threads that ran or wanted to, the main one first, then the busiest. */
export function activeThreads(threads: readonly ThreadCost[], durationMs: number): ThreadCost[] {
  return threads
    .filter(({ onCpuMs, runnableMs }) => onCpuMs + runnableMs >= durationMs * LEAST_SHARE)
    .toSorted(
      (a, b) =>
        Number(b.role === 'main') - Number(a.role === 'main') ||
        b.onCpuMs + b.runnableMs - (a.onCpuMs + a.runnableMs),
    );
}

/** Operations by call site, by total latency: how many, how long, how many failed. */
export function activityTable(activities: readonly ActivityCost[], root: string): Markup {
  const rows = activities.toSorted((a, b) => b.totalMs - a.totalMs);
  return html`<p class="quiet">
      From the call to its answer, summed over calls that may have overlapped. Counts at high rates are
      estimates from a sample.
    </p>
    <div class="scroll">
      <table class="costs">
        <thead>
          <tr>
            <th>Operation</th>
            <th>Kind</th>
            <th>Asked for by</th>
            <th class="number">Count</th>
            <th class="number">p50</th>
            <th class="number">p99</th>
            <th class="number">Total</th>
            <th class="number">Failed</th>
            <th class="number">Bytes</th>
            <th class="number">At once</th>
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, SHOWN_ROWS).map(
            (activity) =>
              html`<tr>
                <td><code>${activityName(activity)}</code></td>
                <td>${activityKindText(activity.kind)}</td>
                <td>${placeCell(activity, root)}</td>
                <td class="number">${formatNumber(activity.count)}</td>
                <td class="number">${formatDurationMs(activity.p50Ms)}</td>
                <td class="number">${formatDurationMs(activity.p99Ms)}</td>
                <td class="number">${formatDurationMs(activity.totalMs)}</td>
                <td class="number">${activity.errors === 0 ? '–' : formatNumber(activity.errors)}</td>
                <td class="number">${activity.bytes === 0 ? '–' : formatBytes(activity.bytes)}</td>
                <td class="number">${formatNumber(activity.maxInFlight)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${more(rows.length)}`;
}

/** Every thread's time: on a CPU, ready without one, and blocked. */
export function threadTable(threads: readonly ThreadCost[], durationMs: number): Markup {
  const rows = activeThreads(threads, durationMs);
  const asleep = threads.length - rows.length;
  const share = (thread: ThreadCost, ms: number) => formatShare(shareOfThread(thread, ms, durationMs));
  return html`<div class="scroll">
      <table class="costs">
        <thead>
          <tr>
            <th>Thread</th>
            <th>Role</th>
            <th>On a CPU</th>
            <th class="number">Ready, no CPU free</th>
            <th class="number">Blocked</th>
            <th class="number">Moved between CPUs</th>
            <th class="number">Gave way</th>
            <th class="number">Preempted</th>
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, SHOWN_ROWS).map(
            (thread) =>
              html`<tr>
                <td><code>${thread.name}</code> <span class="quiet">${thread.tid}</span></td>
                <td>${threadRoleText(thread.role)}</td>
                ${shareCell(shareOfThread(thread, thread.onCpuMs, durationMs))}
                <td class="number">${share(thread, thread.runnableMs)}</td>
                <td class="number">
                  ${thread.blockedMs === undefined ? '–' : share(thread, thread.blockedMs)}
                </td>
                <td class="number">${countOf(thread.migrations)}</td>
                <td class="number">${countOf(thread.voluntarySwitches)}</td>
                <td class="number">${countOf(thread.involuntarySwitches)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${more(rows.length)} ${asleep > 0 && html`<p class="quiet">${asleep} more slept all the time.</p>`}`;
}

/** The hottest functions of each worker thread, by its own CPU profile. */
export function threadProfileTable(profiles: readonly ThreadProfile[], root: string): Markup {
  return html`<div class="scroll">
    <table class="costs">
      <thead>
        <tr>
          <th>Worker</th>
          <th class="number">Busy</th>
          <th>Function</th>
          <th>Place</th>
          <th class="number">Self</th>
          <th>of its CPU</th>
        </tr>
      </thead>
      <tbody>
        ${profiles.flatMap((profile) => {
          const functions = profile.functions.slice(0, WORKER_FUNCTIONS);
          const worker = html`<td rowspan="${Math.max(1, functions.length)}">
              ${profile.title === '' ? `worker ${profile.workerId}` : profile.title}
              <code class="quiet">${formatPlace({ file: profile.url, line: 0 }, root)}</code>
            </td>
            <td class="number" rowspan="${Math.max(1, functions.length)}">
              ${formatShare(profile.busyShare)}
            </td>`;
          if (functions.length === 0) {
            return [
              html`<tr>
                ${worker}
                <td colspan="4" class="quiet">nothing sampled</td>
              </tr>`,
            ];
          }
          return functions.map(
            (cost, index) =>
              html`<tr>
                ${index === 0 && worker}
                <td>
                  <code>${formatFunctionName(cost.location.function)}</code>
                </td>
                <td>
                  <code class="quiet"
                    >${formatPlace({ file: cost.location.file, line: cost.hottestLine ?? cost.location.line }, root)}</code
                  >
                </td>
                <td class="number">${formatDurationMs(cost.selfMs)}</td>
                ${shareCell(cost.selfShare)}
              </tr>`,
          );
        })}
      </tbody>
    </table>
  </div>`;
}

function placeCell({ location, via }: ActivityCost, root: string): Markup | string {
  const place = location ?? via;
  if (place === undefined) return '–';
  return html`<code>${formatFunctionName(place.function)}</code>
    <code class="quiet">${formatPlace(place, root)}</code>`;
}

function countOf(count: number | undefined): string {
  return count === undefined ? '–' : formatNumber(count);
}
