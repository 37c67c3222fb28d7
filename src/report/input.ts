import type { StoredComparison } from '../model/comparison.js';
import type { Environment } from '../model/fingerprint.js';
import type { HostProbe } from '../model/host-probe.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import { formatNumber } from '../units.js';

/** What a report shows. Everything comes from the store; a report measures nothing. */
export interface ReportInput {
  /** Newest first; each gets its own section, and the first one gives the page its headline. */
  readonly results: readonly ProfilingResult[];
  readonly profiles: readonly OptimizationProfile[];
  /** An older result that the first one is held against in a flame graph of differences. */
  readonly against?: ProfilingResult;
  /** Comparisons that stand on their own, e.g. of the whole service before and after. */
  readonly comparisons?: readonly StoredComparison[];
  readonly stats?: ReportStats;
  /** What the host's memory and calls were measured to cost. */
  readonly hostProbe?: HostProbe;
  /** Conditions under which the report itself was made; those of each run stand beside the run. */
  readonly environment?: Environment;
  /** ISO 8601. Shown in the footer; left out where absent, so that equal inputs give equal pages. */
  readonly createdAt?: string;
}

/** Totals over the whole store: what `getOptimizationStats` returns, as far as a report shows it. */
export interface ReportStats {
  readonly total: number;
  readonly byType: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
  /** How many of `total` ran on the library's own records. They are in no gain. */
  readonly referenceRuns: number;
  readonly gains: {
    readonly count: number;
    /** Above 1 is better; null where nothing was applied. */
    readonly geometricMeanSpeedup: number | null;
    readonly best: { readonly subject: string; readonly speedup: number } | null;
  };
}

/** The totals in words: how much is stored, and what the applied part of it gained. */
export function statsSentence(stats: ReportStats): string {
  const { total, referenceRuns, gains } = stats;
  const stored = `${formatNumber(total)} optimisation${total === 1 ? '' : 's'} stored${
    referenceRuns === 0 ? '' : `, ${formatNumber(referenceRuns)} of them reference runs`
  }.`;
  if (gains.geometricMeanSpeedup === null)
    return `${stored} Nothing has been applied to a subject of yours yet.`;
  const mean = `${stored} The ${gains.count === 1 ? 'one' : gains.count} applied made ${gains.count === 1 ? 'its subject' : 'their subjects'} ${formatNumber(gains.geometricMeanSpeedup)}× as fast${gains.count === 1 ? '' : ' in the geometric mean'}`;
  return gains.best === null || gains.count === 1
    ? `${mean}.`
    : `${mean}; best: ${gains.best.subject}, ${formatNumber(gains.best.speedup)}×.`;
}
