/**
 * The store: one folder of JSON documents and NDJSON metrics that people can read and diff.
 *
 * A document is one file with a name of its own, written atomically, so any number of processes can write at once.
 * A result is stored in parts (see docs/storage.md); the result's own file is written last, and nothing is listed
 * without it. Reading never writes.
 *
 * This module is on the start-up path of services that read their choices. What writes is imported by the first write.
 */
import { resolve } from 'node:path';
import { describe, fail } from '../errors.js';
import type { MemoryChoice } from '../model/choice.js';
import type { StoredChoice, StoredConfig } from '../model/config.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { StoredComparison } from '../model/comparison.js';
import type { HostProbe } from '../model/host-probe.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Recommendation } from '../model/recommendation.js';
import type { OptimizationStatus, OptimizationType, ProfileType } from '../model/types.js';
import type { Retention } from '../settings/optimizer.js';
import type { ConfigChange } from './config-change.js';
import { readConfig } from './config-file.js';
import { DocumentReader, type StoredDocument } from './document-reader.js';
import { readHostProbe } from './host-file.js';
import { checkId } from './ids.js';
import { byAge, DocumentIndex, type StoredEntry } from './index-file.js';
import {
  checkRoot,
  checkWritable,
  DOCUMENT_KINDS,
  FOLDERS,
  layoutOf,
  type DocumentKind,
  type Layout,
  type RawFormat,
} from './layout.js';
import type { MetricPoint } from './metrics-log.js';
import { optimizationStats, timeOf, type OptimizationStats, type StatsFilter } from './stats.js';

export interface StoreOptions {
  readonly retention?: Retention;
}

export interface ListFilter {
  readonly kind: DocumentKind;
  readonly type?: OptimizationType | ProfileType;
  readonly status?: OptimizationStatus;
  /** Only what was made at or after this time: a Date, or ISO 8601. */
  readonly since?: Date | string;
  /** At most this many, the newest. */
  readonly limit?: number;
}

export type { StoredDocument } from './document-reader.js';

/** Stores a result, with V8's own profile where there is one, before it returns. */
export type SaveAtExit = (
  result: ProfilingResult,
  options?: {
    readonly raw?: { readonly format: RawFormat; readonly profile: unknown } | undefined;
    /** Whether the result itself is stored, so that V8's profile alone is missing. */
    readonly isStored?: boolean;
  },
) => void;

/**
 * Opens a store. Nothing is read or written until it is used; the folder is created by the first write.
 *
 * @param path folder, relative to the working directory of now.
 *
 * @example
 * const store = openStore('data/optimization', { retention: { maxAgeDays: 90 } });
 * await store.saveProfile(profile);
 * store.stats({ type: 'memory' }).gains.geometricMeanSpeedup;
 */
export function openStore(path: string, options: StoreOptions = {}): Store {
  return new Store(path, options);
}

export class Store {
  readonly path: string;
  readonly #layout: Layout;
  readonly #retention: Retention;
  readonly #index: DocumentIndex;
  readonly #reader: DocumentReader;
  readonly #pending = new Set<Promise<unknown>>();
  /** Ids of results that are being written. */
  readonly #saving = new Set<string>();
  #isPathChecked = false;
  #areTempsRemoved = false;
  #isClosed = false;
  /** Index and retention run one at a time: they look at the store as a whole. */
  #upkeep: Promise<void> = Promise.resolve();

  constructor(path: string, { retention = {} }: StoreOptions) {
    if (typeof path !== 'string' || path.trim() === '') {
      throw fail('INVALID_ARGUMENT', {
        name: 'storagePath',
        actual: describe(path),
        expected: 'the path of a directory',
      });
    }
    this.path = resolve(path);
    this.#layout = layoutOf(this.path);
    this.#retention = retention;
    this.#index = new DocumentIndex(this.#layout);
    this.#reader = new DocumentReader(this.path, this.#layout);
  }

  /**
   * Whether the store can be written, as far as permissions tell, before something long is measured for it. Writes
   * nothing.
   *
   * @throws STORAGE_NOT_A_DIRECTORY, STORAGE_NOT_WRITABLE.
   */
  checkWritable(): void {
    checkWritable(this.path);
  }

