/**
 * The native contract without the addon: what Node and `/proc` give, an area a file in fallback/. Slower, and with less:
 * what cannot be had is reported as refused, throws ENOSYS or returns false, as the contract says.
 */
import { fallbackCapabilities } from './capabilities.js';
import type { NativeContract } from './contract.js';
import { createCounters } from './fallback/counters.js';
import { figures } from './fallback/figures.js';
import { probes } from './fallback/probes.js';
import { createRegions } from './fallback/regions.js';
import { samples } from './fallback/samples.js';
import { threads } from './fallback/threads.js';
import { readCgroupFigures, readText } from './procfs.js';

/** @param loadError why the addon is not in use, for `capabilities()`. */
export function createFallback(loadError: string): NativeContract {
  return {
    implementation: 'fallback',
    capabilities: () =>
      fallbackCapabilities(loadError, {
        threadStatistics: readText('/proc/thread-self/schedstat') !== undefined,
        cgroup: readCgroupFigures().some((figure) => Number.isFinite(figure)),
        pressure: readText('/proc/pressure/cpu') !== undefined,
      }),
    ...createRegions(),
    ...threads,
    ...figures,
    ...createCounters(),
    ...probes,
    ...samples,
  };
}
