/** Makes a user's workload ready to run on a subject, in this process. */
import type { Workload } from '../validation/workload.js';
import { loadSetup } from './layout-trial.js';

/** @throws TypeError where the workload returns no function; SUBJECT_UNLOADABLE; what the workload throws. */
export async function runnerFor(workload: Workload, subject: unknown): Promise<() => unknown> {
  const setup = workload.source
    ? await loadSetup(String(workload.source.module), workload.source.export)
    : workload.setup;
  const run = await setup?.(subject);
  if (typeof run === 'function') return run;
  throw new TypeError(`setup of workload "${workload.name}" returned no function`);
}
