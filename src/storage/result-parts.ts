/**
 * The files that a profiling result is stored as (docs/storage.md), written by two writers: the store's own, and the one
 * for a process that exits, which cannot wait for anything.
 *
 * All is checked before any of it is written, so that a result is stored as a whole or not at all; its own file comes
 * last, and nothing is listed without it.
 */
import { readFileSync } from 'node:fs';
import type { ProfilingResult } from '../model/profiling-result.js';
import { writeAtomicSync } from './atomic-file.js';
import { encode } from './documents.js';
import { checkId } from './ids.js';
import { appendJsonLinesSync } from './json-lines.js';
import { dayOf, FOLDERS, type Layout } from './layout.js';
import { pointsOf, type MetricPoint } from './metrics-log.js';

export interface StoredFile {
  readonly path: string;
  readonly text: string;
}

export interface ResultParts {
  /** Recommendations and analysis. */
  readonly before: readonly StoredFile[];
  readonly metrics: { readonly path: string; readonly points: readonly MetricPoint[] };
  /** The result's own. */
  readonly last: StoredFile;
}

/** @throws INVALID_ARGUMENT for what is no result. */
export function partsOf(result: ProfilingResult, layout: Layout): ResultParts {
  const { analysis, recommendations, schemaVersion, createdAt } = result;
  const id = checkId(result.id);
  const hostId = result.environment?.host.id;
  const day = dayOf(createdAt);
  const document = {
    ...result,
    analysis: undefined,
    recommendations: undefined,
    timeline: undefined,
    hostId,
    parts: {
      analysis: `${FOLDERS.analysis}/${id}.json`,
      metrics: `${FOLDERS.metrics}/${day}.ndjson`,
      recommendations: recommendations.map((recommendation) => checkId(recommendation.id)),
    },
  };
  const last = { path: layout.document('result', id), text: encode('result', document) };
  const before = [
    ...recommendations.map((recommendation) => ({
      path: layout.document('recommendation', recommendation.id),
      text: encode('recommendation', { ...recommendation, hostId }),
    })),
    {
      path: layout.document('analysis', id),
      text: encode('analysis', { schemaVersion, id, createdAt, hostId, ...analysis }),
    },
  ];
  return { before, metrics: { path: layout.metrics(day), points: pointsOf(result) }, last };
}

/**
 * Stores a new result at once. Index and retention follow with the next write of any process: the documents are the
 * truth.
 *
 * @param isUnderWay whether the store's own writer has begun with it: its time line may be there, and is then not added again.
 *   Where that write waits in libuv's pool it is there twice in the end; whoever reads it gets each point once (`readPoints`).
 * @throws as `Store.saveResult`.
 */
export function saveResultSync(result: ProfilingResult, layout: Layout, isUnderWay: boolean): void {
  const { before, metrics, last } = partsOf(result, layout);
  for (const { path, text } of before) writeAtomicSync(path, text);
  if (!isUnderWay || !hasPoints(metrics.path, result.id)) appendJsonLinesSync(metrics.path, metrics.points);
  writeAtomicSync(last.path, last.text);
}

function hasPoints(path: string, resultId: string): boolean {
  try {
    return readFileSync(path, 'utf8').includes(`"${resultId}"`);
  } catch {
    return false;
  }
}
