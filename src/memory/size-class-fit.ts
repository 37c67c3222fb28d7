/**
 * Which size classes waste least for the sizes that were asked for.
 *
 * Method: a class ends at a size that was asked for, so the best k classes are a partition of the counted buckets into k
 * runs, each of which pays the size of its last bucket for every request. Dynamic programming over the runs finds the
 * optimum exactly. The cost is concave Monge (a longer run pays no less for what it adds), so the best split moves one
 * way only and each layer is filled by divide and conquer in n log n (Aggarwal et al. 1987, "Geometric applications of a
 * matrix-searching algorithm"; the same cost makes the gain of each further class smaller than the one before). As many
 * classes are taken as save a share of the bytes worth having.
 *
 * Rejected: geometric classes moved to quantiles of the traffic, which miss peaks between them; and greedy splitting,
 * which is not optimal from three classes on.
 */

/** What was asked for: sizes in ascending order, each with how often. */
export interface SizeCounts {
  readonly sizes: readonly number[];
  readonly counts: readonly number[];
}

export interface SizeClassFit {
  /** Upper sizes of the classes in ascending order. */
  readonly classes: readonly number[];
  /** Bytes of the slots over all requests. */
  readonly slotBytes: number;
  /** Bytes of the requests, each counted as its bucket's size. */
  readonly requestedBytes: number;
}

/** A further class must save this share of the bytes of all slots: each has a slab of its own that is never quite full. */
const WORTH = 0.005;

/**
 * The cheapest classes, at most `maxClasses` (1 or more). No classes for no requests. Takes k · n · log n steps for n
 * different sizes and k classes.
 *
 * @example
 * fitSizeClasses({ sizes: [128, 1024, 1088], counts: [10, 10, 1] }, 2).classes;   // [128, 1088]
 */
export function fitSizeClasses({ sizes, counts }: SizeCounts, maxClasses: number): SizeClassFit {
  const asked = sizes.flatMap((size, k) =>
    (counts[k] as number) > 0 ? [{ size, count: counts[k] as number }] : [],
  );
  const n = asked.length;
  if (n === 0) return { classes: [], slotBytes: 0, requestedBytes: 0 };
  const requestsBefore = new Float64Array(n + 1);
  let requestedBytes = 0;
  asked.forEach(({ size, count }, k) => {
    requestsBefore[k + 1] = (requestsBefore[k] as number) + count;
    requestedBytes += size * count;
  });
  const runCost = (from: number, to: number) =>
    (asked[to - 1] as { size: number }).size *
    ((requestsBefore[to] as number) - (requestsBefore[from] as number));

  // best[end]: least cost of the first `end` sizes in the present number of classes.
  let best = Float64Array.from({ length: n + 1 }, (_, end) => (end === 0 ? 0 : runCost(0, end)));
  const splits: Int32Array[] = [new Int32Array(n + 1)];
  while (splits.length < Math.min(maxClasses, n)) {
    const layer = splits.length;
    const next = new Float64Array(n + 1).fill(Infinity);
    const split = new Int32Array(n + 1);
    fill(best, runCost, next, split, layer + 1, n, layer, n - 1);
    if ((best[n] as number) - (next[n] as number) < WORTH * (best[n] as number)) break;
    best = next;
    splits.push(split);
  }
  const classes: number[] = [];
  for (let layer = splits.length - 1, end = n; end > 0; layer -= 1) {
    classes.unshift((asked[end - 1] as { size: number }).size);
    end = layer === 0 ? 0 : ((splits[layer] as Int32Array)[end] as number);
  }
  return { classes, slotBytes: best[n] as number, requestedBytes };
}

/** Fills next[low..high]; their best splits lie in [from, to]. */
function fill(
  best: Float64Array,
  runCost: (from: number, to: number) => number,
  next: Float64Array,
  split: Int32Array,
  low: number,
  high: number,
  from: number,
  to: number,
): void {
  if (low > high) return;
  const middle = (low + high) >> 1;
  let at = from;
  for (let k = from; k <= Math.min(to, middle - 1); k += 1) {
    const cost = (best[k] as number) + runCost(k, middle);
    if (cost < (next[middle] as number)) {
      next[middle] = cost;
      at = k;
    }
  }
  split[middle] = at;
  fill(best, runCost, next, split, low, middle - 1, from, at);
  fill(best, runCost, next, split, middle + 1, high, at, to);
}
