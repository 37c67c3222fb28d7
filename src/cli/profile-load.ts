/** The load that is driven while a program is profiled, and what came of it. */
import { OptimizerError } from '../errors.js';
import type { LoadSummary } from '../model/profiling-result.js';
import type { Signals } from '../model/signals.js';
import type { LoadRequest } from '../validation/load-requests.js';

/** A share of failed requests from which the profile shows the service's error path more than its work. */
const MANY_ERRORS = 0.05;

/** The load beside the signals. A load that came to nothing is a fact about the program, not the end of the profile. */
export async function withLoad(
  signals: Signals,
  load: Promise<LoadSummary> | undefined,
): Promise<{ signals: Signals; load?: LoadSummary }> {
  const warned = (warning: string) => ({ ...signals, warnings: [...signals.warnings, warning] });
  let summary: LoadSummary | undefined;
  try {
    summary = await load;
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
    return { signals: warned('No request of the load was answered while the program was profiled.') };
  }
  if (summary === undefined) return { signals };
  const share = summary.errors / Math.max(1, summary.requests);
  if (share <= MANY_ERRORS) return { signals, load: summary };
  const warning = `${summary.errors} of ${summary.requests} requests failed: the profile shows how the program fails as much as how it works.`;
  return { signals: warned(warning), load: summary };
}

export async function startLoad(
  url: string,
  connections: number,
  requests: readonly LoadRequest[] | undefined,
  durationMs: number,
  signal: AbortSignal,
): Promise<LoadSummary> {
  const { driveLoad } = await import('../validation/load.js');
  return driveLoad(url, { durationMs, connections, signal, ...(requests && { requests }) });
}
