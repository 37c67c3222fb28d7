/**
 * Statistics of any allocator as metrics, in the shape that profiles, stores and exporters take.
 *
 * The names are alike for all kinds, so that one chart or alert serves them all.
 */
import { measured, type Metrics } from '../model/metric.js';
import type { AllocatorStats } from './allocator-stats.js';

/**
 * `allocator.<name>.inUse`, `.capacity`, `.highWater`, `.growths`, `.exhausted`, `.waiting` (counts), `.bytes.inUse`,
 * `.bytes.capacity`, `.bytes.highWater` (bytes), `.fragmentation.internal` and `.fragmentation.external` (ratios). A
 * figure that the allocator does not have is left out; bytes that nobody knows are there as unavailable.
 *
 * @example
 * const metrics = allocatorMetrics(pool.stats());
 * metrics['allocator.frames.inUse'];   // { available: true, value: 12, unit: 'count' }
 */
export function allocatorMetrics(stats: AllocatorStats): Metrics {
  const metrics: Metrics = {};
  const prefix = `allocator.${stats.name}`;
  for (const key of ['inUse', 'capacity', 'highWater', 'growths', 'exhausted', 'waiting'] as const) {
    const value = stats[key];
    if (value !== null) metrics[`${prefix}.${key}`] = measured(value, 'count');
  }
  const { bytes } = stats;
  for (const key of ['inUse', 'capacity', 'highWater'] as const) {
    metrics[`${prefix}.bytes.${key}`] = bytes.available ? measured(bytes[key], 'bytes') : bytes;
  }
  if (!bytes.available) return metrics;
  if (bytes.internalFragmentation !== null) {
    metrics[`${prefix}.fragmentation.internal`] = measured(bytes.internalFragmentation, 'ratio');
  }
  metrics[`${prefix}.fragmentation.external`] = measured(bytes.externalFragmentation, 'ratio');
  return metrics;
}
