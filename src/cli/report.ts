import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { captureEnvironment } from '../host/environment.js';
import type { StoredComparison } from '../model/comparison.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import { formatCount } from '../report/format.js';
import { renderHtml } from '../report/html.js';
import { renderMarkdown } from '../report/markdown.js';
import type { Store } from '../storage/store.js';
import { UsageError } from './exit-code.js';
import { writeOutput } from './output-file.js';
import {
  isStackFormat,
  renderStacks,
  resultForStacks,
  stacksFileName,
  type StackFormat,
} from './report-stacks.js';
import type { Session, VerbOutcome } from './session.js';
import { readStorage } from './store.js';
import type { Terminal } from './terminal.js';

export interface ReportVerbOptions {
  readonly storage: string;
  readonly result?: string;
  /** An older result to hold it against. */
  readonly against?: string;
  readonly out?: string;
  readonly format: 'html' | 'markdown' | StackFormat;
}

/** More rows than this make a table that nobody reads. */
const MAX_PROFILES = 60;

/**
 * `sysopt report`: one static file over what is stored. Without `--result`, the newest result of each type; of
 * optimisations, the newest for each subject. The formats of other tools hold the stacks of one result.
 */
export async function reportVerb(options: ReportVerbOptions, { terminal }: Session): Promise<VerbOutcome> {
  if (options.out === undefined && !existsSync(options.storage)) {
    throw new UsageError(
      `There is no store at ${resolve(options.storage)}, so there is nothing to report and nowhere to write it.`,
      'Give another with --storage, fill it with sysopt profile, or name the file with --out.',
    );
  }
  checkAgainst(options);
  const store = readStorage(options.storage, terminal);
  if (isStackFormat(options.format)) return stacksVerb(store, options, options.format, terminal);
  const against = options.against === undefined ? undefined : await store.getResult(options.against);
  const results =
    options.result === undefined
      ? await newestResults(store, terminal)
      : [await store.getResult(options.result)];
  const profiles = await newestProfiles(store, terminal);
  const comparisons = await newestComparisons(store, terminal);
  const environment = captureEnvironment();
  const hostProbe = store.hostProbe(environment.host.id);
  const input = {
    results: against === undefined ? results : [newer(results, against)],
    ...(against && { against }),
    profiles,
    comparisons,
    stats: store.stats(),
    environment,
    createdAt: new Date().toISOString(),
    ...(hostProbe !== null && { hostProbe }),
  };
  await store.close();

  const text = options.format === 'html' ? renderHtml(input) : renderMarkdown(input);
  const summary = { results: results.map(({ id }) => id), profiles: profiles.map(({ id }) => id) };
  if (options.out === '-') {
    // With --json, standard output belongs to the result.
    if (terminal.json) return { result: { file: null, text, ...summary } };
    terminal.print(text.trimEnd());
    return { result: null };
  }
  const name = options.format === 'html' ? 'report.html' : 'report.md';
  const file = resolve(options.out ?? join(options.storage, name));
  await writeOutput(file, text, '--out');
  terminal.print(
    `Wrote ${file} (${formatCount(results.length, 'result')}, ${formatCount(profiles.length, 'optimisation')}).`,
  );
  if (options.format === 'html') terminal.print(terminal.style('dim', `Open ${pathToFileURL(file).href}`));
  return { result: { file, ...summary } };
}

function checkAgainst({ against, format }: ReportVerbOptions): void {
  if (against === undefined || format === 'html') return;
  throw new UsageError('--against is drawn in HTML alone.', 'Leave out --format.');
}

/** The result that an older one is held against: the given one, or the newest of the older one's type. */
function newer(results: readonly ProfilingResult[], against: ProfilingResult): ProfilingResult {
  const result = results.find(({ type, id }) => type === against.type && id !== against.id);
  if (result !== undefined && result.callTree !== null && against.callTree !== null) return result;
  throw new UsageError(
    `There is no other ${against.type} result with a call tree to hold ${against.id} against.`,
    'Name it with --result; sysopt stats lists what is stored.',
  );
}

async function stacksVerb(
  store: Store,
  options: ReportVerbOptions,
  format: StackFormat,
  terminal: Terminal,
): Promise<VerbOutcome> {
  if (format === 'pprof' && options.out === '-') {
    throw new UsageError('pprof is binary and goes to a file.', 'Name one: --out profile.pb.gz');
  }
  let result: ProfilingResult;
  let rendered: string | Uint8Array;
  try {
    result = await resultForStacks(store, format, options.result);
    rendered = await renderStacks(store, result, format);
  } finally {
    await store.close();
  }
  const summary = { results: [result.id], profiles: [] };
  if (options.out === '-') {
    const text = String(rendered);
    if (terminal.json) return { result: { file: null, text, ...summary } };
    terminal.print(text.trimEnd());
    return { result: null };
  }
  const file = resolve(options.out ?? join(options.storage, stacksFileName(result, format)));
  await writeOutput(file, rendered, '--out');
  terminal.print(`Wrote ${file} (${result.id}).`);
  return { result: { file, ...summary } };
}

async function newestResults(store: Store, terminal: Terminal): Promise<ProfilingResult[]> {
  const newest = new Map<string, string>();
  for (const entry of store.list({ kind: 'result' })) {
    const type = entry.type ?? '';
    if (!newest.has(type)) newest.set(type, entry.id);
  }
  return readable([...newest.values()], (id) => store.getResult(id), terminal);
}

async function newestProfiles(store: Store, terminal: Terminal): Promise<OptimizationProfile[]> {
  const newest = new Map<string, string>();
  for (const entry of store.list({ kind: 'profile' })) {
    const key = [entry.type, entry.subject?.kind, entry.subject?.name].join(' ');
    if (!newest.has(key)) newest.set(key, entry.id);
  }
  return readable([...newest.values()].slice(0, MAX_PROFILES), (id) => store.getProfile(id), terminal);
}

async function newestComparisons(store: Store, terminal: Terminal): Promise<StoredComparison[]> {
  const newest = new Map<string, string>();
  for (const { title = '', id } of store.list({ kind: 'comparison' })) {
    if (!newest.has(title)) newest.set(title, id);
  }
  return readable([...newest.values()].slice(0, MAX_PROFILES), (id) => store.getComparison(id), terminal);
}

/** The documents that can be read. One that cannot must not hide the others. */
async function readable<T>(
  ids: readonly string[],
  get: (id: string) => Promise<T>,
  terminal: Terminal,
): Promise<T[]> {
  const documents: T[] = [];
  for (const id of ids) {
    try {
      documents.push(await get(id));
    } catch (error) {
      terminal.warn(error instanceof Error ? error.message : String(error));
    }
  }
  return documents;
}
