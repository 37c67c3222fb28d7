/** Metrics over time, one point a line. */
import type { ProfilingResult } from '../model/profiling-result.js';
import { appendJsonLines, readJsonLines } from './json-lines.js';

export interface MetricPoint {
  readonly resultId: string;
  readonly hostId: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Milliseconds since the run began; absent on the line that sums the run up. */
  readonly atMs?: number;
  /** Catalogued metric names; only what was available. */
  readonly values: Readonly<Record<string, number>>;
}

/** The time line of a result and one line of its metrics, as points. */
export function pointsOf(result: ProfilingResult): MetricPoint[] {
  const startMs = Date.parse(result.createdAt);
  const common = { resultId: result.id, hostId: result.environment.host.id };
  const points: MetricPoint[] = result.timeline.map(({ atMs, values }) => ({
    ...common,
    at: new Date(startMs + atMs).toISOString(),
    atMs,
    values: finite(Object.entries(values)),
  }));
  const summary = Object.entries(result.metrics).flatMap(([name, metric]): [string, number][] =>
    metric.available ? [[name, metric.value]] : [],
  );
  return [...points, { ...common, at: result.createdAt, values: finite(summary) }];
}

/** JSON has no NaN: a figure that is none is left out of its point. */
function finite(entries: [string, number][]): Record<string, number> {
  return Object.fromEntries(entries.filter(([, value]) => Number.isFinite(value)));
}

/** @throws STORAGE_NOT_WRITABLE, STORAGE_NOT_A_DIRECTORY */
export async function appendPoints(path: string, points: readonly MetricPoint[]): Promise<void> {
  await appendJsonLines(path, points);
}

export interface ReadPoints {
  readonly points: MetricPoint[];
  /** One sentence for each line that was skipped. */
  readonly problems: string[];
}

/**
 * Reads a day's points, or those of one result, each once: an exit that overtakes a write which is under way leaves them
 * twice (result-parts.ts), and no lock can be waited for there. A missing file has none.
 */
export async function readPoints(path: string, resultId?: string): Promise<ReadPoints> {
  const { values, problems } = await readJsonLines<MetricPoint>(path, 'metric point', isPoint);
  const wanted = values.filter((point) => resultId === undefined || point.resultId === resultId);
  // A map keeps the place in which a point was written first.
  const once = new Map(wanted.map((point) => [`${point.resultId} ${point.atMs ?? 'summary'}`, point]));
  return { points: [...once.values()], problems };
}

function isPoint({ resultId, at, values }: Partial<MetricPoint>): boolean {
  return (
    typeof resultId === 'string' && typeof at === 'string' && typeof values === 'object' && values !== null
  );
}
