/**
 * What every export of the native addon does, in terms of the caller. The addon (`native/binding`) and the
 * TypeScript fallback (`fallback.ts`, `fallback/`) both meet this contract; one test suite runs over both.
 *
 * Conventions
 * - Calls are coarse, and numbers come back in typed arrays that the caller owns: an object of five numbers
 *   costs 28 to 41 empty native calls, a bound write costs one.
 * - In a filled array NaN marks a figure that this host does not give. The readers in `src/host`,
 *   `src/profiling` and `src/counters` turn it into an unavailable metric; NaN goes no further.
 * - A failing call throws an error with `code` (POSIX name, e.g. `ENOMEM`), `errno` (number), `syscall` and a
 *   message. Bad arguments throw `TypeError` or `RangeError`. No call crashes the process, whatever is passed.
 * - Times are nanoseconds since an arbitrary origin unless a name says otherwise; sizes are bytes.
 */
import type { ArrayContract } from './array-contract.js';
import type { KernelContract } from './kernel-contract.js';

export interface NativeContract {
  readonly implementation: 'addon' | 'fallback';

  /** Bulk kernels over columns and over whole typed arrays; absent without the addon. */
  readonly kernels?: KernelContract & ArrayContract;

  /** What this implementation can do on this host, and why not where it cannot. Costs system calls. */
  capabilities(): NativeCapabilities;

  // --- Regions: aligned memory outside the JavaScript heap -------------------------------------------------

  /**
   * Reserves a private region. It starts at a multiple of the grant's `alignmentBytes`, `offsetBytes` into the
   * buffer, and is zeroed. The addon grants the alignment that was asked for; the fallback cannot know addresses
   * and grants what V8 promises for every buffer, 8.
   *
   * @param sizeBytes 1 to 2^40. Rounded up to whole pages where it is mapped.
   * @param alignmentBytes power of two from 8 to 2^30.
   * @param hugePages 0 never, 1 advise (fall back silently, `grant` tells), 2 require (throws where refused).
   * @param prefault touch every page now, so that no later access faults.
   * @throws ENOMEM, EINVAL; RangeError for sizes and alignments outside the limits.
   */
  regionCreate(
    sizeBytes: number,
    alignmentBytes: number,
    hugePages: 0 | 1 | 2,
    prefault: boolean,
  ): RegionGrant;

  /**
   * Detaches the region's buffer, then frees its memory. Views that the caller kept read `undefined` and
   * ignore writes afterwards. False where `id` is not open (closing twice is harmless).
   *
   * Safe while the thread pool works on a mapped region: its address range outlives that work and reads as zeros.
   * A region inside V8's own buffer (`source` is `array-buffer`) is like any transferred buffer: no asynchronous
   * call may still be working on it. A region whose buffer becomes unreachable is closed by the collector.
   */
  regionClose(id: number): boolean;

  /**
   * Gives whole pages inside the range back to the system; they read as zeros afterwards. Returns bytes given
   * back: 0, and nothing changed, where the region lies inside V8's own buffer.
   */
  regionTrim(id: number, offsetBytes: number, lengthBytes: number): number;

  /**
   * Fills `[residentBytes, hugeBytes]` for an open region, as the kernel reports it now. Slow (milliseconds).
   * `hugeBytes` is NaN where the kernel merged the mapping with a neighbour's and the two cannot be told apart.
   */
  regionResidency(id: number, out: Float64Array): void;

  /** Number of open regions in this environment, for leak checks. */
  regionCount(): number;

  /** Address of a view's first byte. 0n where it cannot be known (fallback) or the buffer is detached. */
  addressOf(view: ArrayBufferView): bigint;

  /** Advises huge pages for memory that the caller allocated (shared buffers). False where refused. */
  adviseHugePages(view: ArrayBufferView): boolean;

  /**
   * Binds the whole pages of a view to a NUMA node, moving those that are present.
   * @param node 0 to 1023.
   * @throws ENOSYS or ENOTSUP where the system has no nodes, EINVAL for one that is not there or a view without a
   *   whole page, EIO where a page could not move, EPERM.
   */
  bindToNode(view: ArrayBufferView, node: number): void;

  /**
   * Gives the whole pages of a view on shared memory back to the system; whoever reads them finds zeros. Returns the
   * bytes given back: 0 where only the runtime may do that.
   * @throws TypeError for a view on private memory.
   */
  discardShared(view: ArrayBufferView): number;

