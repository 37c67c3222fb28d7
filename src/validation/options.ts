/** Options of `compare`, their defaults and their limits. */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import type { Progress } from '../events.js';
import type { LoadRequest } from './load-requests.js';

/**
 * What the ratio is a ratio of.
 * - `time`: wall time per call, per run of a command, or per request (1 ÷ throughput) of a service.
 * - `cpu`: CPU time of the whole process, children included where the system accounts for them.
 * - `p50`, `p90`, `p99`: latency of a service's requests.
 */
export type Measure = 'time' | 'cpu' | 'p50' | 'p90' | 'p99';

/** How load is driven at a service. */
export interface LoadOptions {
  /** Requests in flight at a time. 16 by default. */
  readonly connections?: number;
  /** Requests per second at a fixed arrival rate; without it, as fast as the answers come (closed loop). */
  readonly rate?: number;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Path (or URL) to request, where it is another than the URL that tells readiness. */
  readonly path?: string;
  /**
   * A mix of requests, gone through in order by every connection; what a request leaves open is taken from the
   * fields above. Blocks then are whole rounds through the mix, so that each has the same share of every request.
   */
  readonly requests?: readonly LoadRequest[];
  /** Length of one block, in which one side is driven. 500 ms by default. */
  readonly blockMs?: number;
  /**
   * `live`: one instance of each service answers throughout. `fresh`: each replicate starts its own.
   * `live` by default, `fresh` where both need the same address.
   */
  readonly instances?: 'live' | 'fresh';
}

/** Agreement of results: exactly equal, equal up to a relative difference of numbers, or the caller's own. */
export type ResultCheck =
  boolean | { readonly relativeTolerance: number } | ((baseline: unknown, candidate: unknown) => boolean);

export interface CompareOptions {
  /** Differences up to this share (0 to 0.5) count as none. 0.01 by default. */
  readonly equivalenceMargin?: number;
  /** 0.5 to 0.9999. 0.95 by default. */
  readonly confidenceLevel?: number;
  /** Cap on replicates (fresh processes, runs, or blocks): 4 to 1000. 30 by default. */
  readonly maxProcesses?: number;
  /** No further replicate begins after this time. 60 s by default. */
  readonly budgetMs?: number;
  /** How long one replicate may take before it is stopped. 30 s by default. */
  readonly timeoutMs?: number;
  /** Whether both sides must give equal results, where results can be compared. True by default. */
  readonly checkResults?: ResultCheck;
  /** What to compare. `time` by default, `cpu` for services. */
  readonly measure?: Measure;
  readonly load?: LoadOptions;
  /** Node and V8 flags for the fresh processes of module subjects. */
  readonly nodeFlags?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface ResolvedOptions {
  readonly equivalenceMargin: number;
  readonly confidenceLevel: number;
  readonly maxProcesses: number;
  readonly budgetMs: number;
  readonly timeoutMs: number;
  readonly checkResults: ResultCheck;
  readonly measure: Measure;
  readonly load: LoadOptions;
  readonly nodeFlags: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

const KNOWN = [
  'equivalenceMargin',
  'confidenceLevel',
  'maxProcesses',
  'budgetMs',
  'timeoutMs',
  'checkResults',
  'measure',
  'load',
  'nodeFlags',
  'signal',
  'onProgress',
] as const satisfies readonly (keyof CompareOptions)[];

const MEASURES: Record<'service' | 'other', readonly Measure[]> = {
  // CPU time is the steadiest, where a process group's can be read.
  service:
    process.platform === 'linux'
      ? ['cpu', 'time', 'p50', 'p90', 'p99']
      : ['time', 'cpu', 'p50', 'p90', 'p99'],
  other: ['time', 'cpu'],
};

/** Fills defaults in. @throws INVALID_ARGUMENT */
export function resolveOptions(options: CompareOptions, form: 'service' | 'other'): ResolvedOptions {
  requireOptions('options', options, KNOWN);
  const measure = options.measure ?? MEASURES[form][0]!;
  if (!MEASURES[form].includes(measure)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'options.measure',
      actual: describe(measure),
      expected: `one of ${MEASURES[form].join(', ')} for ${form === 'service' ? 'a service' : 'this subject'}`,
    });
  }
  return {
    equivalenceMargin: within('equivalenceMargin', options.equivalenceMargin ?? 0.01, 0, 0.5),
    confidenceLevel: within('confidenceLevel', options.confidenceLevel ?? 0.95, 0.5, 0.9999),
    maxProcesses: Math.floor(within('maxProcesses', options.maxProcesses ?? 30, 4, 1000)),
    budgetMs: within('budgetMs', options.budgetMs ?? 60_000, 1, 86_400_000),
    timeoutMs: within('timeoutMs', options.timeoutMs ?? 30_000, 1, 86_400_000),
    checkResults: resultCheck(options.checkResults ?? true),
    measure,
    load: loadOptions(options.load ?? {}),
    nodeFlags: flagList(options.nodeFlags ?? []),
    ...(options.signal && { signal: options.signal }),
    onProgress: options.onProgress ?? (() => {}),
  };
}

function within(name: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && value >= low && value <= high) return value;
  throw fail('INVALID_ARGUMENT', {
    name: `options.${name}`,
    actual: describe(value),
    expected: `a number from ${low} to ${high}`,
  });
}

const LOAD_KEYS: readonly (keyof LoadOptions)[] = [
  'connections',
  'rate',
  'method',
  'headers',
  'body',
  'path',
  'requests',
  'blockMs',
  'instances',
];

function loadOptions(load: LoadOptions): LoadOptions {
  requireOptions('options.load', load, LOAD_KEYS);
  if (load.connections !== undefined) within('load.connections', load.connections, 1, 10_000);
  if (load.rate !== undefined) within('load.rate', load.rate, 0.1, 1_000_000);
  if (load.blockMs !== undefined) within('load.blockMs', load.blockMs, 50, 3_600_000);
  if (load.instances !== undefined && !['live', 'fresh'].includes(load.instances)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'options.load.instances',
      actual: describe(load.instances),
      expected: "'live' or 'fresh'",
    });
  }
  return load;
}

function resultCheck(value: ResultCheck): ResultCheck {
  if (typeof value === 'boolean' || typeof value === 'function') return value;
  const tolerance = (value as { relativeTolerance?: unknown } | null)?.relativeTolerance;
  return { relativeTolerance: within('checkResults.relativeTolerance', tolerance, 0, 1) };
}

function flagList(flags: unknown): readonly string[] {
  if (Array.isArray(flags) && flags.every((flag) => typeof flag === 'string' && flag.startsWith('-'))) {
    return flags as string[];
  }
  throw fail('INVALID_ARGUMENT', {
    name: 'options.nodeFlags',
    actual: describe(flags),
    expected: 'an array of flags such as --max-semi-space-size=64',
  });
}
