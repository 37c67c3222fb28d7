/**
 * Reads what is stored by its id: one file for most kinds; a result is put together again from its parts
 * (docs/storage.md). Never writes.
 */
import fs from 'node:fs/promises';
import { fail, OptimizerError } from '../errors.js';
import type { StoredComparison } from '../model/comparison.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { Analysis, ProfilingResult } from '../model/profiling-result.js';
import type { Recommendation } from '../model/recommendation.js';
import { checkId } from './ids.js';
import { dayOf, DOCUMENT_KINDS, type DocumentKind, type Layout } from './layout.js';
import type { MetricPoint } from './metrics-log.js';
import { corrupt } from './storage-error.js';

export type StoredDocument = OptimizationProfile | ProfilingResult | Recommendation | StoredComparison;

export class DocumentReader {
  readonly #root: string;
  readonly #layout: Layout;
  readonly #problems = new Set<string>();

  /** @param root the store's folder, for errors. */
  constructor(root: string, layout: Layout) {
    this.#root = root;
    this.#layout = layout;
  }

  /** Lines that were met and could not be read, one sentence each. */
  get problems(): ReadonlySet<string> {
    return this.#problems;
  }

  /**
   * A document of any kind.
   *
   * @param indexed its kind where the index knows it.
   * @throws INVALID_ARGUMENT for what is no id, UNKNOWN_ID, DOCUMENT_CORRUPT, DOCUMENT_TOO_NEW.
   */
  async any(id: string, indexed: DocumentKind | undefined): Promise<StoredDocument> {
    checkId(id);
    const kind = indexed ?? (await this.#kindOf(id));
    if (!kind) throw this.#unknown('stored document', id);
    return this.ofKind(kind, id);
  }

  /** A document of one kind. Throws as `any`. */
  async ofKind(kind: DocumentKind, id: string): Promise<StoredDocument> {
    checkId(id);
    return kind === 'result' ? this.#result(id) : this.#read<StoredDocument>(kind, id);
  }

  /** The points of a file of metrics, or those of one result in it. */
  async points(path: string, resultId?: string): Promise<MetricPoint[]> {
    const { readPoints } = await import('./metrics-log.js');
    const { points, problems } = await readPoints(path, resultId);
    for (const problem of problems) this.#problems.add(problem);
    return points;
  }

  async #result(id: string): Promise<ProfilingResult> {
    type Parts = { parts: { metrics: string; recommendations: string[] } };
    const { parts, ...result } = await this.#read<ProfilingResult & Parts>('result', id);
    const { findings, ruledOut, summary } = await this.#read<Analysis>('analysis', id);
    const warnings = [...result.warnings];
    const recommendations: Recommendation[] = [];
    for (const recommendation of parts.recommendations) {
      try {
        recommendations.push(await this.#read<Recommendation>('recommendation', checkId(recommendation)));
      } catch (error) {
        if (!(error instanceof OptimizerError)) throw error;
        warnings.push(`A recommendation is left out: ${error.message}`);
      }
    }
    const points = await this.points(this.#layout.metrics(dayOf(result.createdAt)), id);
    const timeline = points.flatMap(({ atMs, values }) => (atMs === undefined ? [] : [{ atMs, values }]));
    return { ...result, timeline, analysis: { findings, ruledOut, summary }, recommendations, warnings };
  }

  async #read<T>(kind: DocumentKind | 'analysis', id: string): Promise<T> {
    const path = this.#layout.document(kind, id);
    let text: string;
    try {
      text = await fs.readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw corrupt(path, error);
      throw this.#unknown(kind, id, error);
    }
    const { decode } = await import('./documents.js');
    const document = decode(kind, path, text);
    delete document['hostId'];
    return document as T;
  }

  /** Kind of a document that the index left out because it cannot be read: reading it then says why. */
  async #kindOf(id: string): Promise<DocumentKind | undefined> {
    for (const kind of DOCUMENT_KINDS) {
      const stat = await fs.stat(this.#layout.document(kind, id)).catch(() => null);
      if (stat) return kind;
    }
    return undefined;
  }

  #unknown(what: string, id: string, cause?: unknown): Error {
    const remedy = 'List what is stored with `sysopt stats`.';
    return fail('UNKNOWN_ID', { what, id, where: this.#root, remedy }, cause === undefined ? {} : { cause });
  }
}
