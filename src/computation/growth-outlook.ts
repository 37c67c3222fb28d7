/** What the fits of time and memory say of the greatest size that the caller expects. Pure. */
import { unavailable, type UnavailableMetric } from '../model/metric.js';
import { formatNumber } from '../units.js';
import { fitComplexity, predictCost, type ComplexityFit } from './complexity-fit.js';
import type { MeasuredSize } from './selection.js';

/** Growth of one variant. */
export interface Growth {
  readonly variant: string;
  readonly cost: ComplexityFit | UnavailableMetric;
  readonly memory: ComplexityFit | UnavailableMetric;
}

/** Bytes that calls allocate, by variant and size. */
export type AllocationAt = readonly {
  readonly variant: string;
  readonly size: number;
  readonly bytes: number;
}[];

/** Below this a call allocates nothing to speak of, and a fit would be of noise. */
const MIN_BYTES = 64;
/** A rival that is predicted to be cheaper by this factor beyond the errors of both fits is worth a warning. */
const CLEARLY = 1.1;

export function growthOf(
  names: readonly string[],
  measured: readonly MeasuredSize[],
  allocations: AllocationAt,
): Growth[] {
  return names.map((name) => {
    const costs = measured.flatMap(({ size, standings }) =>
      standings.filter(({ variant }) => variant === name).map(({ cost }) => ({ size, cost })),
    );
    const own = allocations.filter(({ variant }) => variant === name);
    const bytes = own.map(({ size, bytes: cost }) => ({ size, cost: Math.max(cost, 1) }));
    const allocates = bytes.some(({ cost }) => cost >= MIN_BYTES);
    return {
      variant: name,
      cost: fitComplexity(costs) ?? tooFew(name),
      memory: allocates
        ? (fitComplexity(bytes) ?? tooFew(name))
        : unavailable(
            bytes.length === 0 ? 'NOT_MEASURED' : 'NO_ALLOCATION',
            bytes.length === 0
              ? `What "${name}" allocates was not measured.`
              : `"${name}" allocates next to nothing at the sizes measured.`,
            bytes.length === 0 ? 'Give the optimisation a longer budget.' : 'Nothing to do.',
          ),
    };
  });
}

/**
 * What will not hold up to `maxSize`: another variant that overtakes the chosen one, or memory that runs out.
 *
 * @param chosen variant that the choice gives for `maxSize`.
 * @param roomBytes memory that the process could have.
 */
export function outlook(
  growth: readonly Growth[],
  chosen: string,
  greatestMeasured: number,
  maxSize: number | undefined,
  roomBytes: number,
): string[] {
  if (maxSize === undefined || maxSize <= greatestMeasured) return [];
  const warnings: string[] = [];
  const own = growth.find(({ variant }) => variant === chosen);
  if (!own) return [];
  if ('available' in own.cost) {
    warnings.push(
      `Whether the choice holds up to size ${maxSize} is not known: it was measured up to ${greatestMeasured}, ` +
        'and too few sizes were to tell how costs grow.',
    );
  } else {
    const ownCost = predictCost(own.cost, maxSize);
    for (const { variant, cost } of growth) {
      if (variant === chosen || 'available' in cost) continue;
      const rival = predictCost(cost, maxSize);
      // The rival at its worst against the chosen one at its best.
      if (rival.high * CLEARLY > ownCost.low) continue;
      warnings.push(
        `The choice is not expected to hold up to size ${maxSize}: "${chosen}" grows like ${own.cost.complexity} ` +
          `and "${variant}" like ${cost.complexity}, so "${variant}" would be ${formatNumber(ownCost.value / rival.value)} ` +
          `times faster there. Measure at sizes up to ${maxSize}.`,
      );
    }
  }
  if (!('available' in own.memory)) {
    const bytes = predictCost(own.memory, maxSize).value;
    if (bytes > roomBytes) {
      warnings.push(
        `"${chosen}" is expected to allocate ${Math.round(bytes / 2 ** 20)} MiB a call at size ${maxSize} ` +
          `(it grows like ${own.memory.complexity}), and the process can have ${Math.round(roomBytes / 2 ** 20)} MiB.`,
      );
    }
  }
  return warnings;
}

function tooFew(name: string): UnavailableMetric {
  return unavailable(
    'TOO_FEW_SIZES',
    `"${name}" was measured at too few sizes, or too close ones, to tell how it grows.`,
    'Give four or more sizes that span a factor of eight or more.',
  );
}
