/**
 * The stored host probe: `hosts/<fingerprint>.json`, one per host, so that hosts that share a store (a folder in a
 * repository, a network disk) do not take turns in overwriting each other's. It is an estimate that can be measured
 * again: a file that cannot be read counts as none. Read at the first use of a cache size, on the event loop, so it is
 * synchronous and checked by hand.
 */
import { readFileSync } from 'node:fs';
import type { HostProbe } from '../model/host-probe.js';
import type { Layout } from './layout.js';

/** Of this version, and of this host; null where there is none. */
export function readHostProbe(layout: Layout, hostId: string): HostProbe | null {
  let probe: HostProbe | null;
  try {
    probe = JSON.parse(readFileSync(layout.host(hostId), 'utf8')) as HostProbe | null;
  } catch {
    return null;
  }
  const isProbe =
    probe?.schemaVersion === 1 &&
    probe.host?.id === hostId &&
    !Number.isNaN(Date.parse(probe.measuredAt)) &&
    areSizes(probe.latencyCurve) &&
    areSizes(probe.effectiveCaches) &&
    typeof probe.topology === 'object';
  return isProbe ? probe : null;
}

function areSizes(points: unknown): boolean {
  return (
    Array.isArray(points) &&
    points.every(
      (point: { sizeBytes?: unknown; latencyNs?: unknown } | null) =>
        Number(point?.sizeBytes) > 0 && Number(point?.latencyNs) > 0,
    )
  );
}
