/** What the rules about waiting ask of the traced operations. */
import type { ActivityCost, ActivityKind } from '../model/signals.js';
import type { SignalView } from './signal-view.js';

export function activitiesOf(view: SignalView, ...kinds: readonly ActivityKind[]): readonly ActivityCost[] {
  return (view.signals.activities ?? []).filter(({ kind }) => kinds.includes(kind));
}

/** The place with the most of something; undefined where there is none with a location. */
export function topPlace(
  activities: readonly ActivityCost[],
  by: (activity: ActivityCost) => number = ({ totalMs }) => totalMs,
): ActivityCost | undefined {
  return activities
    .filter(({ location }) => location !== undefined)
    .reduce<ActivityCost | undefined>(
      (most, next) => (most === undefined || by(next) > by(most) ? next : most),
      undefined,
    );
}

/** Sums by target, greatest total time first. */
export function byTarget(activities: readonly ActivityCost[]): { target: string; rows: ActivityCost[] }[] {
  const groups = new Map<string, ActivityCost[]>();
  for (const row of activities) {
    const target = row.target ?? '';
    const rows = groups.get(target);
    if (rows === undefined) groups.set(target, [row]);
    else rows.push(row);
  }
  return [...groups]
    .map(([target, rows]) => ({ target, rows }))
    .sort((a, b) => total(b.rows, 'totalMs') - total(a.rows, 'totalMs'));
}

export function total(rows: readonly ActivityCost[], key: 'count' | 'totalMs' | 'errors' | 'bytes'): number {
  return rows.reduce((sum, row) => sum + row[key], 0);
}

/** Median over several places: each place's own, weighed by how often it was passed. */
export function median(rows: readonly ActivityCost[]): number {
  const sorted = rows.toSorted((a, b) => a.p50Ms - b.p50Ms);
  let left = total(rows, 'count') / 2;
  for (const { p50Ms, count } of sorted) {
    left -= count;
    if (left <= 0) return p50Ms;
  }
  return 0;
}

/**
 * How much of the program's time goes by in waits of this total length, 0 to 1: of the time that it takes to answer
 * requests where it serves any, else of the window.
 */
export function waitingShare(view: SignalView, totalMs: number): number {
  const served = activitiesOf(view, 'http-server');
  const servedMs = total(served, 'totalMs');
  const whole = servedMs > 0 ? servedMs : view.signals.durationMs;
  return Math.min(1, totalMs / whole);
}
