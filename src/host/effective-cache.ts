/**
 * Sizes of caches as programs find them: a chain of dependent reads in random order over growing working sets, whose
 * time per read steps up where a level ends. Advertised sizes are the fallback, and only that: virtual machines
 * advertise what they share with their neighbours (measured: 32 MiB advertised, reads slow down at 4 to 6 MiB).
 */
import { readFileSync } from 'node:fs';

export interface EffectiveCache {
  /** Bytes of the first level of data cache. */
  readonly l1: number;
  /** Bytes that are still read at the speed of the second level. */
  readonly l2: number;
  readonly source: 'measured' | 'advertised' | 'assumed';
}

/** What nearly all processors of the last ten years have at least. */
const ASSUMED: EffectiveCache = { l1: 32 * 1024, l2: 256 * 1024, source: 'assumed' };
const LINE_BYTES = 64;
const SIZES_KIB = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048, 4096];
/** Reads slower than this many times the fastest are out of the level. */
const L1_LIMIT = 1.5;
const L2_LIMIT = 5;

let known: EffectiveCache | undefined;

/** Measured at the first call, which takes some 30 ms; known afterwards. Plausible values always. */
export function effectiveCacheBytes(): EffectiveCache {
  return (known ??=
    cacheFromLatencies(SIZES_KIB.map((kib) => [kib * 1024, latencyNs(kib * 1024)])) ?? advertised());
}

/** Levels from times per read by working set; null where the times show no levels. Pure. */
export function cacheFromLatencies(
  points: readonly (readonly [bytes: number, ns: number])[],
): EffectiveCache | null {
  const fastest = Math.min(...points.map(([, ns]) => ns));
  // The first size beyond the limit ends a level, whatever noise says of later ones.
  const lastWithin = (limit: number) => {
    const beyond = points.findIndex(([, ns]) => ns > fastest * limit);
    return beyond <= 0 ? undefined : points[beyond - 1]![0];
  };
  const l1 = lastWithin(L1_LIMIT);
  if (l1 === undefined || l1 < 16 * 1024 || l1 > 512 * 1024) return null;
  const l2 = lastWithin(L2_LIMIT) ?? points[points.length - 1]![0];
  return { l1, l2: Math.max(l1, l2), source: 'measured' };
}

/** Nanoseconds per dependent read over a working set: the least of several passes. */
function latencyNs(bytes: number): number {
  const stride = LINE_BYTES / Int32Array.BYTES_PER_ELEMENT;
  const lines = bytes / LINE_BYTES;
  const order = Array.from({ length: lines }, (_, i) => i);
  // One cycle through all lines (Sattolo), so that no prefetcher guesses and no line is left out.
  let state = 12_345;
  for (let i = lines - 1; i > 0; i -= 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const j = Math.floor((state / 2 ** 32) * i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const next = new Int32Array(bytes / Int32Array.BYTES_PER_ELEMENT);
  for (let i = 0; i < lines; i += 1) next[order[i]! * stride] = order[(i + 1) % lines]! * stride;
  const reads = Math.max(lines, 20_000);
  let least = Infinity;
  for (let pass = 0; pass < 6; pass += 1) {
    const startMs = performance.now();
    const end = follow(next, reads);
    const elapsedMs = performance.now() - startMs;
    // The end is used, so that the reads cannot be dropped.
    if (pass > 0 && end >= 0) least = Math.min(least, elapsedMs);
  }
  return (least * 1e6) / reads;
}

function follow(next: Int32Array, reads: number): number {
  let at = 0;
  for (let i = 0; i < reads; i += 1) at = next[at]!;
  return at;
}

function advertised(): EffectiveCache {
  const level = (index: number) => {
    try {
      const text = readFileSync(`/sys/devices/system/cpu/cpu0/cache/index${index}/size`, 'utf8');
      return Number.parseInt(text, 10) * 1024;
    } catch {
      return NaN; // Not on this platform.
    }
  };
  const [l1, l2] = [level(0), level(2)];
  return l1 > 0 && l2 > 0 ? { l1, l2, source: 'advertised' } : ASSUMED;
}
