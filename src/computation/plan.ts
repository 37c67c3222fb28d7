/** The plan of a profile: what was considered and measured, as plain JSON, and what it warns of. Pure. */
import { getHeapStatistics } from 'node:v8';
import type { ComputationChoice } from '../model/choice.js';
import type { ComputationSettings } from '../settings/computation.js';
import type { Rejection } from './agreement.js';
import { variantFor } from './computation.js';
import type { ConfirmedCrossover } from './confirm-crossovers.js';
import { UNITS, type CostMeasure } from './cost.js';
import type { FoundChoice } from './find-choice.js';
import { growthOf, outlook } from './growth-outlook.js';
import type { SizeClass } from './inputs.js';
import type { ResourceUse } from './resources.js';
import type { TunedVariant } from './tune.js';
import type { Variant } from './variants.js';

/** What a variant uses at one size. */
export interface SizedUse {
  readonly size: number;
  readonly variant: string;
  readonly use: ResourceUse;
}

export interface PlanInput {
  readonly measure: CostMeasure;
  /** All variants that were given. */
  readonly all: readonly Variant[];
  /** Those that raced, configured ones included. */
  readonly variants: readonly Variant[];
  readonly rejections: readonly Rejection[];
  readonly found: FoundChoice;
  readonly crossovers: readonly ConfirmedCrossover[];
  readonly present: ComputationChoice;
  readonly candidate: ComputationChoice;
  /** After the verdict. */
  readonly inForce: ComputationChoice;
  readonly validated: readonly SizeClass[];
  readonly uses: readonly SizedUse[];
  readonly tuned: readonly TunedVariant[];
  readonly settings: ComputationSettings;
  readonly maxSize: number | undefined;
}

/** The plan, and warnings that follow from it. */
export function planOf(input: PlanInput): { plan: Record<string, unknown>; warnings: string[] } {
  const { measure, all, variants, rejections, found, uses, settings, maxSize, inForce } = input;
  const { measured, picked } = found;
  const { objective, weights } = measure;
  const listed = [...all, ...variants.filter((variant) => !all.includes(variant))];
  const allocations = uses.map(({ size, variant, use }) => ({ size, variant, bytes: use.allocatedBytes }));
  const growth = growthOf(
    variants.map(({ name }) => name),
    measured,
    allocations,
  );
  const greatest = measured.at(-1)?.maxSize ?? 0;
  const { heap_size_limit: heapLimit, used_heap_size: heapUsed } = getHeapStatistics();
  const roomBytes = Math.min(heapLimit - heapUsed, process.availableMemory());
  const chosen = variantFor(inForce, maxSize ?? greatest);
  const plan = {
    objective,
    ...(weights && { weights }),
    unit: UNITS[objective],
    variants: listed.map(({ name, execution }) => ({
      name,
      execution,
      rejected: rejections.find(({ variant }) => variant === name) ?? null,
    })),
    sizes: measured.map(({ size, minSize, maxSize: most, standings, rounds, sizeClass }, i) => ({
      size,
      minSize,
      maxSize: most,
      inputs: sizeClass.inputs.length,
      rounds,
      picked: picked[i] ?? null,
      standings: standings.map((standing) => ({ ...standing, error: finiteOrNull(standing.error) })),
    })),
    crossovers: input.crossovers,
    present: input.present.bySize,
    candidate: input.candidate.bySize,
    validatedSizes: input.validated.map(({ size }) => size),
    complexity: Object.fromEntries(growth.map(({ variant, cost }) => [variant, cost])),
    memoryComplexity: Object.fromEntries(growth.map(({ variant, memory }) => [variant, memory])),
    resources: uses.map(({ size, variant, use }) => ({ size, variant, ...use })),
    ...(input.tuned.length > 0 && { tuned: input.tuned }),
    search: settings.performanceTuning.search,
    seed: settings.performanceTuning.seed,
  };
  return { plan, warnings: outlook(growth, chosen, greatest, maxSize, roomBytes) };
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
