import type { ActivityCost, ActivityKind, SerialAwait } from '../../model/signals.js';
import { formatDurationMs, formatNumber, formatShare } from '../../units.js';
import { activitiesOf, total, waitingShare } from '../activity.js';
import { confidenceAbove } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { RankedFinding, Rule } from '../rule.js';
import type { SignalView } from '../signal-view.js';

/** Asking, by its nature. A request that changes something may have to come before the next. */
const READS =
  /^(GET|HEAD|exchange|setTimeout|timers\.|dns\.|look-up|fs\.(promises\.)?(read|stat|lstat|access|opendir|realpath)|FileHandle\.read)/;
const KINDS: readonly ActivityKind[] = ['http', 'socket', 'dns', 'fs', 'timer'];
const LEAST_MS = 2;
/** Below this factor over what the loop and the pool make everything wait, a call is not what takes long. */
const OVER_DELAY = 2;
const SHARE = 0.15;
const SAVING = 0.25;
const LEAST_ROUNDS = 3;

/** Calls awaited one after the other of which none needs another's result. */
export const serialAwaits: Rule = {
  cause: 'serial-awaits',
  evaluate(view) {
    if (view.signals.activities === undefined) return { findings: [] };
    const groups = new Map<string, ActivityCost[]>();
    for (const activity of activitiesOf(view, ...KINDS)) {
      const { serialIn, name, p50Ms } = activity;
      if (serialIn === undefined || p50Ms < leastMs(view, activity.kind) || !READS.test(name)) continue;
      const key = `${serialIn.location.file}:${serialIn.functionLine}`;
      const rows = groups.get(key);
      if (rows === undefined) groups.set(key, [activity]);
      else rows.push(activity);
    }
    const found = [...groups.values()]
      .map((rows) => finding(view, rows))
      .filter((each): each is RankedFinding => each !== null);
    if (found.length > 0) return { findings: found };
    return { findings: [], because: 'no function awaits calls in turn that could run together' };
  },
};

function leastMs(view: SignalView, kind: ActivityKind): number {
  const delay = view.value('eventLoop.delay.p50') ?? 0;
  const pool = kind === 'fs' || kind === 'dns' ? (view.value('pool.queue.wait.p50') ?? 0) : 0;
  return Math.max(LEAST_MS, Math.max(delay, pool) * OVER_DELAY);
}

function finding(view: SignalView, rows: readonly ActivityCost[]): RankedFinding | null {
  const lines = new Map<number, { ms: number; shape: SerialAwait['shape'] }>();
  for (const { serialIn, totalMs } of rows) {
    const { line } = serialIn!.location;
    lines.set(line, { ms: (lines.get(line)?.ms ?? 0) + totalMs, shape: serialIn!.shape });
  }
  const isLoop = [...lines.values()].some(({ shape }) => shape === 'loop');
  if (!isLoop && lines.size < 2) return null;
  const totalMs = total(rows, 'totalMs');
  const longest = Math.max(...[...lines.values()].map(({ ms }) => ms));
  // Run together, they take as long as the longest; a loop's rounds are many, so that most of it goes.
  const saving = isLoop ? 0.7 : 1 - longest / totalMs;
  const share = waitingShare(view, totalMs);
  const count = total(rows, 'count');
  if (saving < SAVING || share < SHARE || count < LEAST_ROUNDS * lines.size) return null;
  const [first] = rows.toSorted((a, b) => a.serialIn!.location.line - b.serialIn!.location.line);
  const { location } = first!.serialIn!;
  const what = isLoop ? 'one item after the other' : `${lines.size} calls one after the other`;
  return {
    cause: 'serial-awaits',
    severity: share * saving >= 0.4 ? 'high' : 'medium',
    confidence: Math.min(confidenceAbove(share, SHARE), confidenceAbove(saving, SAVING / 2)),
    impact: Math.min(1, share * saving * 1.5),
    title: `${placeOf(location)} awaits ${what}, and none needs another’s result`,
    detail: `Started together, they could take ${formatShare(1 - saving)} of the time that they take now.`,
    location,
    evidence: [
      {
        metric: 'serial.waitingShare',
        value: share,
        unit: 'ratio',
        threshold: SHARE,
        statement: `These waits make up ${formatShare(share)} of the time that the program’s answers take.`,
      },
      {
        metric: 'serial.wait',
        value: totalMs / count,
        unit: 'ms',
        statement: `${formatNumber(count)} calls took ${formatDurationMs(totalMs / count)} each.`,
      },
    ],
  };
}
