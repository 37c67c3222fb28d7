/** From what the races measured to a choice by size: contiguous ranges, and where one ends. Pure. */
import type { ComputationChoice } from '../model/choice.js';
import { mean } from '../validation/statistics.js';
import { variantFor } from './computation.js';
import type { Standing } from './race.js';

/** What was measured at one size. */
export interface MeasuredSize {
  readonly size: number;
  readonly minSize: number;
  readonly maxSize: number;
  readonly standings: readonly Standing[];
}

/** One point where the choice changes. */
export interface Crossover {
  readonly from: string;
  readonly to: string;
  /** The sizes measured on both sides of it. */
  readonly between: readonly [number, number];
  /** Greatest size for `from`. */
  readonly at: number;
}

/** Log cost that a change of variant must win to be worth having: a boundary is one more thing to be wrong. */
const SWITCH_COST = 0.01;
/** Separates equals: the variant in force first, then the earlier. Far below what can be measured. */
const PREFERENCE = 1e-6;

/**
 * Picks a variant per size, so that the sum of what is lost against the leaders, plus a small price per change,
 * is least (shortest path over sizes and variants). A variant that is tied with the leader within half its
 * standard error loses nothing, so ties go to the variant in force, then to the earlier, and a neighbour's variant is kept where it is as good.
 *
 * @param sizes in ascending order, one at least.
 * @param crossover false: one variant for all sizes.
 */
export function pickVariants(
  sizes: readonly MeasuredSize[],
  variants: readonly string[],
  present: ComputationChoice,
  crossover: boolean,
): string[] {
  const lossOf = (at: MeasuredSize, variant: string, rank: number): number => {
    const standing = at.standings.find((candidate) => candidate.variant === variant);
    if (!standing) return Infinity; // It takes no part at this size.
    const preference = variantFor(present, at.size) === variant ? 0 : PREFERENCE * (rank + 1);
    // Of a tie, what exceeds the noise still counts: not being told apart is no proof of being equal.
    const { tied, logRatio, error } = standing;
    const loss = !tied ? logRatio : logRatio < SWITCH_COST ? 0 : logRatio - error / 2;
    return preference + (tied ? Math.max(0, loss) : Math.max(loss, PREFERENCE));
  };
  const switchCost = crossover ? SWITCH_COST : Infinity;
  type Path = { readonly loss: number; readonly picked: readonly string[] };
  let paths: Path[] = variants.map((variant, rank) => ({
    loss: lossOf(sizes[0]!, variant, rank),
    picked: [variant],
  }));
  for (const at of sizes.slice(1)) {
    paths = variants.map((variant, rank) => {
      const own = lossOf(at, variant, rank);
      return paths
        .map(({ loss, picked }) => ({
          loss: own + loss + (picked.at(-1) === variant ? 0 : switchCost),
          picked: [...picked, variant],
        }))
        .reduce((best, path) => (path.loss < best.loss ? path : best));
    });
  }
  return [...paths.reduce((best, path) => (path.loss < best.loss ? path : best)).picked];
}

/** Where the picked variant changes, and at which size the two are estimated to cost the same. */
export function crossovers(sizes: readonly MeasuredSize[], picked: readonly string[]): Crossover[] {
  const found: Crossover[] = [];
  for (let i = 1; i < sizes.length; i += 1) {
    const [from, to] = [picked[i - 1]!, picked[i]!];
    if (from === to) continue;
    const [below, above] = [sizes[i - 1]!, sizes[i]!];
    found.push({ from, to, between: [below.maxSize, above.minSize], at: crossing(below, above, from, to) });
  }
  return found;
}

/**
 * Size at which two variants cost the same: the difference of their log costs is taken as linear in log size
 * between the two measured sizes, as power laws are.
 */
function crossing(below: MeasuredSize, above: MeasuredSize, from: string, to: string): number {
  const advantage = ({ standings }: MeasuredSize) => {
    const costOf = (variant: string) =>
      standings.find((standing) => standing.variant === variant)?.cost ?? NaN;
    return Math.log(costOf(to) / costOf(from));
  };
  const [left, right] = [advantage(below), advantage(above)];
  const [low, high] = [Math.log(below.maxSize + 1), Math.log(above.minSize + 1)];
  // Half way where a tie, or a variant that did not run on both sides, leaves nothing to interpolate.
  const share = left > 0 && right < 0 ? left / (left - right) : 0.5;
  const at = Math.floor(Math.expm1(low + share * (high - low)));
  return Math.min(Math.max(at, below.maxSize), Math.max(above.minSize - 1, below.maxSize));
}

export function choiceOf(picked: readonly string[], changes: readonly Crossover[]): ComputationChoice {
  const bySize = changes.map(({ at, from }) => ({ maxSize: at, variant: from }));
  return { kind: 'computation', bySize: [...bySize, { maxSize: null, variant: picked[picked.length - 1]! }] };
}

/** The variant that loses least to the leaders, over the sizes at which it takes part and is not in force. */
export function strongestRival(
  measured: readonly MeasuredSize[],
  present: ComputationChoice,
): string | undefined {
  const losses = new Map<string, number[]>();
  for (const { size, standings } of measured) {
    for (const { variant, logRatio } of standings) {
      if (variant === variantFor(present, size)) continue;
      losses.set(variant, [...(losses.get(variant) ?? []), logRatio]);
    }
  }
  const rivals = [...losses].map(([name, values]) => ({ name, loss: mean(values) }));
  return rivals.sort((a, b) => a.loss - b.loss)[0]?.name;
}
