/** Every cause that a finding can name. Anything finer goes into the finding's `detail`. */
export const CAUSES = [
  'sync-cpu',
  'json-processing',
  'regexp-backtracking',
  'sync-fs',
  'sync-child-process',
  'sync-crypto',
  'sync-zlib',
  'allocation-churn',
  'heap-near-limit',
  'heap-leak',
  'external-leak',
  'listener-leak',
  'threadpool-saturation',
  'worker-oversubscription',
  'lock-contention',
  'slow-downstream',
  'serial-awaits',
  'no-keep-alive',
  'timer-flood',
  'microtask-flood',
  'exception-storm',
  'megamorphic-access',
  'deoptimisation-loop',
  'fresh-page-faults',
  'cpu-throttling',
  'memory-pressure',
  'noisy-neighbour',
  'cpu-steal',
  'disk-iowait',
  'descriptor-exhaustion',
  'heap-fragmentation',
  'slow-dns',
  'backpressure-ignored',
  'false-sharing',
  'cache-unfriendly-access',
  'saturated',
  'healthy',
] as const;
export type Cause = (typeof CAUSES)[number];

export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical';
export const SEVERITIES: readonly Severity[] = ['info', 'low', 'medium', 'high', 'critical'];

/** A place in the user's program. Lines and columns are 1-based, as editors show them. */
export interface CodeLocation {
  readonly function: string;
  /** Absolute path, or the URL as V8 reported it (`node:internal/…`). */
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

/** One measured fact that a finding rests on. */
export interface Evidence {
  /** Catalogued metric name, or a name that the rule defines. */
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** What the value was held against, where it was held against something. */
  readonly threshold?: number;
  /** One sentence for people. */
  readonly statement: string;
}

/** A cause that was considered and rejected, with the reason. */
export interface RuledOut {
  readonly cause: Cause;
  readonly because: string;
}

/** What a rule found: one named cause, where it is, how sure. */
export interface Finding {
  readonly cause: Cause;
  readonly severity: Severity;
  /** 0 (guess) to 1 (certain): how far the evidence lies from its threshold. */
  readonly confidence: number;
  /** One sentence for people. */
  readonly title: string;
  readonly detail?: string;
  readonly location?: CodeLocation;
  readonly evidence: readonly Evidence[];
  readonly ruledOut: readonly RuledOut[];
  /** Share of the process' CPU time (0 to 1) that removing the cause could free, where that is known. */
  readonly expectedGain?: number;
}
