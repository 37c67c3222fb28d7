/**
 * Configurations for the variants that take parameters: found by tuning, they then take part in the race like any
 * other variant. A part of the optimisation of its own, because most computations have no parameters.
 */
import { raceOf, type SearchContext } from './find-choice.js';
import type { Prepared } from './prepare.js';
import { tune, type TunedVariant } from './tune.js';
import type { Variant } from './variants.js';

/** Finds configurations for the variants that take parameters. */
export async function configure(
  { variants, classes, rejections, warnings }: Prepared,
  common: SearchContext,
  budgetMs: number,
): Promise<{ variants: readonly Variant[]; report: readonly TunedVariant[] }> {
  const { computation, settings, random, agreement, context } = common;
  const { tunables } = computation;
  if (tunables.length === 0 || classes.length === 0 || settings.algorithmOptimization.selection === 'fixed') {
    return { variants: [], report: [] };
  }
  const tuning = await tune({
    tunables,
    reference: variants[0]!,
    classes,
    settings,
    budgetMs,
    random,
    agreement,
    raceOf: (of, sizeClass) => raceOf(of, sizeClass, common),
    progress: (fraction, message) => context.progress({ stage: 'tune', fraction, message }),
  });
  for (const rejection of tuning.rejections) {
    rejections.push(rejection);
    warnings.add(rejection.message);
  }
  const known = new Set(variants.map(({ name }) => name));
  return { variants: tuning.variants.filter(({ name }) => !known.has(name)), report: tuning.report };
}