  /**
   * Stores an optimisation profile, or replaces the one of that id.
   *
   * @throws INVALID_ARGUMENT for what is no profile, STORAGE_NOT_A_DIRECTORY, STORAGE_NOT_WRITABLE.
   */
  saveProfile(profile: OptimizationProfile): Promise<void> {
    return this.#write(async () => {
      await this.#put('profile', profile, profile.environment?.host.id);
      await this.#maintain();
    });
  }

  /** Stores a profiling result with its analysis, recommendations and time series. Throws as `saveProfile`. */
  saveResult(result: ProfilingResult): Promise<void> {
    return this.#write(async () => {
      const [{ partsOf }, { writeAtomic }, { appendPoints }] = await Promise.all([
        import('./result-parts.js'),
        import('./atomic-file.js'),
        import('./metrics-log.js'),
      ]);
      const { before, metrics, last } = partsOf(result, this.#layout);
      const isNew = this.#index.find(result.id) === undefined;
      this.#saving.add(result.id);
      try {
        for (const { path, text } of before) await writeAtomic(path, text);
        if (isNew) await appendPoints(metrics.path, metrics.points);
        await writeAtomic(last.path, last.text);
        await this.#maintain();
      } finally {
        this.#saving.delete(result.id);
      }
    });
  }

  /**
   * Loads what storing a new result takes, so that it can then be done without waiting, by a process that exits: also
   * one that `saveResult` is in the middle of. What is returned throws as `saveResult`, CLOSED after `close`.
   *
   * @internal
   */
  async resultSaverAtExit(): Promise<SaveAtExit> {
    const [{ saveResultSync }, { writeRawProfileSync }] = await Promise.all([
      import('./result-parts.js'),
      import('./raw-profiles.js'),
    ]);
    return (result, { raw, isStored = false } = {}) => {
      this.#use();
      if (!isStored) saveResultSync(result, this.#layout, this.#saving.has(result.id));
      if (raw !== undefined)
        writeRawProfileSync(this.#layout, result.id, raw.format, raw.profile, this.#retention);
    };
  }

  /**
   * Keeps V8's own profile behind a result, for other tools: `raw/<id>.cpuprofile` or `.heapprofile`. Bounded by
   * `retention.maxRawProfiles` and `maxRawBytes`, the oldest go first. Throws as `saveProfile`.
   *
   * @returns whether it is kept: one that alone is larger than `maxRawBytes` is not.
   */
  async saveRawProfile(resultId: string, format: RawFormat, profile: unknown): Promise<boolean> {
    const id = checkId(resultId);
    let isKept = false;
    await this.#write(async () => {
      const { writeRawProfile } = await import('./raw-profiles.js');
      isKept = await writeRawProfile(this.#layout, id, format, profile, this.#retention);
    });
    return isKept;
  }

  /** V8's own profile behind a result, as the text of its file; undefined where none is kept (any more). */
  async rawProfile(resultId: string, format: RawFormat): Promise<string | undefined> {
    this.#use();
    const { readRawProfile } = await import('./raw-profiles.js');
    return readRawProfile(this.#layout, checkId(resultId), format);
  }

  /** Stores a recommendation, or replaces the one of that id (with its outcome, say). Throws as `saveProfile`. */
  saveRecommendation(recommendation: Recommendation): Promise<void> {
    return this.#write(async () => {
      await this.#put('recommendation', recommendation, undefined);
      await this.#maintain();
    });
  }

  /** Stores a comparison that stands on its own. Throws as `saveProfile`. */
  saveComparison(comparison: StoredComparison): Promise<void> {
    return this.#write(async () => {
      await this.#put('comparison', comparison, comparison.comparison?.environment?.host.id);
      await this.#maintain();
    });
  }

  /**
   * A document by its id, whatever its kind, as it was saved.
   *
   * @throws INVALID_ARGUMENT for what is no id, UNKNOWN_ID, DOCUMENT_CORRUPT, DOCUMENT_TOO_NEW.
   */
  async get(id: string): Promise<StoredDocument> {
    this.#use();
    return this.#reader.any(id, this.#index.find(id)?.kind);
  }

  /** Optimisation profile by its id. Throws as `get`, UNKNOWN_ID also where the id is another document's. */
  async getProfile(id: string): Promise<OptimizationProfile> {
    this.#use();
    return (await this.#reader.ofKind('profile', id)) as OptimizationProfile;
  }

  /** Profiling result by its id. Throws as `getProfile`. */
  async getResult(id: string): Promise<ProfilingResult> {
    this.#use();
    return (await this.#reader.ofKind('result', id)) as ProfilingResult;
  }

  /** Recommendation by its id. Throws as `getProfile`. */
  async getRecommendation(id: string): Promise<Recommendation> {
    this.#use();
    return (await this.#reader.ofKind('recommendation', id)) as Recommendation;
  }

  /** Comparison by its id. Throws as `getProfile`. */
  async getComparison(id: string): Promise<StoredComparison> {
    this.#use();
    return (await this.#reader.ofKind('comparison', id)) as StoredComparison;
  }

  /**
   * What is stored of a kind, newest first. Documents that cannot be read are left out; `problems()` names them.
   *
   * @throws INVALID_ARGUMENT for an unknown kind, a `since` that is no time, a negative `limit`.
   */
  list({ kind, type, status, since, limit = Infinity }: ListFilter): StoredEntry[] {
    this.#use();
    if (!DOCUMENT_KINDS.includes(kind)) {
      const expected = `one of ${DOCUMENT_KINDS.join(', ')}`;
      throw fail('INVALID_ARGUMENT', { name: 'kind', actual: describe(kind), expected });
    }
    if (typeof limit !== 'number' || !(limit >= 0)) {
      throw fail('INVALID_ARGUMENT', { name: 'limit', actual: describe(limit), expected: 'a number from 0' });
    }
    const sinceMs = since === undefined ? -Infinity : timeOf(since);
    return this.#index
      .entries(kind)
      .filter((entry) => type === undefined || entry.type === type)
      .filter((entry) => status === undefined || entry.status === status)
      .filter((entry) => Date.parse(entry.createdAt) >= sinceMs)
      .sort(byAge)
      .slice(0, limit);
  }

  /** Time series of a day in UTC (`2026-01-31`), in the order in which it was written, each point once. */
  async metrics(day: string): Promise<MetricPoint[]> {
    this.#use();
    if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) {
      const expected = 'a day, such as 2026-01-31';
      throw fail('INVALID_ARGUMENT', { name: 'day', actual: describe(day), expected });
    }
    return this.#reader.points(this.#layout.metrics(day));
  }

  /**
   * What is in force; null where nothing is yet. Read from the file each time.
   *
   * @throws DOCUMENT_CORRUPT, DOCUMENT_TOO_NEW, STORAGE_NOT_A_DIRECTORY.
   */
  config(): StoredConfig | null {
    this.#use();
    return readConfig(this.#layout);
  }

  /** Records a choice for a subject (`<kind>:<name>`), for this and other processes. Throws as `saveProfile`. */
  setChoice(key: string, stored: StoredChoice): Promise<void> {
    return this.#changeConfig({ subject: { key, stored } });
  }

  /** Records the default of structs and pools that have no choice of their own. Throws as `saveProfile`. */
  setMemoryDefaults(memory: MemoryChoice): Promise<void> {
    return this.#changeConfig({ memory });
  }

  /** Records Node flags that were measured to help, in place of those before. Throws as `saveProfile`. */
  setRuntimeFlags(runtimeFlags: readonly string[]): Promise<void> {
    return this.#changeConfig({ runtimeFlags });
  }

  /** Records further flags; those with the same names give way. Throws as `saveProfile`. */
  addRuntimeFlags(addedRuntimeFlags: readonly string[]): Promise<void> {
    return this.#changeConfig({ addedRuntimeFlags });
  }

  /** Records variables of the environment that were measured to help. Throws as `saveProfile`. */
  addEnvironment(addedEnvironment: Readonly<Record<string, string>>): Promise<void> {
    return this.#changeConfig({ addedEnvironment });
  }

  /**
   * Changes `wisdom.json`, the choices of computations that can be taken along; one process at a time.
   *
   * @param change makes the new content of the present one (undefined where there is none).
   * @throws as `saveProfile`; DOCUMENT_CORRUPT where the present file cannot be read; what `change` throws.
   */
  changeWisdom(change: (earlier: unknown) => object): Promise<void> {
    return this.#write(async () => {
      const { changeWisdom } = await import('./wisdom-file.js');
      await changeWisdom(this.#layout, change);
    });
  }

  /**
   * What a host's memory, clock and calls were measured to cost, by its fingerprint's id; null where they were not, or
   * were by another version. Synchronous: one small file.
   */
  hostProbe(hostId: string): HostProbe | null {
    this.#use();
    return readHostProbe(this.#layout, hostId);
  }

  /** Keeps a host probe, in place of the one before of the same host. Throws as `saveProfile`. */
  saveHostProbe(probe: HostProbe): Promise<void> {
    return this.#write(async () => {
      const { writeAtomic } = await import('./atomic-file.js');
      // Not synced: what a power failure takes is measured again.
      const text = `${JSON.stringify(probe, null, 2)}\n`;
      await writeAtomic(this.#layout.host(probe.host.id), text, { durable: false });
    });
  }

  /** Totals and gains over all stored optimisations, of earlier processes too. Synchronous. */
  stats(filter: StatsFilter = {}): OptimizationStats {
    this.#use();
    return optimizationStats(this.#index.entries('profile'), filter);
  }

  /** Documents and lines that were met and could not be read, one sentence each. */
  problems(): string[] {
    this.#use();
    const problems = [...this.#index.problems(), ...this.#reader.problems];
    try {
      readConfig(this.#layout);
    } catch (error) {
      problems.push((error as Error).message);
    }
    return problems;
  }

  /** Waits for what is being written. Using the store afterwards throws CLOSED. Closing twice is harmless. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#pending);
  }

  #changeConfig(change: ConfigChange): Promise<void> {
    return this.#write(async () => {
      const { changeConfig } = await import('./config-change.js');
      await changeConfig(this.#layout, change);
    });
  }

  async #put(
    kind: 'profile' | 'recommendation' | 'comparison',
    document: OptimizationProfile | Recommendation | StoredComparison,
    hostId: string | undefined,
  ): Promise<void> {
    const id = checkId(document?.id);
    const [{ encode }, { writeAtomic }, { hostFingerprint }] = await Promise.all([
      import('./documents.js'),
      import('./atomic-file.js'),
      import('../host/environment.js'),
    ]);
    // Every file says on which host it was made; some models do not, so reading takes this out again.
    const text = encode(kind, { ...document, hostId: hostId ?? hostFingerprint().id });
    await writeAtomic(this.#layout.document(kind, id), text);
  }

  #write(action: () => Promise<void>): Promise<void> {
    const run = async () => {
      this.#use();
      await this.#removeAbandonedTemps();
      await action();
    };
    const promise = run().finally(() => this.#pending.delete(promise));
    this.#pending.add(promise);
    return promise;
  }

  async #removeAbandonedTemps(): Promise<void> {
    if (this.#areTempsRemoved) return;
    this.#areTempsRemoved = true;
    const { removeAbandonedTemps } = await import('./atomic-file.js');
    const folders = Object.keys(FOLDERS) as (keyof typeof FOLDERS)[];
    const paths = [this.path, ...folders.map((kind) => this.#layout.folder(kind))];
    await Promise.all(paths.map(removeAbandonedTemps));
  }

  /** Retention, then the index. The document itself is stored by now; a config that cannot be read stops pruning only. */
  #maintain(): Promise<void> {
    const run = async () => {
      const { maxAgeDays, maxDocuments } = this.#retention;
      if (maxAgeDays !== undefined || maxDocuments !== undefined) {
        const config = this.#configOrNone();
        if (config !== 'unreadable') {
          const { applyRetention } = await import('./retention.js');
          const entriesOf = (kind: DocumentKind) => this.#index.entries(kind);
          await applyRetention(this.#layout, entriesOf, config, this.#retention);
        }
      }
      await this.#index.persist();
    };
    this.#upkeep = this.#upkeep.then(run, run);
    return this.#upkeep;
  }

  #configOrNone(): StoredConfig | null | 'unreadable' {
    try {
      return readConfig(this.#layout);
    } catch {
      return 'unreadable';
    }
  }

  /** Every use passes here: refuses a closed store, and a path that cannot be a folder. */
  #use(): void {
    if (this.#isClosed) throw fail('CLOSED', { what: 'The store' });
    if (this.#isPathChecked) return;
    checkRoot(this.path);
    this.#isPathChecked = true;
  }
}
