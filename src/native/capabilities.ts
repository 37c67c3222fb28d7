/** What the native part can do on this host, in sentences. The addon reports error numbers; the words are here. */
import type { ArrayContract } from './array-contract.js';
import { explainRefusal } from './counter-refusal.js';
import type { Capability, NativeCapabilities, NativeContract } from './contract.js';
import type { KernelContract } from './kernel-contract.js';

/** What the addon exports: the contract, but capabilities as errors, for this module to explain. */
export interface AddonExports
  extends Omit<NativeContract, 'capabilities' | 'implementation' | 'kernels'>, KernelContract, ArrayContract {
  /** POSIX name of what refuses each probe, '' where it works; in the order of {@link PROBES}. */
  probeCapabilities(): readonly string[];
}

/** In the order of `kProbes` in native/binding/capabilities.cc. */
export const PROBES = [
  'externalBuffers',
  'hugePages',
  'affinity',
  'threadClock',
  'threadStatistics',
  'profilerSignal',
  'softwareCounters',
  'hardwareCounters',
  'cgroup',
  'pressure',
] as const;

export type Probe = (typeof PROBES)[number];

const AVAILABLE: Capability = { available: true };

export function addonCapabilities(addon: AddonExports): NativeCapabilities {
  const refusals = addon.probeCapabilities();
  const codes = Object.fromEntries(PROBES.map((probe, i) => [probe, refusals[i] ?? 'ENOSYS']));
  return describeCapabilities(codes as Record<Probe, string>, process.platform);
}

/** The addon's capabilities from its probes: `''` works, else the POSIX name of the error. */
export function describeCapabilities(
  codes: Readonly<Record<Probe, string>>,
  platform: string,
): NativeCapabilities {
  const linux = platform === 'linux';
  /** Available, or the given words; on systems other than Linux the words for those. */
  const needs = (probe: Probe, reason: string, message: string, remedy: string): Capability => {
    if (codes[probe] === '') return AVAILABLE;
    if (!linux) return elsewhere(message);
    return { available: false, reason, message: `${message} (${codes[probe]}).`, remedy };
  };
  const counters = (probe: 'softwareCounters' | 'hardwareCounters'): Capability =>
    codes[probe] === '' ? AVAILABLE : explainRefusal(codes[probe], false, platform);

  return {
    addon: AVAILABLE,
    alignedRegions:
      codes.externalBuffers === ''
        ? AVAILABLE
        : { available: true, detail: 'Inside V8 buffers, over-allocated: this host refuses external ones.' },
    hugePages: needs(
      'hugePages',
      'OFF',
      'Transparent huge pages are off, or this kernel has none',
      'Set /sys/kernel/mm/transparent_hugepage/enabled to madvise.',
    ),
    affinity: needs(
      'affinity',
      'NOT_PERMITTED',
      'The CPUs of a thread cannot be read or set',
      'Allow sched_getaffinity and sched_setaffinity in the container’s seccomp profile.',
    ),
    threadClock: needs(
      'threadClock',
      'NOT_PERMITTED',
      'The CPU clock of a thread cannot be read',
      'Allow clock_gettime in the container’s seccomp profile.',
    ),
    threadStatistics: needs(
      'threadStatistics',
      'NO_PROCFS',
      'Run-queue statistics of threads cannot be read from /proc/self/task/*/schedstat',
      'Mount /proc; the kernel needs CONFIG_SCHED_INFO, which distributions set.',
    ),
    profilerSignalBlocking: needs(
      'profilerSignal',
      'NOT_SUPPORTED',
      'The event loop cannot block the profiler’s signal',
      'None; profile with a lower sampling rate to disturb an idle loop less.',
    ),
    softwareCounters: counters('softwareCounters'),
    hardwareCounters: counters('hardwareCounters'),
    cgroup: needs(
      'cgroup',
      'NO_CGROUP',
      'The control group of this process cannot be read',
      'Mount /sys/fs/cgroup in the container.',
    ),
    pressure: needs(
      'pressure',
      'NO_PSI',
      'The kernel does not report pressure',
      'Boot with psi=1, on a kernel with CONFIG_PSI.',
    ),
  };
}

function elsewhere(message: string): Capability {
  return {
    available: false,
    reason: 'PLATFORM',
    message: `${message} on this operating system.`,
    remedy: 'Run on Linux to have it.',
  };
}

/** The fallback's capabilities: what needs the addon, and what `/proc` alone gives. */
export function fallbackCapabilities(
  loadError: string,
  readable: { readonly threadStatistics: boolean; readonly cgroup: boolean; readonly pressure: boolean },
): NativeCapabilities {
  const missing: Capability = {
    available: false,
    reason: 'NO_ADDON',
    message: `The native addon is not loaded: ${loadError}`,
    remedy: addonRemedy(loadError),
  };
  const procfs = (works: boolean, path: string): Capability =>
    works
      ? AVAILABLE
      : {
          available: false,
          reason: process.platform === 'linux' ? 'NO_PROCFS' : 'PLATFORM',
          message: `${path} cannot be read.`,
          remedy:
            process.platform === 'linux'
              ? `Mount it in the container.`
              : 'Run on Linux to have what it reports.',
        };
  return {
    addon: missing,
    alignedRegions: missing,
    hugePages: missing,
    affinity: missing,
    threadClock: procfs(readable.threadStatistics, '/proc/thread-self/schedstat'),
    threadStatistics: procfs(readable.threadStatistics, '/proc/self/task/*/schedstat'),
    profilerSignalBlocking: missing,
    softwareCounters: missing,
    hardwareCounters: missing,
    cgroup: procfs(readable.cgroup, '/sys/fs/cgroup'),
    pressure: procfs(readable.pressure, '/proc/pressure'),
  };
}

/** The build tools are no dependencies: nobody who has a prebuilt binary needs them. */
const BUILD =
  'run `npm install --no-save node-gyp node-addon-api` and `node node_modules/system-optimizer/scripts/build-addon.js --force` in your project';

function addonRemedy(loadError: string): string {
  if (loadError.includes('SYSOPT_NATIVE')) return 'Unset SYSOPT_NATIVE.';
  // node-gyp-build looks for Alpine's libc by that file, and does not survive being refused the look.
  if (loadError.includes('permission model')) {
    return "Start Node with --allow-addons, and --allow-fs-read for the package's folder and /etc/alpine-release.";
  }
  if (loadError.includes('loading addons is disabled')) {
    return 'Start Node without --no-addons; under --permission, with --allow-addons.';
  }
  if (loadError.includes('No native build')) {
    return `There is no prebuilt binary for this platform: install a C++20 compiler, make and Python 3, then ${BUILD}.`;
  }
  return `Reinstall the package on this machine, or build the addon on it: ${BUILD}.`;
}
