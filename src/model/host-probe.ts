import type { HostFingerprint } from './fingerprint.js';
import type { Metric } from './metric.js';

/** What the kernel says of the machine. A part that it does not tell is left out. */
export interface HostTopology {
  readonly logicalCpus: number;
  readonly physicalCores?: number;
  readonly packages?: number;
  /** Logical CPUs that share one core, where any do. */
  readonly smtSiblings: readonly (readonly number[])[];
  /** CPUs of the cpuset and affinity mask of this process. */
  readonly allowedCpus: readonly number[];
  readonly caches: readonly AdvertisedCache[];
  readonly numaNodes: readonly { readonly node: number; readonly cpus: readonly number[] }[];
  readonly cgroup: {
    readonly version?: 1 | 2;
    readonly quotaCpus?: number;
    readonly memoryLimitBytes?: number;
  };
  readonly hugePages: {
    /** Of transparent huge pages: `always`, `madvise` or `never`. */
    readonly transparent?: string;
    readonly sizeBytes?: number;
    /** Reserved ahead (hugetlbfs). */
    readonly reservedPages?: number;
  };
  readonly governor?: string;
  readonly clockSource?: string;
}

/** As the processor advertises it to the kernel; what a virtual machine gets of it is another matter. */
export interface AdvertisedCache {
  readonly level: number;
  readonly kind: 'data' | 'instruction' | 'unified';
  readonly sizeBytes: number;
  readonly lineBytes?: number;
  readonly sharedBy: readonly number[];
}

/** Latency of one access in a random pointer chase over so much memory. */
export interface LatencyPoint {
  readonly sizeBytes: number;
  readonly latencyNs: number;
}

/** A level of the latency curve: what fits into it costs about the same. */
export interface EffectiveCache {
  /** Up to here an access costs no more than a quarter above the level's latency. */
  readonly sizeBytes: number;
  readonly latencyNs: number;
}

/**
 * What this machine's memory, clock and calls cost, measured once and kept until the machine changes. Estimates, not
 * promises: neighbours on the host and the clock rate move them.
 */
export interface HostProbe {
  readonly schemaVersion: 1;
  readonly label: 'estimated';
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly durationMs: number;
  /** How the figures came about, for people. */
  readonly method: string;
  readonly host: HostFingerprint;
  readonly topology: HostTopology;
  readonly latencyCurve: readonly LatencyPoint[];
  /** Pages under the latency curve: with huge ones it shows caches alone, with small ones page walks too. */
  readonly pages: 'huge' | 'small';
  /** False where the budget or the memory limit ended the curve below four times the last advertised cache. */
  readonly curveComplete: boolean;
  /** By the curve, smallest first, without main memory. Empty where nothing could be measured. */
  readonly effectiveCaches: readonly EffectiveCache[];
  /** Latency of main memory, ns: the level behind the last cache. */
  readonly memoryLatency: Metric;
  /** What small pages add to an access beyond the caches, ns. */
  readonly pageWalk: Metric;
  /** Cost of an atomic addition to a line that another core writes, over one to a line of its own: above 1 is the penalty. */
  readonly falseSharing: Metric;
  /** Of one thread reading main memory in order. */
  readonly readBandwidth: Metric;
  /** Least step of the monotonic clock, ns. */
  readonly timerResolution: Metric;
  readonly systemCall: Metric;
  /** An empty call from JavaScript into the addon and back, ns. */
  readonly nativeCall: Metric;
}
