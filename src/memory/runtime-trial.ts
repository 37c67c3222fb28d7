/** The program that tries heap sizes: sets a workload up and runs it a given number of times. */
import { pathToFileURL } from 'node:url';
import { loadSetup } from './layout-trial.js';
import type { StructDescriptor } from './struct/descriptor.js';
import { structFromDescriptor } from './struct/struct-type.js';

export interface RuntimeTrial {
  readonly module: string;
  readonly export: string;
  /** The type that the workload's setup receives; null where it receives nothing. */
  readonly descriptor: StructDescriptor | null;
  readonly runMs: number;
}

export async function setupRuntimeTrial(trial: RuntimeTrial): Promise<() => unknown> {
  const setup = await loadSetup(trial.module, trial.export);
  return setup(trial.descriptor === null ? undefined : structFromDescriptor(trial.descriptor));
}

const [, script, argument] = process.argv;
if (argument !== undefined && script !== undefined && import.meta.url === pathToFileURL(script).href) {
  const trial = JSON.parse(argument) as RuntimeTrial & { readonly calls: number };
  const run = await setupRuntimeTrial(trial);
  for (let call = 0; call < trial.calls; call += 1) await run();
}
