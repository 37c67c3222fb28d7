/** A profile that the service asks for of itself: options checked, run, and kept where the process exits before its end. */
import type { Progress } from '../events.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Sampler } from '../profiling/sampler.js';
import { parseProfileOptions } from '../settings/parse.js';
import type { Store } from '../storage/store.js';
import type { ProfileResults } from './profile-results.js';
import type { RunningWork } from './running-work.js';

export interface ProfilingHost {
  readonly store: Store;
  readonly work: RunningWork;
  readonly results: ProfileResults;
  /** The service's own, beside those of the type: as they are when the run starts. */
  readonly samplers: () => readonly Sampler[];
  readonly onProgress: (progress: Progress) => void;
}

/** See `SystemOptimizer.profileSystem`, and what it throws. */
export async function profileThisProcess(
  options: unknown,
  { store, work, results, samplers, onProgress }: ProfilingHost,
): Promise<ProfilingResult> {
  const [{ startRun }, { keptAtExit }, keep] = await Promise.all([
    import('../profiling/session.js'),
    import('../profiling/kept-at-exit.js'),
    results.keeperAtExit(),
  ]);
  const { type, signal, ...rest } = await parseProfileOptions(options);
  store.checkWritable();
  // What is asked for goes before what a monitor takes by itself.
  const { automaticRunsGiveWay } = await import('../profiling/automatic-runs.js');
  await automaticRunsGiveWay();
  const run = startRun(type, {
    ...rest,
    samplers: samplers(),
    signal: work.closingOr(signal),
    onProgress,
  });
  return keptAtExit(run, keep, (signals) => results.ofThisProcess(signals));
}
