import { describe, expect, it } from 'vitest';
import { curveSizes, effectiveCaches } from '../../../dist/host/latency-curve.js';

const KIB = 1024;
const MIB = KIB * KIB;
/** Random access over caches of given sizes: what does not fit costs the next level. */
function curve(
  caches: readonly (readonly [sizeBytes: number, latencyNs: number])[],
  memoryNs: number,
  largest: number,
) {
  return curveSizes(largest).map((sizeBytes) => {
    let latencyNs = memoryNs;
    for (const [size, ns] of [...caches].reverse()) {
      const hits = Math.min(1, size / sizeBytes);
      latencyNs = hits * ns + (1 - hits) * latencyNs;
    }
    return { sizeBytes, latencyNs };
  });
}

describe('effective caches', () => {
  it('are found within a third of their sizes', () => {
    const { caches, memoryLatencyNs } = effectiveCaches(
      curve(
        [
          [48 * KIB, 1.7],
          [2 * MIB, 5.5],
          [32 * MIB, 25],
        ],
        120,
        2048 * MIB,
      ),
    );
    const sizes = [48 * KIB, 2 * MIB, 32 * MIB];
    expect(caches).toHaveLength(3);
    caches.forEach(({ sizeBytes }, i) =>
      expect(Math.abs(Math.log2(sizeBytes / sizes[i]!))).toBeLessThan(0.42),
    );
    expect(memoryLatencyNs).toBeGreaterThan(100);
  });

  it('are none on a flat or empty curve, and noise on memory is no cache', () => {
    expect(effectiveCaches([])).toEqual({ caches: [] });
    const flat = curveSizes(MIB).map((sizeBytes) => ({ sizeBytes, latencyNs: 2 }));
    expect(effectiveCaches(flat)).toEqual({ caches: [], memoryLatencyNs: 2 });
    const noisy = flat.map(({ sizeBytes }, i) => ({ sizeBytes, latencyNs: i < flat.length / 2 ? 100 : 135 }));
    expect(effectiveCaches(noisy).caches).toEqual([]);
  });
});
