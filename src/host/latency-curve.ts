/**
 * From latencies by size to the caches that are really there.
 *
 * Method: the curve is a staircase with worn edges. From the left, a level is the median of the first points that lie
 * flat; it ends where latency has risen a quarter above it and stays there, between two points by interpolation on
 * logarithmic axes; the next level begins where the curve is flat again. A level without a flat part (a cache that
 * neighbours share) ends at the steepest point between its neighbours, and so is none.
 *
 * Rejected: the sizes that the kernel lists. On a virtual machine they are the host's: 32 MiB were advertised where
 * latency jumps at 4 to 6.
 */
import type { EffectiveCache, LatencyPoint } from '../model/host-probe.js';

const SMALLEST_BYTES = 4096;
const LINE_BYTES = 64;

/** Two sizes an octave, from 4 KiB, in whole lines. */
export function curveSizes(largestBytes: number): number[] {
  const sizes: number[] = [];
  for (let step = 0; ; step += 1) {
    const size = Math.round((SMALLEST_BYTES * 2 ** (step / 2)) / LINE_BYTES) * LINE_BYTES;
    if (size > largestBytes) return sizes;
    sizes.push(size);
  }
}

/** A rise above the level that ends it. */
const EDGE = 1.25;
/** Between neighbours, still flat: half an octave. */
const FLAT = 1.12;

/** Neighbouring caches differ by more than this; less is memory that others use too. */
const STEP = 1.5;

/** The levels of the curve, the last one being main memory where the curve reaches a flat part there. */
export function findLevels(curve: readonly LatencyPoint[]): EffectiveCache[] {
  const points = smooth(curve);
  const levels: EffectiveCache[] = [];
  let start = 0;
  while (start < points.length) {
    const latencyNs = levelAt(points, start);
    const edge = points.findIndex(
      (point, i) =>
        i > start &&
        point.latencyNs > latencyNs * EDGE &&
        (points[i + 1]?.latencyNs ?? Infinity) > latencyNs * EDGE,
    );
    if (edge < 0) {
      levels.push({ sizeBytes: points.at(-1)!.sizeBytes, latencyNs });
      break;
    }
    levels.push({ sizeBytes: crossing(points[edge - 1]!, points[edge]!, latencyNs * EDGE), latencyNs });
    const next = flatAfter(points, edge);
    if (next === undefined) break;
    start = next;
  }
  return levels.reduce<EffectiveCache[]>((kept, level) => {
    const last = kept.at(-1);
    if (last === undefined || level.latencyNs >= last.latencyNs * STEP) return [...kept, level];
    return [...kept.slice(0, -1), { ...last, sizeBytes: level.sizeBytes }];
  }, []);
}

/** The caches among the levels: all but the last, which is memory (or cut off by the end of the curve). */
export function effectiveCaches(curve: readonly LatencyPoint[]): {
  readonly caches: readonly EffectiveCache[];
  readonly memoryLatencyNs?: number;
} {
  const levels = findLevels(curve);
  const last = levels.at(-1);
  const reachesEnd = last !== undefined && last.sizeBytes === curve.at(-1)?.sizeBytes;
  if (!reachesEnd) return { caches: levels };
  return { caches: levels.slice(0, -1), memoryLatencyNs: last.latencyNs };
}

/** Median of three, so that one disturbed point is no edge. */
function smooth(curve: readonly LatencyPoint[]): LatencyPoint[] {
  return curve.map((point, i) => {
    const around = curve.slice(Math.max(0, i - 1), i + 2).map(({ latencyNs }) => latencyNs);
    if (around.length < 3) return point;
    return { sizeBytes: point.sizeBytes, latencyNs: around.sort((a, b) => a - b)[1]! };
  });
}

function levelAt(points: readonly LatencyPoint[], start: number): number {
  const first = points[start]!.latencyNs;
  const flat = points.slice(start, start + 3).map(({ latencyNs }) => latencyNs);
  return flat.every((latency) => latency < first * EDGE)
    ? flat.sort((a, b) => a - b)[flat.length >> 1]!
    : first;
}

/** The first point from `edge` on whose two neighbours to the right cost about the same. */
function flatAfter(points: readonly LatencyPoint[], edge: number): number | undefined {
  for (let i = edge; i + 1 < points.length; i += 1) {
    const [here, next, second] = [points[i]!, points[i + 1]!, points[i + 2]];
    if (next.latencyNs > here.latencyNs * FLAT) continue;
    if (second === undefined || second.latencyNs <= next.latencyNs * FLAT) return i;
  }
  return undefined;
}

/** The size at which the line between two points, on logarithmic axes, reaches a latency. */
function crossing(before: LatencyPoint, after: LatencyPoint, latencyNs: number): number {
  const rise = Math.log(after.latencyNs / before.latencyNs);
  const share = rise > 0 ? Math.min(1, Math.max(0, Math.log(latencyNs / before.latencyNs) / rise)) : 1;
  const size = before.sizeBytes * (after.sizeBytes / before.sizeBytes) ** share;
  return Math.round(size / LINE_BYTES) * LINE_BYTES;
}
