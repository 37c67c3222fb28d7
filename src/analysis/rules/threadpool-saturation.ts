import type { ActivityCost, ActivityKind } from '../../model/signals.js';
import { formatDurationMs, formatNumber } from '../../units.js';
import { activitiesOf, topPlace, total } from '../activity.js';
import { confidenceAbove } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';

const WAIT_MS = 10;
/** The loop's own lateness reaches into the probe where it is great. */
const OVER_LOOP_DELAY = 2;
const COMPUTES: ReadonlySet<ActivityKind> = new Set(['crypto', 'zlib']);
const COMPUTING_CPUS = 0.25;
const COMPUTING_SHARE = 0.1;
const KINDS: readonly (readonly [ActivityKind, string])[] = [
  ['crypto', 'crypto'],
  ['zlib', 'compression'],
  ['dns', 'name look-ups'],
  ['fs', 'file operations'],
];

/** Work waits for one of libuv's threads, all of which are taken: files, names, crypto and compression share them. */
export const threadpoolSaturation: Rule = {
  cause: 'threadpool-saturation',
  evaluate(view) {
    const wait = view.value('pool.queue.wait.p50');
    if (wait === undefined) return { findings: [] };
    const loopDelay = view.value('eventLoop.delay.p50') ?? 0;
    if (wait < WAIT_MS || wait < loopDelay * OVER_LOOP_DELAY) {
      return { findings: [], because: `work waited ${formatDurationMs(wait)} for a thread of the pool` };
    }
    const shares = KINDS.map(([kind, label]) => ({ kind, label, rows: activitiesOf(view, kind) }));
    const threads = view.value('pool.threads') ?? 4;
    const inFlight = shares.flatMap(({ rows }) => rows).reduce((sum, row) => sum + row.maxInFlight, 0);
    const onCpu = view.value('thread.pool.onCpu') ?? 0;
    // On a crowded host a thread of the pool is merely slow to wake.
    if (inFlight < threads && onCpu < threads / 4) {
      return {
        findings: [],
        because: `at most ${formatNumber(inFlight)} operations were in the pool at once`,
      };
    }
    // Where the pool computes, files and names only wait behind what does.
    const all = shares.reduce((sum, { rows }) => sum + total(rows, 'totalMs'), 0);
    const computing = shares.filter(
      ({ kind, rows }) => COMPUTES.has(kind) && total(rows, 'totalMs') >= all * COMPUTING_SHARE,
    );
    const candidates = onCpu >= COMPUTING_CPUS && computing.length > 0 ? computing : shares;
    const [most] = candidates.toSorted((a, b) => held(b.rows) - held(a.rows));
    const isKnown = most !== undefined && held(most.rows) > 0;
    const top = isKnown ? topPlace(most.rows, (row) => held([row])) : undefined;
    const location = top?.location;
    return {
      findings: [
        {
          cause: 'threadpool-saturation',
          severity: wait >= 200 ? 'critical' : wait >= 50 ? 'high' : 'medium',
          confidence: confidenceAbove(wait, WAIT_MS),
          impact: Math.min(1, 0.4 + wait / 250),
          title:
            location === undefined
              ? `Work waits ${formatDurationMs(wait)} for a thread of libuv’s pool`
              : `${top!.name} in ${placeOf(location)} fills libuv’s pool: everything else waits ${formatDurationMs(wait)} for a thread`,
          ...(isKnown
            ? {
                detail: `The pool of ${formatNumber(threads)} threads is taken by ${most.label}.`,
              }
            : {}),
          ...(location === undefined ? {} : { location }),
          evidence: [
            ...view.evidence(
              'pool.queue.wait.p50',
              (value) => `Half of the probes waited ${formatDurationMs(value)} or longer for a thread.`,
              WAIT_MS,
            ),
            ...view.evidence(
              'pool.queue.wait.max',
              (value) => `The longest wait was ${formatDurationMs(value)}.`,
            ),
            ...view.evidence(
              'eventLoop.delay.p50',
              (value) => `The loop itself was only ${formatDurationMs(value)} late.`,
            ),
          ],
        },
      ],
    };
  },
};

/** Time that operations took, and a little for those that did not end in the window. */
function held(rows: readonly ActivityCost[]): number {
  return rows.reduce((sum, { totalMs, maxInFlight }) => sum + totalMs + maxInFlight, 0);
}
