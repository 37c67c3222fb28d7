/**
 * What is stored, without reading every document each time.
 *
 * The documents are the truth; the index is a cache of what lists and statistics need of them. Each entry carries
 * the inode, size and modification time of the file it was read from, as git's index does, so an entry is read
 * again exactly when its document was replaced. index.json saves a new process from reading every document. It
 * may be missing, corrupt, stale or overwritten by a process that saw less: what it lacks is read from the
 * documents, so two writers need no lock and lose nothing.
 */
import { readdirSync, readFileSync, statSync, type Stats } from 'node:fs';
import { OPTIMIZATION_STATUSES, OptimizationType, ProfileType, SCHEMA_VERSION } from '../model/types.js';
import type { OptimizationStatus } from '../model/types.js';
import type { SubjectRef } from '../model/optimization-profile.js';
import type { Severity } from '../model/finding.js';
import { isId } from './ids.js';
import { DOCUMENT_KINDS, type DocumentKind, type Layout } from './layout.js';

/** What the index knows of one document. */
export interface StoredEntry {
  readonly kind: DocumentKind;
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** Optimisation type of a profile, profile type of a result. */
  readonly type?: OptimizationType | ProfileType;
  /** Of a profile. */
  readonly status?: OptimizationStatus;
  readonly subject?: SubjectRef;
  /** Candidate's cost over baseline's, below 1 is better: of a profile that was validated. */
  readonly ratio?: number;
  /** Of a recommendation, and the name of a comparison. */
  readonly title?: string;
  readonly severity?: Severity;
  readonly resultId?: string;
}

interface CachedEntry {
  readonly entry: StoredEntry;
  readonly stamp: string;
}

interface Folder {
  readonly modifiedMs: number;
  /** Whether the folder had been at rest long enough for its modification time to prove later changes. */
  readonly settled: boolean;
  readonly entries: ReadonlyMap<string, CachedEntry>;
  readonly problems: readonly string[];
}

const EMPTY: Folder = { modifiedMs: NaN, settled: false, entries: new Map(), problems: [] };

/** Coarsest modification time of the file systems in use (FAT: 2 s). */
const SETTLING_MS = 2_500;

/** Newest first; ids, which sort by time too, decide within a millisecond. */
export function byAge(a: StoredEntry, b: StoredEntry): number {
  return Date.parse(b.createdAt) - Date.parse(a.createdAt) || (a.id < b.id ? 1 : -1);
}