  /** As `regionResidency`, for the pages that any view lies in. NaN where it cannot be known. */
  viewResidency(view: ArrayBufferView, out: Float64Array): void;

  // --- Threads ---------------------------------------------------------------------------------------------

  /** Kernel id of the calling thread; 0 where unknown. */
  currentThreadId(): number;

  /**
   * Keeps a thread (`tid` 0: the caller) off the CPU that the calling thread is on, until `letBack` or the next call: who wakes
   * it meanwhile wakes it elsewhere. False, and nothing is changed, where it is gone, has not exactly the CPUs of the process (as
   * others are somebody's doing), may run nowhere else, or the system cannot.
   */
  keepOffCpu(tid: number): boolean;

  /** Gives the thread of the last `keepOffCpu` the CPUs that it had. */
  letBack(): void;

  /** CPU time of the calling thread in ns, NaN where unknown. */
  threadCpuTimeNs(): number;

  /** CPUs that a thread may run on (`tid` 0: the caller) into `out`; returns how many there are. */
  getAffinity(tid: number, out: Int32Array): number;

  /** @throws EINVAL for CPUs that do not exist or are not allowed here, ESRCH for a thread that is gone. */
  setAffinity(tid: number, cpus: Int32Array): void;

  /**
   * CPUs of the process as they were when the library was first loaded in it (those of its main thread), into `out`;
   * returns how many there are, 0 where the system does not tell.
   */
  processAffinity(out: Int32Array): number;

  /**
   * Lets the calling thread run on the CPUs of the process again. A thread starts with the mask of the thread that made
   * it, so one that was made in a pinned thread would stay on that thread's CPU. False where not possible.
   */
  useProcessAffinity(): boolean;

  /**
   * How far a thread (`tid` 0: the caller) gives way to others, 0 (not at all) to 19, as of `nice(1)`.
   * @throws EACCES where it gives way further already and the process may not raise it, ESRCH, ENOTSUP on macOS.
   */
  setNice(tid: number, nice: number): void;

  /** Counts the calling thread among `computeThreads` until it ends. Once is enough. */
  countComputeThread(): void;

  /**
   * Threads of this library's pools that live in the process, whichever thread made their pool; NaN where that is not
   * known (without the addon).
   */
  computeThreads(): number;

  /** Names the calling thread as `top -H` shows it; cut at 15 bytes. False where not possible. */
  setThreadName(name: string): boolean;

  /**
   * Whether the event loop of the calling environment blocks SIGPROF while it polls. On: a sampling profiler
   * no longer wakes an idle loop, which would raise its measured utilisation from 0.01 to 0.5.
   * False where not supported.
   */
  blockProfilerSignal(): boolean;

  // --- Kernel figures (Linux procfs; NaN elsewhere) --------------------------------------------------------

  /** Fills one row of `THREAD_COLUMNS` per thread of this process; returns the number of threads (may exceed the rows). */
  readThreads(out: Float64Array): number;

  /** Name of a thread of this process; empty where it is gone or unknown. */
  threadName(tid: number): string;

  /** Fills `PROCESS_COLUMNS` for this process. */
  readProcess(out: Float64Array): void;

  /** Fills `HOST_CPU_COLUMNS`. */
  readHostCpu(out: Float64Array): void;

  /** Fills `SMAPS_COLUMNS` for this process. Costs about a millisecond. */
  readMemoryMap(out: Float64Array): void;

  /** Fills `CGROUP_COLUMNS` for the cgroup (v1 or v2) of this process. */
  readCgroup(out: Float64Array): void;

  /** Fills `PRESSURE_COLUMNS`. */
  readPressure(out: Float64Array): void;

  /**
   * Fills `TICK_COLUMNS`: what a sampler reads ten times a second, in one call of 9.5 µs (median of 10,000 calls in
   * a tight loop, three runs, 2-core virtual machine). The files stay open from the first call to `closeTick`.
   */
  readTick(out: Float64Array): void;

  /** Closes the files of `readTick`; the next call opens them again. */
  closeTick(): void;

  // --- Counters --------------------------------------------------------------------------------------------

  /**
   * Opens counters on a thread of this process (`inherit` false) or on it and every thread it starts later.
   * Every event is probed singly with the kernel part excluded, then grouped where possible, and tested over a
   * known loop; an event that cannot be had is reported in `events`, and never stops the others.
   *
   * @param events four numbers an event: type, config, config1 as in `perf_event_open(2)`, and the sum of
   *   {@link COUNTER_FLAGS}. At most 64 events.
   * @param tid kernel id of the thread; 0 or left out for the calling one. Another thread's counters cannot be
   *   tested by the loop, nor read without the kernel.
   */
  countersOpen(events: Float64Array, inherit: boolean, tid?: number): CounterGrant;

