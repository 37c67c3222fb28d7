/** Where in a store's folder what is kept. */
import { join } from 'node:path';

/** Kinds of documents that can be listed and got by id. */
export type DocumentKind = 'profile' | 'result' | 'recommendation' | 'comparison';

export const DOCUMENT_KINDS: readonly DocumentKind[] = ['profile', 'result', 'recommendation', 'comparison'];

export const FOLDERS: Readonly<Record<DocumentKind | 'analysis' | 'metrics', string>> = {
  profile: 'profiles',
  result: 'results',
  recommendation: 'recommendations',
  comparison: 'comparisons',
  analysis: 'analysis',
  metrics: 'metrics',
};

export interface Layout {
  readonly root: string;
  readonly config: string;
  readonly index: string;
  folder(kind: keyof typeof FOLDERS): string;
  document(kind: DocumentKind | 'analysis', id: string): string;
  /** NDJSON file of a day in UTC, `2026-01-31`. */
  metrics(day: string): string;
}

export function layoutOf(root: string): Layout {
  const folder = (kind: keyof typeof FOLDERS) => join(root, FOLDERS[kind]);
  return {
    root,
    config: join(root, 'config.json'),
    index: join(root, 'index.json'),
    folder,
    document: (kind, id) => join(folder(kind), `${id}.json`),
    metrics: (day) => join(folder('metrics'), `${day}.ndjson`),
  };
}
