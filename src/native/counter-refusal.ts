import { readFileSync } from 'node:fs';

/** Why a counter gives no value. */
export type CounterReason =
  /** The machine shows no performance monitoring unit, as most virtual machines do not. */
  | 'NO_PMU'
  /** There is such a unit, without this event. */
  | 'EVENT_NOT_PROVIDED'
  /** The kernel's policy refuses it to this user. */
  | 'NOT_PERMITTED'
  /** A container's system call filter refuses it. */
  | 'FILTERED'
  /** It opens and stays at 0 whatever runs, as some virtual machines emulate it. */
  | 'NOT_COUNTING'
  /** Other users of the counters left it no time. */
  | 'NOT_SCHEDULED'
  /** This operating system has no such counters. */
  | 'PLATFORM'
  /** The native addon, which reads them, is not loaded. */
  | 'NO_ADDON'
  /** The process is at its limit of descriptors or memory. */
  | 'NO_RESOURCES';

export interface CounterRefusal {
  readonly available: false;
  readonly reason: CounterReason;
  readonly message: string;
  readonly remedy: string;
}

const TEXTS: Record<CounterReason, readonly [message: string, remedy: string]> = {
  NO_PMU: [
    'This machine shows the kernel no performance monitoring unit, as most cloud machines do not; no permission changes that.',
    'In a virtual machine, let the hypervisor pass the PMU through; else use a bare-metal host.',
  ],
  EVENT_NOT_PROVIDED: [
    'The processor, or the kernel on it, does not provide this event.',
    'None on this machine; the other events are not affected.',
  ],
  NOT_PERMITTED: [
    'The kernel does not let this user count this event.',
    'Set kernel.perf_event_paranoid to 1 or less (sysctl), or give the process CAP_PERFMON.',
  ],
  FILTERED: [
    'A system call filter, as containers have, refuses performance counters.',
    'Allow perf_event_open in the seccomp profile (with Docker: --cap-add PERFMON, or a profile of your own).',
  ],
  NOT_COUNTING: [
    'The counter opens but stays at 0 while the processor works.',
    'The hypervisor emulates it without counting; let it pass the PMU through, or use a bare-metal host.',
  ],
  NOT_SCHEDULED: [
    'The kernel gave the counter no time on the processor: others use all of them.',
    'Ask for fewer events, stop other profilers, or turn off the watchdog (kernel.nmi_watchdog=0).',
  ],
  PLATFORM: [
    'This operating system has no counters that this library can read.',
    'Run on Linux to have them.',
  ],
  NO_ADDON: [
    'Counters are read by the native addon, which is not loaded.',
    'Run `sysopt doctor` to see what would make the addon load.',
  ],
  NO_RESOURCES: [
    'The process has no descriptors or memory left for the counter.',
    'Raise its limit of open files (ulimit -n), or close counters that are no longer needed.',
  ],
};

/** `kernel.perf_event_paranoid`; undefined where the kernel has no counters or hides the file. */
function paranoidLevel(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The reason as an unavailable value with its sentence and remedy. */
export function refuse(reason: CounterReason): CounterRefusal {
  const [message, remedy] = TEXTS[reason];
  return { available: false, reason, message, remedy };
}

/**
 * What an error of `perf_event_open(2)` means. The kernel's policy answers EACCES, Docker's filter EPERM,
 * podman's ENOSYS; a machine without PMU answers ENOENT for every hardware event.
 *
 * @param code POSIX name of the error.
 * @param hasPmu whether another hardware event could be opened.
 */
export function explainRefusal(code: string, hasPmu: boolean, platform: string): CounterRefusal {
  if (platform !== 'linux') return refuse('PLATFORM');
  switch (code) {
    case 'ENOENT':
    case 'ENODEV':
    case 'ENXIO':
      return refuse(hasPmu ? 'EVENT_NOT_PROVIDED' : 'NO_PMU');
    case 'EACCES':
      return notPermitted();
    case 'ENOSYS':
      // The file is there wherever the kernel has the call.
      return paranoidLevel() === undefined ? refuse('PLATFORM') : refuse('FILTERED');
    case 'EPERM':
      return refuse('FILTERED');
    case 'EBUSY':
      return refuse('NOT_SCHEDULED');
    case 'ENODATA':
      return refuse('NOT_COUNTING');
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOMEM':
      return refuse('NO_RESOURCES');
    default:
      return refuse('EVENT_NOT_PROVIDED');
  }
}

function notPermitted(): CounterRefusal {
  const refusal = refuse('NOT_PERMITTED');
  const level = paranoidLevel();
  if (level === undefined) return refusal;
  return {
    ...refusal,
    message: `The kernel does not let this user count this event: perf_event_paranoid is ${level}, and the process has no CAP_PERFMON.`,
  };
}
