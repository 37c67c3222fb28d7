/** Which stored documents have outlived their time, and their removal. */
import fs from 'node:fs/promises';
import type { StoredConfig } from '../model/config.js';
import type { Retention } from '../settings/optimizer.js';
import { byAge, type StoredEntry } from './index-file.js';
import { RAW_FORMATS, type DocumentKind, type Layout } from './layout.js';

const DAY_MS = 86_400_000;
/** A recommendation younger than this may belong to a result that is being written: its result comes last. */
const ORPHANED_MS = 60 * 60 * 1000;

/**
 * Entries of one kind that age or number exclude. The newest are kept.
 *
 * @param keep ids that are in use and stay whatever their age.
 */
export function outlived(
  entries: readonly StoredEntry[],
  { maxAgeDays = Infinity, maxDocuments = Infinity }: Retention,
  keep: ReadonlySet<string>,
  nowMs: number,
): StoredEntry[] {
  const newestFirst = [...entries].sort(byAge);
  return newestFirst.filter(
    ({ id, createdAt }, rank) =>
      !keep.has(id) && (rank >= maxDocuments || nowMs - Date.parse(createdAt) > maxAgeDays * DAY_MS),
  );
}

/**
 * Removes what has outlived its time. A result takes its analysis and recommendations with it, and a day's
 * metrics go with the last result of that day. Profiles whose choice is in force stay.
 */
export async function applyRetention(
  layout: Layout,
  entriesOf: (kind: DocumentKind) => readonly StoredEntry[],
  config: StoredConfig | null,
  retention: Retention,
  nowMs = Date.now(),
): Promise<void> {
  const inForce = new Set(Object.values(config?.subjects ?? {}).map(({ profileId }) => profileId));
  const results = outlived(entriesOf('result'), retention, new Set(), nowMs);
  const gone = new Set(results.map(({ id }) => id));
  const keptResults = entriesOf('result').filter(({ id }) => !gone.has(id));
  const kept = new Set(keptResults.map(({ id }) => id));

  const recommendations = entriesOf('recommendation');
  const orphans = recommendations.filter(
    ({ resultId, createdAt }) => !kept.has(resultId ?? '') && nowMs - Date.parse(createdAt) > ORPHANED_MS,
  );
  const files = [
    ...outlived(entriesOf('profile'), retention, inForce, nowMs).map(({ id }) =>
      layout.document('profile', id),
    ),
    ...outlived(entriesOf('comparison'), retention, new Set(), nowMs).map(({ id }) =>
      layout.document('comparison', id),
    ),
    ...results.flatMap(({ id }) => [
      layout.document('result', id),
      layout.document('analysis', id),
      ...RAW_FORMATS.map((format) => layout.raw(id, format)),
    ]),
    ...recommendations
      .filter(({ resultId }) => gone.has(resultId ?? ''))
      .concat(outlived(orphans, retention, new Set(), nowMs))
      .map(({ id }) => layout.document('recommendation', id)),
  ];
  if (results.length > 0) {
    const lost = new Set(results.map(({ createdAt }) => createdAt.slice(0, 10)));
    for (const { createdAt } of keptResults) lost.delete(createdAt.slice(0, 10));
    files.push(...[...lost].map((day) => layout.metrics(day)));
  }
  await Promise.all([...new Set(files)].map((file) => fs.rm(file, { force: true })));
}
