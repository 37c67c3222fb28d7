/** V8 heap sizes, which only a program that starts can try: the workload runs as a whole process with and without. */
import { fileURLToPath } from 'node:url';
import type { Comparison } from '../model/comparison.js';
import type { CommandSubject } from '../validation/subject.js';
import type { Workload } from '../validation/workload.js';
import type { RuntimeTrial } from './runtime-trial.js';
import type { StructType } from './struct/struct-type.js';
import type { TrialBudget } from './trial-budget.js';

export interface FlagResult {
  readonly flag: string;
  readonly comparison: Comparison | null;
}

/** Work per process: long enough for several collections, short enough for several processes. */
const RUN_MS = 1_000;

export async function flagStudies(
  flags: readonly string[],
  workload: Workload | undefined,
  type: StructType | undefined,
  budget: TrialBudget,
): Promise<FlagResult[]> {
  if (flags.length === 0) return [];
  const source = workload?.source;
  if (source === undefined) {
    budget.warnings.push(
      `runtime.* was not tried: heap sizes are fixed when a program starts, so it needs a workload given as { module, export }. ` +
        `By hand: start the program with ${flags.join(' or ')} under load and compare.`,
    );
    return [];
  }
  const trial: RuntimeTrial = {
    module: String(source.module),
    export: source.export,
    descriptor: type?.descriptor ?? null,
    runMs: RUN_MS,
  };
  const calls = await calibrate(trial, budget);
  const script = fileURLToPath(new URL('./runtime-trial.js', import.meta.url));
  const command = (...nodeFlags: string[]): CommandSubject => ({
    command: [process.execPath, ...nodeFlags, script, JSON.stringify({ ...trial, calls })],
    label: nodeFlags.join(' ') || 'default heap',
  });
  const results: FlagResult[] = [];
  for (const [index, flag] of flags.entries()) {
    const budgetMs = budget.partMs(flags.length - index);
    results.push({
      flag,
      comparison: await budget.compare(command(), command(flag), budgetMs, `Trying ${flag}`),
    });
  }
  const winners = results.filter(({ comparison }) => comparison?.verdict === 'faster');
  if (winners.length > 0) {
    budget.warnings.push(
      `A running process cannot change its heap sizes: start it with ${winners.map(({ flag }) => flag).join(' or ')}.`,
    );
  }
  return results;
}

/** Calls that fill a run; the same number on both sides. */
async function calibrate(trial: RuntimeTrial, budget: TrialBudget): Promise<number> {
  budget.progress('calibrate', 'Measuring how long the workload takes');
  const { setupRuntimeTrial } = await import('./runtime-trial.js');
  const run = await setupRuntimeTrial(trial);
  const began = performance.now();
  let calls = 0;
  do {
    await run();
    calls += 1;
  } while (performance.now() - began < trial.runMs / 4);
  return Math.max(1, Math.round((calls * trial.runMs) / (performance.now() - began)));
}