  /**
   * Fills three numbers per event of the open call, in its order: value, time enabled ns, time running ns;
   * all NaN for an event that is not open. Reads without the kernel where the processor and the kernel allow
   * that at this moment, unless `throughKernel`. Returns how many groups were read so.
   *
   * @throws EIO where the kernel gave fewer numbers than there are events.
   */
  countersRead(id: number, out: Float64Array, throughKernel?: boolean): number;

  /**
   * Sets where {@link countersReadBound} writes: a view of a SharedArrayBuffer, three numbers an event and one more.
   * Shared, because the memory of any other buffer can be detached and freed while it is bound.
   */
  countersBind(id: number, out: Float64Array): void;

  /** As `countersRead` into the bound array; the number behind the last event's is the time of the reading, in ns. */
  countersReadBound(id: number): void;

  /** False where `id` is not open. */
  countersClose(id: number): boolean;

  // --- What the calling thread executes, native code included (Linux, x86-64 and arm64) ---------------------

  /**
   * Samples the calling thread each time that it has used `intervalUs` (100 to 1,000,000) more of its own CPU clock;
   * the kernel rounds up to its tick, so that 250 samples a second are a usual upper end. Each keeps the program
   * counter and up to 15 return addresses that frame pointers lead to. A thread that sleeps is not woken. Forgets
   * samples that were not taken. 1 MiB at most, however long it runs: of more than 8,192 samples every second, fourth …
   * is kept.
   *
   * @throws EALREADY where the thread is sampled already, EBUSY where another of the process is or no real-time
   *   signal is free, ENOTSUP or ENOSYS where there is no such clock, ENOMEM, and what timer_create(2) gives.
   */
  stackSamplesStart(intervalUs: number): void;

  /** Ends it; the samples stay. False where none were being taken. Microseconds. */
  stackSamplesStop(): boolean;

  /**
   * The samples with names, and forgets them. Reads the symbol tables of the files in question: 3 to 15 ms for
   * Node's (2.7 MiB are read, in pieces of 96 KiB).
   * @throws EBUSY while samples are being taken.
   */
  stackSamplesTake(): StackSamples;

  // --- What this machine costs (blocking: call from a thread of its own) -----------------------------------

  /**
   * Nanoseconds an access in a random pointer chase over the first `sizeBytes` of `memory`, which is overwritten:
   * the median of seven windows within `budgetNs` (up to 10 s; setting the chain up comes on top). NaN for fewer
   * than two steps of `strideBytes` (a multiple of 8), and where it cannot be measured.
   */
  probeLatency(memory: ArrayBufferView, sizeBytes: number, strideBytes: number, budgetNs: number): number;

  /** Bytes a second that one thread reads in order; NaN for fewer than 64 bytes. */
  probeBandwidth(memory: ArrayBufferView, sizeBytes: number, budgetNs: number): number;

  /** Fills `CLOCK_COLUMNS`. About a millisecond. */
  probeClocks(out: Float64Array): void;

  /** Does nothing: what crossing into native code costs. */
  emptyCall(): void;
}

export interface RegionGrant {
  readonly id: number;
  readonly buffer: ArrayBuffer;
  /** How the memory was obtained. `array-buffer`: over-allocated inside V8's own buffer. */
  readonly source: 'mmap' | 'aligned-alloc' | 'array-buffer';
  /** Offset of the aligned start within `buffer`; 0 except for `array-buffer`. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly alignmentBytes: number;
  /** `advised`: the kernel accepted the advice; `regionResidency` tells what it really gave. */
  readonly hugePages: 'none' | 'advised' | 'refused';
  readonly prefaulted: boolean;
}

/** `countersOpen`: the fourth number of an event, added up. */
export const COUNTER_FLAGS = {
  /** Cannot be 0 over any work: an event that is does not count. */
  mustCount: 1,
  /** Wants the kernel part of a hardware event too. Software events have it wherever it is permitted. */
  includeKernel: 2,
} as const;

export interface CounterGrant {
  readonly id: number;
  /** Per event asked for, in order: 0 where it is open, else the errno that refused it. */
  readonly events: readonly {
    readonly errno: number;
    readonly code: string;
    readonly excludesKernel: boolean;
    /** Events of one group are counted at the same instants; -1 where not open. */
    readonly group: number;
  }[];
}

