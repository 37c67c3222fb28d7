/**
 * What a measurement was made on, and what the host did meanwhile. Everything here is read from node:os and a
 * few kernel files: it starts no process, so it may be called between measurements.
 */
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import type { MeasuredOn } from '../model/config.js';
import type { Environment, HostFingerprint } from '../model/fingerprint.js';
import { HOST_CPU_COLUMNS } from '../native/contract.js';
import { loadNative } from '../native/load.js';
import { cpuLimits } from './limits.js';
import { libraryVersion } from './version.js';

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // Not on this platform, or hidden by the container.
  }
}

let fingerprint: HostFingerprint | undefined;

/** Identity of this host as far as it decides measured results. Computed once per process. */
export function hostFingerprint(): HostFingerprint {
  if (fingerprint) return fingerprint;
  const processors = cpus();
  const { quotaCpus } = cpuLimits();
  const cpuFlags = readLine('/proc/cpuinfo')?.match(/^flags\s*:.*$/m)?.[0];
  const fields = {
    platform: platform(),
    arch: arch(),
    cpuModel: processors[0]?.model.trim() || 'unknown',
    logicalCpus: processors.length,
    ...(quotaCpus !== undefined && { quotaCpus }),
    memoryBytes: totalmem(),
    kernel: release(),
    ...(cpuFlags !== undefined && { virtualised: cpuFlags.includes(' hypervisor') }),
  };
  // Total memory differs by a few pages between boots of one machine: only its magnitude identifies.
  const identity = { ...fields, memoryBytes: Math.round(fields.memoryBytes / 2 ** 30) };
  // Not imported: that would read every lazy property of the module, 3 ms at each start of a service.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const id = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  fingerprint = { id, ...fields };
  return fingerprint;
}

/** What a choice that is measured in this process counts for. */
export function measuredHere(): MeasuredOn {
  return { hostId: hostFingerprint().id, node: process.version, library: libraryVersion() };
}

/** Host, runtime and conditions now. `stealShare` belongs to a window: see `observeHost`. */
export function captureEnvironment(): Environment {
  const governor = readLine('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor');
  return {
    host: hostFingerprint(),
    node: process.version,
    v8: process.versions.v8,
    flags: [...process.execArgv, ...(process.env.NODE_OPTIONS?.split(/\s+/).filter(Boolean) ?? [])],
    ...(governor !== undefined && { governor }),
    // Windows reports zeros, which would read as an idle host.
    ...(platform() !== 'win32' && { loadAverage: loadavg()[0]! }),
    libraryVersion: libraryVersion(),
  };
}

export interface HostObservation {
  /** Share of host CPU time (0 to 1) that the hypervisor took; undefined where the kernel does not tell. */
  readonly stealShare?: number;
  /** Share of host CPU time (0 to 1) that was not idle. */
  readonly busyShare?: number;
}

/**
 * Watches the whole host between this call and `finish()`. Two kernel reads, nothing in between.
 *
 * @example
 * const host = observeHost();
 * await measure();
 * const { stealShare } = host.finish();
 */
export function observeHost(): { finish(): HostObservation } {
  const before = hostTimes();
  return {
    finish() {
      const spent = hostTimes().map((time, i) => time - before[i]!);
      const total = spent.reduce((sum, time) => sum + time, 0);
      if (!(total > 0)) return {};
      const of = (column: (typeof HOST_CPU_COLUMNS)[number]) =>
        spent[HOST_CPU_COLUMNS.indexOf(column)]! / total;
      return { stealShare: of('stealNs'), busyShare: 1 - of('idleNs') - of('iowaitNs') };
    },
  };
}

function hostTimes(): number[] {
  const times = new Float64Array(HOST_CPU_COLUMNS.length).fill(NaN);
  loadNative().readHostCpu(times);
  return [...times];
}
