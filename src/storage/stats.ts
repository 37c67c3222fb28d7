/** What a store's optimisations amount to. Pure: from index entries to figures. */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import { OPTIMIZATION_STATUSES, OptimizationType, type OptimizationStatus } from '../model/types.js';
import type { StoredEntry } from './index-file.js';

export interface StatsFilter {
  readonly type?: OptimizationType;
  readonly status?: OptimizationStatus;
  /** Only what was made at or after this time: a Date, or ISO 8601. */
  readonly since?: Date | string;
}

export interface OptimizationStats {
  /** Optimisations that match, reference runs included. */
  readonly total: number;
  readonly byType: Readonly<Record<OptimizationType, number>>;
  readonly byStatus: Readonly<Record<OptimizationStatus, number>>;
  /** How many of `total` ran on the library's own records. They are in no gain. */
  readonly referenceRuns: number;
  readonly gains: OptimizationGains;
  /** Creation times (ISO 8601) of the oldest and the newest; null where there is none. */
  readonly timeRange: { readonly from: string; readonly to: string } | null;
}

/** Speed-ups (baseline's cost over candidate's, above 1 is better) of what was applied to real subjects. */
export interface OptimizationGains {
  readonly count: number;
  /** Null where nothing was applied. */
  readonly geometricMeanSpeedup: number | null;
  readonly best: { readonly profileId: string; readonly subject: string; readonly speedup: number } | null;
}

/**
 * Totals by type and by status, and the gains of what was applied.
 *
 * Speed-ups are ratios, so they are averaged geometrically (Fleming & Wallace, CACM 29(3), 1986).
 *
 * @throws INVALID_ARGUMENT for an unknown type or status, or a `since` that is no time.
 */
export function optimizationStats(
  profiles: readonly StoredEntry[],
  filter: StatsFilter = {},
): OptimizationStats {
  checkFilter(filter);
  const sinceMs = filter.since === undefined ? -Infinity : timeOf(filter.since);
  const matching = profiles.filter(
    ({ type, status, createdAt }) =>
      (filter.type === undefined || type === filter.type) &&
      (filter.status === undefined || status === filter.status) &&
      Date.parse(createdAt) >= sinceMs,
  );

  const gains = matching.filter(
    (entry): entry is StoredEntry & { ratio: number } =>
      entry.status === 'applied' && entry.subject?.kind !== 'reference' && entry.ratio !== undefined,
  );
  const best = gains.reduce<(typeof gains)[number] | null>(
    (least, entry) => (least === null || entry.ratio < least.ratio ? entry : least),
    null,
  );
  const meanLog = gains.reduce((sum, { ratio }) => sum - Math.log(ratio), 0) / gains.length;
  const times = matching.map(({ createdAt }) => createdAt).sort((a, b) => Date.parse(a) - Date.parse(b));

  return {
    total: matching.length,
    byType: countBy(Object.values(OptimizationType), matching, ({ type }) => type),
    byStatus: countBy(OPTIMIZATION_STATUSES, matching, ({ status }) => status),
    referenceRuns: matching.filter(({ subject }) => subject?.kind === 'reference').length,
    gains: {
      count: gains.length,
      geometricMeanSpeedup: gains.length === 0 ? null : Math.exp(meanLog),
      best: best && {
        profileId: best.id,
        subject: best.subject ? `${best.subject.kind}:${best.subject.name}` : '',
        speedup: 1 / best.ratio,
      },
    },
    timeRange: times.length === 0 ? null : { from: times[0]!, to: times.at(-1)! },
  };
}

function countBy<K extends string>(
  keys: readonly K[],
  entries: readonly StoredEntry[],
  keyOf: (entry: StoredEntry) => string | undefined,
): Record<K, number> {
  const counts = Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
  for (const entry of entries) {
    const key = keyOf(entry) as K;
    if (key in counts) counts[key] += 1;
  }
  return counts;
}

const FILTER_VALUES: Record<string, readonly string[] | null> = {
  type: Object.values(OptimizationType),
  status: OPTIMIZATION_STATUSES,
  since: null,
};

function checkFilter(filter: unknown): void {
  requireOptions('filter', filter, Object.keys(FILTER_VALUES));
  for (const [key, value] of Object.entries(filter as object) as [string, unknown][]) {
    const allowed = FILTER_VALUES[key]!;
    if (value === undefined || allowed === null || allowed.includes(value as string)) continue;
    throw fail('INVALID_ARGUMENT', {
      name: `filter.${key}`,
      actual: describe(value),
      expected: `one of ${allowed.join(', ')}`,
    });
  }
}

/** Milliseconds since the epoch. @throws INVALID_ARGUMENT */
export function timeOf(since: unknown): number {
  const ms = since instanceof Date ? since.getTime() : typeof since === 'string' ? Date.parse(since) : NaN;
  if (!Number.isNaN(ms)) return ms;
  throw fail('INVALID_ARGUMENT', {
    name: 'filter.since',
    actual: describe(since),
    expected: 'a Date or a time in ISO 8601',
  });
}
