/**
 * A sampler of the user's, so that nothing it does can keep a profile from being stored: one that answers later than it
 * returns fails at once (its rejection would end the process), and figures that are none are left out. That it throws
 * is dealt with by the session, as for the built-in ones.
 */
import { describe, fail } from '../errors.js';
import type { Metric } from '../model/metric.js';
import type { Gathered, Sampler } from './sampler.js';

export function checkedSampler(sampler: Sampler): Sampler {
  return {
    name: sampler.name,
    start: (window) => requireDone('start', sampler.start(window)),
    ...(sampler.tick && {
      tick: (values: Record<string, number>) => {
        const own: Record<string, number> = {};
        requireDone('tick', sampler.tick!(own));
        for (const [name, value] of Object.entries(own)) if (Number.isFinite(value)) values[name] = value;
      },
    }),
    stop: (gathered) => {
      const before = { ...gathered.metrics };
      requireDone('stop', sampler.stop(gathered));
      keepMetrics(sampler.name, gathered, before);
    },
    ...(sampler.late && {
      late: async (gathered: Gathered) => {
        const before = { ...gathered.metrics };
        await sampler.late!(gathered);
        keepMetrics(sampler.name, gathered, before);
      },
    }),
    ...(sampler.release && { release: () => requireDone('release', sampler.release!()) }),
  };
}

function requireDone(method: string, returned: unknown): void {
  if (!(returned instanceof Promise)) return;
  returned.catch(() => {});
  throw fail('INVALID_ARGUMENT', {
    name: `What ${method}() returned`,
    actual: 'a promise',
    expected: 'a method that is done when it returns; late() may be asynchronous',
  });
}

/** Takes out what the store would refuse the whole result for. */
function keepMetrics(sampler: string, { metrics, warnings }: Gathered, before: Gathered['metrics']): void {
  for (const [name, metric] of Object.entries(metrics)) {
    if (metric === before[name] || isMetric(metric)) continue;
    delete metrics[name];
    if (before[name] !== undefined) metrics[name] = before[name];
    warnings.push(
      `The sampler "${sampler}" gave ${describe(metric)} for "${name}", which is left out: measured() and unavailable() make metrics.`,
    );
  }
}

function isMetric(value: unknown): value is Metric {
  if (typeof value !== 'object' || value === null) return false;
  const metric = value as Readonly<Record<string, unknown>>;
  if (metric['available'] === true) {
    return Number.isFinite(metric['value']) && typeof metric['unit'] === 'string';
  }
  return (
    metric['available'] === false &&
    [metric['reason'], metric['message'], metric['remedy']].every((text) => typeof text === 'string')
  );
}
