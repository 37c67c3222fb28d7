import { fileURLToPath } from 'node:url';
import type { OptimizationContext } from '../../../src/model/context.js';
import { computation } from '../../../dist/computation/computation.js';
import { optimizeComputation } from '../../../dist/computation/optimize-computation.js';
import { captureEnvironment } from '../../../dist/host/environment.js';
import { parseComputationSettings } from '../../../dist/settings/parse.js';

export const LOOKUPS = fileURLToPath(new URL('../../fixtures/computation/lookups.js', import.meta.url));
export const KINDS = fileURLToPath(new URL('../../fixtures/computation/kinds.js', import.meta.url));

export function context(changes: Partial<OptimizationContext> = {}): OptimizationContext {
  return { environment: captureEnvironment(), budgetMs: 12_000, progress: () => {}, ...changes };
}

/** Makes a computation and optimises it. */
export async function optimise(
  options: any,
  settings: unknown = {},
  changes: Partial<OptimizationContext> = {},
) {
  const subject = computation<any>({ name: 'subject', ...options });
  const outcome = await optimizeComputation(
    { computation: subject as any },
    await parseComputationSettings(settings),
    context(changes),
  );
  return { ...outcome, subject };
}

export const numbers = (size: number) => Array.from({ length: size }, (_, i) => (i * 7919) % (size + 1));

/** Work that grows with the square of the size, and the same in linear time. */
export const duplicates = {
  quadratic: (values: number[]) => values.filter((value, i) => values.indexOf(value) === i).length,
  linear: (values: number[]) => new Set(values).size,
};
