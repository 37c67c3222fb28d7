/**
 * How much CPU this process may really use. `os.availableParallelism()` knows the affinity mask and, on newer
 * Node lines, the quota, but never less than one CPU; a container with half a CPU must not start threads.
 */
import { availableParallelism } from 'node:os';
import { loadNative } from '../native/load.js';
import { CGROUP_COLUMNS } from '../native/contract.js';

export interface CpuLimits {
  /** CPUs in the affinity mask of the process, also where the calling thread is pinned to fewer. */
  readonly allowedCpus: number;
  /** CPUs that the container's quota amounts to (may be fractional); undefined where there is no quota. */
  readonly quotaCpus?: number;
  /** The lesser of both: what to size thread counts by. May be below 1. */
  readonly effectiveCpus: number;
}

const QUOTA = CGROUP_COLUMNS.indexOf('quotaCpus');

/** Costs a few file reads. Never throws: what cannot be read is taken as unlimited. */
export function cpuLimits(): CpuLimits {
  const allowedCpus = allowedToProcess();
  const figures = new Float64Array(CGROUP_COLUMNS.length).fill(NaN);
  try {
    loadNative().readCgroup(figures);
  } catch {
    // No cgroup figures on this platform: unlimited.
  }
  const quotaCpus = figures[QUOTA]!;
  if (!Number.isFinite(quotaCpus)) return { allowedCpus, effectiveCpus: allowedCpus };
  return { allowedCpus, quotaCpus, effectiveCpus: Math.min(allowedCpus, quotaCpus) };
}

function allowedToProcess(): number {
  const ofThread = availableParallelism();
  const none = new Int32Array(0);
  try {
    const native = loadNative();
    const ofProcess = native.processAffinity(none);
    // Where they are equal, Node's figure stands: newer lines know the container's quota as well.
    return ofProcess > native.getAffinity(0, none) ? ofProcess : ofThread;
  } catch {
    return ofThread;
  }
}
