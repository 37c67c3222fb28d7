/** Keeps a choice within what was looked at: sizes that were asked for and left out stay as they are. Pure. */
import type { ComputationChoice } from '../model/choice.js';
import { variantFor } from './computation.js';
import { choiceOf, crossovers, type MeasuredSize } from './selection.js';

export interface Bounds {
  /** Sizes that were measured and could not be validated. */
  readonly notValidated: ReadonlySet<number>;
  /** Whether greater sizes than the greatest measured were asked for and left out. */
  readonly leftOutAbove: boolean;
}

/**
 * The candidate where it was validated, what is in force elsewhere. Between a size that was validated and one that
 * was not, the boundary lies right at the validated one: nothing is interpolated into the unknown.
 *
 * @param measured in ascending order, one at least.
 */
export function boundedChoice(
  candidate: ComputationChoice,
  present: ComputationChoice,
  measured: readonly MeasuredSize[],
  { notValidated, leftOutAbove }: Bounds,
): ComputationChoice {
  const greatest = measured[measured.length - 1]!;
  const picked = measured.map(({ size }) => variantFor(notValidated.has(size) ? present : candidate, size));
  const changes = crossovers(measured, picked).map((change) => {
    const [below, above] = change.between;
    const sizeOf = (edge: 'minSize' | 'maxSize', value: number) =>
      measured.find((at) => at[edge] === value)!.size;
    if (notValidated.has(sizeOf('minSize', above))) return { ...change, at: below };
    if (notValidated.has(sizeOf('maxSize', below))) return { ...change, at: Math.max(below, above - 1) };
    // As the candidate has it: measured or interpolated already.
    const own = candidate.bySize.find(
      ({ maxSize }) => maxSize !== null && maxSize >= below && maxSize < above,
    );
    return { ...change, at: own?.maxSize ?? change.at };
  });
  const bounded = choiceOf(picked, changes);
  const last = bounded.bySize[bounded.bySize.length - 1]!;
  const tail = variantFor(present, Infinity);
  if (!leftOutAbove || last.variant === tail) return bounded;
  return {
    kind: 'computation',
    bySize: [
      ...bounded.bySize.slice(0, -1),
      { maxSize: greatest.maxSize, variant: last.variant },
      { maxSize: null, variant: tail },
    ],
  };
}
