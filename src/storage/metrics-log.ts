/**
 * Time series, one JSON object a line. Lines are only ever appended, each batch by one write, so processes that
 * append at once interleave whole batches. A line that a dying writer left unfinished is skipped and reported.
 */
import fs from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ProfilingResult } from '../model/profiling-result.js';
import { writeError } from './storage-error.js';
import { makeFolder } from './make-folder.js';

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
  if (points.length === 0) return;
  const lines = points.map((point) => `${JSON.stringify(point)}\n`).join('');
  try {
    await makeFolder(dirname(path));
    const file = await fs.open(path, 'a+');
    try {
      // After a torn line, a line break keeps the first new point from being lost with it.
      const prefix = (await endsInsideLine(file)) ? '\n' : '';
      await file.appendFile(prefix + lines, 'utf8');
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw writeError(path, error);
  }
}

async function endsInsideLine(file: fs.FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const last = new Uint8Array(1);
  await file.read(last, 0, 1, size - 1);
  return last[0] !== 0x0a;
}

export interface ReadPoints {
  readonly points: MetricPoint[];
  /** One sentence for each line that was skipped. */
  readonly problems: string[];
}

/** Reads a day's points, or those of one result. A missing file has none. */
export async function readPoints(path: string, resultId?: string): Promise<ReadPoints> {
  const points: MetricPoint[] = [];
  const problems: string[] = [];
  let text: string;
  try {
    text = await fs.readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') problems.push(`${path}: ${String(error)}`);
    return { points, problems };
  }
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    if (line === '') continue;
    const point = parsePoint(line);
    if (!point) {
      const torn = i === lines.length - 1 ? ' (its writer stopped inside it)' : '';
      problems.push(`${path}: line ${i + 1} was skipped, it is no metric point${torn}.`);
    } else if (resultId === undefined || point.resultId === resultId) {
      points.push(point);
    }
  }
  return { points, problems };
}

function parsePoint(line: string): MetricPoint | undefined {
  try {
    const point = JSON.parse(line) as Partial<MetricPoint> | null;
    const { resultId, at, values } = point ?? {};
    const valid = typeof resultId === 'string' && typeof at === 'string' && typeof values === 'object';
    return valid && values !== null ? (point as MetricPoint) : undefined;
  } catch {
    return undefined;
  }
}
