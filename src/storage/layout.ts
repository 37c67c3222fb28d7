/** Where in a store's folder what is kept. */
import { accessSync, constants, statSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, fail } from '../errors.js';
import { corrupt, writeError } from './storage-error.js';

/** Kinds of documents that can be listed and got by id. */
export type DocumentKind = 'profile' | 'result' | 'recommendation' | 'comparison';

export const DOCUMENT_KINDS: readonly DocumentKind[] = ['profile', 'result', 'recommendation', 'comparison'];

export const FOLDERS: Readonly<Record<DocumentKind | 'analysis' | 'metrics' | 'host' | 'raw', string>> = {
  profile: 'profiles',
  result: 'results',
  recommendation: 'recommendations',
  comparison: 'comparisons',
  analysis: 'analysis',
  metrics: 'metrics',
  host: 'hosts',
  raw: 'raw',
};

/** Formats of V8's own profiles, which are their files' endings. */
export const RAW_FORMATS = ['cpuprofile', 'heapprofile'] as const;
export type RawFormat = (typeof RAW_FORMATS)[number];

export interface Layout {
  readonly root: string;
  readonly config: string;
  readonly index: string;
  /** Choices of computations as wisdom, to be taken along. */
  readonly wisdom: string;
  folder(kind: keyof typeof FOLDERS): string;
  document(kind: DocumentKind | 'analysis', id: string): string;
  /** NDJSON file of a day in UTC, `2026-01-31`. */
  metrics(day: string): string;
  /** What a host's memory and calls were measured to cost. */
  host(hostId: string): string;
  /** V8's own profile behind a result. */
  raw(resultId: string, format: RawFormat): string;
}

export function layoutOf(root: string): Layout {
  const folder = (kind: keyof typeof FOLDERS) => join(root, FOLDERS[kind]);
  return {
    root,
    config: join(root, 'config.json'),
    index: join(root, 'index.json'),
    wisdom: join(root, 'wisdom.json'),
    folder,
    document: (kind, id) => join(folder(kind), `${id}.json`),
    metrics: (day) => join(folder('metrics'), `${day}.ndjson`),
    host: (hostId) => join(folder('host'), `${hostId}.json`),
    raw: (resultId, format) => join(folder('raw'), `${resultId}.${format}`),
  };
}

/** @throws STORAGE_NOT_A_DIRECTORY where the path, or a part of it, is a file. A path that does not exist is fine. */
export function checkRoot(root: string): void {
  for (let path = root; ; path = dirname(path)) {
    const stat = statOf(path);
    if (stat?.isDirectory()) return;
    if (stat) throw fail('STORAGE_NOT_A_DIRECTORY', { path: root });
  }
}

/**
 * Whether a store can be written, as far as its permissions tell; writes nothing itself. For what takes long to measure.
 *
 * @throws STORAGE_NOT_A_DIRECTORY, STORAGE_NOT_WRITABLE
 */
export function checkWritable(root: string): void {
  checkRoot(root);
  let nearest = root;
  while (statOf(nearest) === undefined) nearest = dirname(nearest);
  const folders = nearest === root ? Object.values(FOLDERS).map((folder) => join(root, folder)) : [];
  for (const path of [nearest, ...folders]) {
    if (statOf(path) === undefined) continue;
    try {
      accessSync(path, constants.W_OK | constants.X_OK);
    } catch (error) {
      throw writeError(path, error);
    }
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // The nearest part of the path that exists is what tells whether it is a file in the way.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw corrupt(path, error);
  }
}

/** Day in UTC of a time, `2026-01-31`. @throws INVALID_ARGUMENT */
export function dayOf(createdAt: string): string {
  const time = new Date(createdAt);
  if (!Number.isNaN(time.getTime())) return time.toISOString().slice(0, 10);
  const expected = 'a time in ISO 8601';
  throw fail('INVALID_ARGUMENT', { name: 'createdAt', actual: describe(createdAt), expected });
}