/** `stackSamplesTake`. */
export interface StackSamples {
  /** All that were taken; fewer are kept after a long run. */
  readonly taken: number;
  /** Frames a sample in `stacks`. */
  readonly depth: number;
  /** `depth` numbers a sample, of `frames`: what ran, then its callers outwards; -1 from the end of a stack on. */
  readonly stacks: Int32Array;
  readonly frames: readonly StackFrame[];
  readonly modules: readonly StackModule[];
  readonly bytesRead: number;
}

export interface StackFrame {
  /** Readable name of the function, empty where no symbol holds the address. */
  readonly name: string;
  /** Number in `modules`; -1 for memory without a file, such as compiled JavaScript; -2 where nothing is any more. */
  readonly module: number;
  /** The thread was in the kernel, called from here. */
  readonly inKernel: boolean;
}

export interface StackModule {
  /** As the kernel tells it: with ` (deleted)` where the file was replaced, `[vdso]` for its own. */
  readonly path: string;
  /** `full`: every function has a name. `exported`: those that others may call. `none`: stripped, or not readable. */
  readonly symbols: 'full' | 'exported' | 'none';
  /** POSIX name of what kept the file from being read, '' where nothing did. */
  readonly code: string;
}

export type Capability =
  | { readonly available: true; readonly detail?: string }
  | { readonly available: false; readonly reason: string; readonly message: string; readonly remedy: string };

export interface NativeCapabilities {
  readonly addon: Capability;
  /** Private regions outside the heap with exact alignment. */
  readonly alignedRegions: Capability;
  readonly hugePages: Capability;
  readonly affinity: Capability;
  readonly threadClock: Capability;
  readonly threadStatistics: Capability;
  readonly profilerSignalBlocking: Capability;
  readonly softwareCounters: Capability;
  readonly hardwareCounters: Capability;
  readonly cgroup: Capability;
  readonly pressure: Capability;
}

/** `readThreads`: per thread. Times are cumulative. */
export const THREAD_COLUMNS = ['tid', 'onCpuNs', 'runnableNs', 'timeslices', 'lastCpu'] as const;

/** `readProcess`. */
export const PROCESS_COLUMNS = [
  'userNs',
  'systemNs',
  'minorFaults',
  'majorFaults',
  'voluntarySwitches',
  'involuntarySwitches',
  'residentBytes',
  'threads',
  'openDescriptors',
] as const;

/** `readHostCpu`: cumulative time over all CPUs, in ns. */
export const HOST_CPU_COLUMNS = [
  'userNs',
  'niceNs',
  'systemNs',
  'idleNs',
  'iowaitNs',
  'irqNs',
  'softirqNs',
  'stealNs',
] as const;

/** `readMemoryMap`: smaps_rollup, in bytes. */
export const SMAPS_COLUMNS = [
  'rssBytes',
  'pssBytes',
  'sharedCleanBytes',
  'sharedDirtyBytes',
  'privateCleanBytes',
  'privateDirtyBytes',
  'anonymousBytes',
  'anonymousHugeBytes',
  'swapBytes',
] as const;

/** `readCgroup`. Limits are Infinity where there is none. */
export const CGROUP_COLUMNS = [
  'cpuUsageNs',
  'periods',
  'throttledPeriods',
  'throttledNs',
  'quotaCpus',
  'memoryBytes',
  'memoryLimitBytes',
] as const;

/** `probeClocks`: least step of the monotonic clock, reading it, and the cheapest system call. */
export const CLOCK_COLUMNS = ['resolutionNs', 'clockNs', 'syscallNs'] as const;

/** `readPressure`: share of the last ten seconds (0 to 1) in which some task waited for the resource. */
export const PRESSURE_COLUMNS = ['cpuSome', 'memorySome', 'ioSome'] as const;

/** `readTick`. Times, faults and periods are cumulative; pressure as in `PRESSURE_COLUMNS`. */
export const TICK_COLUMNS = [
  'onCpuNs',
  'runnableNs',
  'userNs',
  'systemNs',
  'minorFaults',
  'majorFaults',
  'residentBytes',
  ...(['hostUserNs', 'hostNiceNs', 'hostSystemNs', 'hostIdleNs', 'hostIowaitNs', 'hostIrqNs'] as const),
  ...(['hostSoftirqNs', 'hostStealNs'] as const),
  'periods',
  'throttledPeriods',
  'throttledNs',
  'cpuSome',
  'memorySome',
  'ioSome',
] as const;
