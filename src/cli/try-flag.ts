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

export interface TryFlagOptions {
  readonly url?: string;
  /** File with a mix of requests; see load-file.ts. */
  readonly load?: string;
  readonly connections: number;
  readonly readyTimeoutMs: number;
  readonly budgetMs?: number;
}

/**
 * Compares a service with and without a Node flag, under load. A flag that wins is recorded in `config.json`;
 * whoever starts the service sets it, because no running process can take it over.
 */
export async function tryFlag(
  flag: string,
  command: readonly string[],
  options: TryFlagOptions,
  store: Store,
  session: Session,
): Promise<OptimizationProfile> {
  const { terminal, signal } = session;
  const url = options.url ?? '';
  const requests = options.load === undefined ? undefined : await readLoad(options.load, url);
  const startedAt = performance.now();
  const environment = captureEnvironment();
  const side = { url, readyTimeoutMs: options.readyTimeoutMs };
  terminal.progress({ stage: 'compare', message: `Comparing the service with and without ${flag}` });
  const comparison = await compare(
    { ...side, service: command, label: 'as it is' },
    { ...side, ...withFlag(command, flag), label: flag },
    {
      load: { connections: options.connections, ...(requests && { requests }) },
      ...(options.budgetMs !== undefined && { budgetMs: options.budgetMs }),
      signal,
      onProgress: (progress) => terminal.progress(progress),
    },
  );
  signal.throwIfAborted();
  printComparison(terminal, comparison);

  const wins = comparison.verdict === 'faster';
  if (wins) {
    await store.addRuntimeFlags([flag]);
    terminal.print(
      `Recorded. Start the service with it: ${[command[0], flag, ...command.slice(1)].join(' ')}`,
    );
  }
  const profile: OptimizationProfile = {
    schemaVersion: SCHEMA_VERSION,
    id: await newId(typeOf(flag)),
    type: typeOf(flag),
    createdAt: new Date().toISOString(),
    elapsedMs: performance.now() - startedAt,
    subject: { kind: 'workload', name: command.join(' ') },
    settings: { runtime: { flag } },
    plan: { flag, url, connections: options.connections },
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

const STATUS: Readonly<Record<Verdict, OptimizationStatus>> = {
  faster: 'applied',
  slower: 'no_improvement',
  equivalent: 'no_improvement',
  inconclusive: 'inconclusive',
};

/**
 * The command with a flag: as an argument where the command is Node itself (every flag works there), else by
 * NODE_OPTIONS, which takes only some.
 */
function withFlag(
  command: readonly string[],
  flag: string,
): { service: readonly string[]; env?: Readonly<Record<string, string>> } {
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

/** Heap and collector flags act on memory; the rest on how code runs. */
function typeOf(flag: string): OptimizationType {
  return /heap|space|gc|scaveng/i.test(nameOf(flag)) ? OptimizationType.MEMORY : OptimizationType.COMPUTATION;
}