export class DocumentIndex {
  readonly #layout: Layout;
  readonly #folders = new Map<DocumentKind, Folder>();
  #loaded = new Map<string, CachedEntry>();
  #isLoaded = false;
  #unsaved = false;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Entries of every readable document of a kind, as of now. One stat per folder where nothing changed. */
  entries(kind: DocumentKind): StoredEntry[] {
    return [...this.#refresh(kind).entries.values()].map(({ entry }) => entry);
  }

  find(id: string): StoredEntry | undefined {
    for (const kind of DOCUMENT_KINDS) {
      const found = this.#refresh(kind).entries.get(id);
      if (found) return found.entry;
    }
    return undefined;
  }

  /** What could not be read, one sentence a document. */
  problems(): string[] {
    return DOCUMENT_KINDS.flatMap((kind) => this.#refresh(kind).problems);
  }

  /** Writes index.json where it lacks something. Readers never call this: reading a store changes nothing in it. */
  async persist(): Promise<void> {
    const cached = DOCUMENT_KINDS.flatMap((kind) => [...this.#refresh(kind).entries.values()]);
    if (!this.#unsaved) return;
    this.#unsaved = false;
    const content = { schemaVersion: SCHEMA_VERSION, updatedAt: new Date().toISOString(), documents: cached };
    try {
      const { writeAtomic } = await import('./atomic-file.js');
      await writeAtomic(this.#layout.index, `${JSON.stringify(content)}\n`, { durable: false });
    } catch (error) {
      this.#unsaved = true;
      throw error;
    }
  }

  #refresh(kind: DocumentKind): Folder {
    const path = this.#layout.folder(kind);
    const known = this.#folders.get(kind);
    const scannedAt = Date.now();
    let stat: Stats | undefined;
    let names: string[] = [];
    try {
      stat = statSync(path, { throwIfNoEntry: false });
      if (!stat) return this.#remember(kind, EMPTY);
      if (known?.settled && known.modifiedMs === stat.mtimeMs) return known;
      names = readdirSync(path);
    } catch (error) {
      const problem = `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      return this.#remember(kind, { ...EMPTY, problems: [problem] });
    }

    this.#load();
    const entries = new Map<string, CachedEntry>();
    const problems: string[] = [];
    for (const name of names) {
      const id = name.endsWith('.json') ? name.slice(0, -'.json'.length) : '';
      if (!isId(id)) continue;
      const file = this.#layout.document(kind, id);
      const fileStat = statSync(file, { throwIfNoEntry: false });
      if (!fileStat) continue; // Removed since the folder was read.
      const stamp = stampOf(fileStat);
      const cached = known?.entries.get(id) ?? this.#loaded.get(id);
      if (cached?.stamp === stamp && cached.entry.kind === kind) {
        entries.set(id, cached);
        continue;
      }
      const read = readEntry(kind, id, file);
      if (typeof read === 'string') {
        problems.push(read);
        continue;
      }
      this.#unsaved = true;
      entries.set(id, { entry: read, stamp });
    }
    if (entries.size !== (known?.entries.size ?? 0)) this.#unsaved = true;
    const settled = scannedAt - stat.mtimeMs > SETTLING_MS;
    return this.#remember(kind, { modifiedMs: stat.mtimeMs, settled, entries, problems });
  }

  #remember(kind: DocumentKind, folder: Folder): Folder {
    this.#folders.set(kind, folder);
    return folder;
  }

  /** Reads index.json once. Whatever is wrong with it is left out and read from the documents instead. */
  #load(): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    try {
      const content = JSON.parse(readFileSync(this.#layout.index, 'utf8')) as {
        schemaVersion?: unknown;
        documents?: unknown;
      };
      if (content.schemaVersion !== SCHEMA_VERSION || !Array.isArray(content.documents)) return;
      for (const item of content.documents as unknown[]) {
        const { entry, stamp } = (item ?? {}) as Partial<CachedEntry>;
        if (!entry || typeof stamp !== 'string' || !isId(entry.id)) continue;
        const checked = entryFrom(entry.kind, entry as unknown as Record<string, unknown>);
        if (typeof checked !== 'string') this.#loaded.set(checked.id, { entry: checked, stamp });
      }
    } catch {
      this.#loaded = new Map();
    }
  }
}

function stampOf({ ino, size, mtimeMs }: Stats): string {
  return `${ino}:${size}:${mtimeMs}`;
}

/** The entry of a document, or a sentence that says why there is none. */
function readEntry(kind: DocumentKind, id: string, file: string): StoredEntry | string {
  let document: Record<string, unknown>;
  try {
    document = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    return `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (typeof document !== 'object' || document === null) return `${file} holds no object.`;
  if (document['id'] !== id) return `${file} holds another document (its id is ${String(document['id'])}).`;
  const version = document['schemaVersion'];
  if (typeof version === 'number' && version > SCHEMA_VERSION) {
    return `${file} has schema version ${version}; this version reads up to ${SCHEMA_VERSION}.`;
  }
  const validation = document['validation'] as { ratio?: unknown } | null | undefined;
  const entry = entryFrom(kind, { ...document, ratio: validation?.ratio });
  return typeof entry === 'string' ? `${file}: ${entry}` : entry;
}

/** Checks by hand: this runs synchronously, and on a service's start-up path, where zod is not loaded. */
function entryFrom(kind: DocumentKind, fields: Record<string, unknown>): StoredEntry | string {
  const { id, createdAt, type, status, subject, ratio, title, severity, resultId, name } = fields;
  if (typeof id !== 'string') return 'its id is missing';
  if (typeof createdAt !== 'string' || Number.isNaN(Date.parse(createdAt))) {
    return 'its createdAt is no point in time';
  }
  const base = { kind, id, createdAt };
  switch (kind) {
    case 'profile': {
      const { kind: subjectKind, name: subjectName } = (subject ?? {}) as Record<string, unknown>;
      if (!(Object.values(OptimizationType) as unknown[]).includes(type)) return 'its type is unknown';
      if (!(OPTIMIZATION_STATUSES as unknown[]).includes(status)) return 'its status is unknown';
      if (typeof subjectKind !== 'string' || typeof subjectName !== 'string') return 'its subject is missing';
      return {
        ...base,
        type: type as OptimizationType,
        status: status as OptimizationStatus,
        subject: { kind: subjectKind as SubjectRef['kind'], name: subjectName },
        ...(typeof ratio === 'number' && ratio > 0 && { ratio }),
      };
    }
    case 'result':
      if (!(Object.values(ProfileType) as unknown[]).includes(type)) return 'its type is unknown';
      return { ...base, type: type as ProfileType };
    case 'recommendation':
      if (typeof title !== 'string' || typeof resultId !== 'string') return 'its title or result is missing';
      return { ...base, title, resultId, severity: severity as Severity };
    case 'comparison':
      if (typeof name !== 'string') return 'its name is missing';
      return { ...base, title: name };
    default:
      return 'its kind is unknown';
  }
}
