/** The module that fresh processes load to time a job under a choice; see `compare` in src/validation. */
import { loadMakers } from './attached-objects.js';
import { Job } from './job.js';
import type { PackedJob } from './shared-copy.js';
import { unpackShared } from './shared-copy.js';

/** Rebuilds the job over memory of its own, runs it once to start its threads, and returns the function to time. */
export async function prepareTrial(packed: PackedJob): Promise<() => unknown> {
  await loadMakers(packed.shared.attached);
  const trial = new Job({
    name: 'trial',
    task: { module: packed.module, export: packed.export },
    range: packed.range,
    shared: unpackShared(packed.shared),
    // The caller's own combine may close over its process; keeping the first result costs what any combine does.
    ...(packed.reduces && { combine: (left: unknown) => left }),
    ...(packed.costHint && { costHint: packed.costHint }),
  });
  trial.applyChoice(packed.choice);
  await trial.run();
  return () => trial.run();
}
