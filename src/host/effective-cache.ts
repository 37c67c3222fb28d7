/**
 * Sizes of caches as programs find them: a chain of dependent reads in random order over growing working sets, whose
 * time per read steps up where a level ends. Advertised sizes are the fallback, and only that: virtual machines
 * advertise what they share with their neighbours (measured: 32 MiB advertised, reads slow down at 4 to 6 MiB).
 *
 * Everything that chooses by cache sizes asks here: the stored host probe where an optimizer has one for this host,
 * else a short measurement, else what is advertised, else what nearly every processor has.
 */
import { readFileSync } from 'node:fs';
import type { HostProbe } from '../model/host-probe.js';

export interface EffectiveCache {
  /** Bytes of the first level of data cache. */
  readonly l1: number;
  /** Bytes that are still read at the speed of the second level. */
  readonly l2: number;
  /** Bytes of the last level that was found: a multiple of it lies in main memory for the greater part. */
  readonly last: number;
  /** `probed`: by the stored host probe; `measured`: by a short measurement of this process. */
  readonly source: 'probed' | 'measured' | 'advertised' | 'assumed';
}

/** What nearly all processors of the last ten years have at least. */
const ASSUMED: EffectiveCache = {
  l1: 32 * 1024,
  l2: 256 * 1024,
  last: 4 * 1024 * 1024,
  source: 'assumed',
};
const LINE_BYTES = 64;
const SIZES_KIB = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048, 4096];
/** Reads slower than this many times the fastest are out of the level. */
const L1_LIMIT = 1.5;
const L2_LIMIT = 5;
const MAX_BELIEVED_BYTES = 32 * 1024 * 1024;

let known: EffectiveCache | undefined;
let findProbe: (() => HostProbe | null) | undefined;

/**
 * Where the host probe is found, asked when a size is next needed: of an optimizer's store, so that starting one reads
 * nothing. The last one given holds; one process runs on one host.
 */
export function useHostProbe(find: () => HostProbe | null): void {
  findProbe = find;
}

/** Of the stored host probe; else measured at the first call, which takes some 30 ms. Plausible values always. */
export function effectiveCacheBytes(): EffectiveCache {
  const probe = findProbe?.() ?? null;
  findProbe = undefined;
  known = (probe && cacheFromProbe(probe)) ?? known;
  return (known ??=
    cacheFromLatencies(SIZES_KIB.map((kib) => [kib * 1024, latencyNs(kib * 1024)])) ?? advertised());
}

/** Sizes out of a host probe; null where its curve shows no plausible first level. Pure. */
export function cacheFromProbe({
  effectiveCaches,
}: Pick<HostProbe, 'effectiveCaches'>): EffectiveCache | null {
  const [first, second = first] = effectiveCaches;
  if (!first || !second || !isFirstLevel(first.sizeBytes)) return null;
  const last = effectiveCaches[effectiveCaches.length - 1]!.sizeBytes;
  return { l1: first.sizeBytes, l2: second.sizeBytes, last, source: 'probed' };
}

function isFirstLevel(bytes: number): boolean {
  return bytes >= 16 * 1024 && bytes <= 512 * 1024;
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
  if (l1 === undefined || !isFirstLevel(l1)) return null;
  const l2 = lastWithin(L2_LIMIT) ?? points[points.length - 1]![0];
  return { l1, l2: Math.max(l1, l2), last: Math.max(l1, l2), source: 'measured' };
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
  const [l1, l2, l3] = [level(0), level(2), level(3)];
  // Of an advertised last cache a virtual machine gets a part that nobody tells: not more than this is believed.
  const last = Math.min(l3 > 0 ? l3 : l2, MAX_BELIEVED_BYTES);
  return l1 > 0 && l2 > 0 ? { l1: l1, l2: l2, last: Math.max(last, l2), source: 'advertised' } : ASSUMED;
}
