import { basename } from 'node:path';
import { captureEnvironment } from '../host/environment.js';
import type { Verdict } from '../model/comparison.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import { OptimizationType, SCHEMA_VERSION, type OptimizationStatus } from '../model/types.js';
import { newId } from '../storage/ids.js';
import type { Store } from '../storage/store.js';
import { compare } from '../validation/compare.js';
import { UsageError } from './exit-code.js';
import { printComparison } from './print-profiles.js';
import { readLoad } from './load-file.js';
import type { Session } from './session.js';

/** A change to how a program is started. */
export type StartChange = { readonly flag: string } | { readonly variable: string; readonly value: string };

/** As it stands on a command line. */
export function startText(change: StartChange): string {
  return 'flag' in change ? change.flag : `${change.variable}=${change.value}`;
}

export interface TryStartOptions {
  readonly url?: string;
  /** File with a mix of requests; see load-file.ts. */
  readonly load?: string;
  readonly connections: number;
  readonly readyTimeoutMs: number;
  readonly budgetMs?: number;
}

/**
 * Compares a service with and without a change to how it is started, under load. What wins is recorded in `config.json`;
 * whoever starts the service sets it, because no running process can take it over.
 */
export async function tryStart(
  change: StartChange,
  command: readonly string[],
  options: TryStartOptions,
  store: Store,
  session: Session,
): Promise<OptimizationProfile> {
  const { terminal, signal } = session;
  const url = options.url ?? '';
  const requests = options.load === undefined ? undefined : await readLoad(options.load, url);
  const startedAt = performance.now();
  const environment = captureEnvironment();
  const text = startText(change);
  const side = { url, readyTimeoutMs: options.readyTimeoutMs };
  terminal.progress({ stage: 'compare', message: `Comparing the service with and without ${text}` });
  const comparison = await compare(
    { ...side, service: command, label: 'as it is' },
    { ...side, ...withChange(command, change), label: text },
    {
      load: { connections: options.connections, ...(requests && { requests }) },
      ...(options.budgetMs !== undefined && { budgetMs: options.budgetMs }),
      signal,
      onProgress: (progress) => terminal.progress(progress),
    },
  );
  signal.throwIfAborted();
  printComparison(terminal, comparison);

  if (comparison.verdict === 'faster') {
    await record(change, store);
    terminal.print(`Recorded. Start the service with it: ${commandWith(command, change)}`);
  }
  const profile: OptimizationProfile = {
    schemaVersion: SCHEMA_VERSION,
    id: await newId(typeOf(change)),
    type: typeOf(change),
    createdAt: new Date().toISOString(),
    elapsedMs: performance.now() - startedAt,
    subject: { kind: 'workload', name: command.join(' ') },
    settings: { runtime: { ...change } },
    plan: { ...change, url, connections: options.connections },
    status: STATUS[comparison.verdict],
    validation: comparison,
    comparisons: [],
    choice: null,
    environment,
    warnings: comparison.warnings,
  };
  await store.saveProfile(profile);
  return profile;
}

function record(change: StartChange, store: Store): Promise<void> {
  return 'flag' in change
    ? store.addRuntimeFlags([change.flag])
    : store.addEnvironment({ [change.variable]: change.value });
}

function commandWith(command: readonly string[], change: StartChange): string {
  return 'flag' in change
    ? [command[0], change.flag, ...command.slice(1)].join(' ')
    : `${startText(change)} ${command.join(' ')}`;
}

const STATUS: Readonly<Record<Verdict, OptimizationStatus>> = {
  faster: 'applied',
  slower: 'no_improvement',
  equivalent: 'no_improvement',
  inconclusive: 'inconclusive',
};

/**
 * The command with a change. A flag goes in as an argument where the command is Node itself (every flag works there), else by
 * NODE_OPTIONS, which takes only some.
 */
function withChange(
  command: readonly string[],
  change: StartChange,
): { service: readonly string[]; env?: Readonly<Record<string, string>> } {
  if (!('flag' in change)) return { service: command, env: { [change.variable]: change.value } };
  const { flag } = change;
  if (/^node(\.exe)?$/.test(basename(command[0] ?? ''))) {
    return { service: [command[0] ?? '', flag, ...command.slice(1)] };
  }
  if (!process.allowedNodeEnvironmentFlags.has(nameOf(flag))) {
    throw new UsageError(
      `Node does not take ${nameOf(flag)} from NODE_OPTIONS.`,
      'Start the service by node itself: … -- node app.js',
    );
  }
  const present = process.env['NODE_OPTIONS'];
  return { service: command, env: { NODE_OPTIONS: [present, flag].filter(Boolean).join(' ') } };
}

function nameOf(flag: string): string {
  return flag.split('=')[0] ?? flag;
}

/** Heap and collector flags act on memory, the thread pool’s size on threads; the rest on how code runs. */
function typeOf(change: StartChange): OptimizationType {
  if (!('flag' in change)) {
    return change.variable === 'UV_THREADPOOL_SIZE' ? OptimizationType.THREAD : OptimizationType.COMPUTATION;
  }
  const isMemory = /heap|space|gc|scaveng/i.test(nameOf(change.flag));
  return isMemory ? OptimizationType.MEMORY : OptimizationType.COMPUTATION;
}
