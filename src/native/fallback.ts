/**
 * The native contract without the addon: what Node and `/proc` give. Slower, and with less.
 *
 * - Regions are ordinary buffers. Their address cannot be known, so no alignment beyond V8's own is promised;
 *   `alignmentBytes` of the grant says so.
 * - Counters, CPU affinity and huge pages cannot be had: counters are reported as refused, the others throw
 *   ENOSYS or return false, as the contract says.
 */
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { types } from 'node:util';
import {
  checkBoolean,
  checkFloat64Array,
  checkInt32Array,
  checkInteger,
  checkNumber,
  checkString,
  checkView,
} from './arguments.js';
import { fallbackCapabilities } from './capabilities.js';
import {
  CGROUP_COLUMNS,
  CLOCK_COLUMNS,
  HOST_CPU_COLUMNS,
  PRESSURE_COLUMNS,
  PROCESS_COLUMNS,
  SMAPS_COLUMNS,
  THREAD_COLUMNS,
  TICK_COLUMNS,
  type CounterGrant,
  type NativeContract,
  type RegionGrant,
} from './contract.js';
import {
  findCount,
  lastCpu,
  parseCount,
  parseCpuList,
  readCgroupFigures,
  readText,
  threadIds,
} from './procfs.js';

/** What V8 promises for the start of every buffer. */
const BUFFER_ALIGNMENT_BYTES = 8;
const MAX_REGION_BYTES = 2 ** 40;
const MAX_ALIGNMENT_BYTES = 2 ** 30;
const MAX_NODE = 1023;
const MAX_THREAD_ID = 2 ** 31 - 1;
/** One tick of the times in /proc/stat: USER_HZ is 100 on every platform that Node supports. */
const TICK_NS = 10_000_000;
const MAX_EVENTS = 64;
const MAX_NICE = 19;
const MAX_NAME_BYTES = 15;

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

function systemError(
  code: 'EACCES' | 'ENOMEM' | 'ENOSYS' | 'ESRCH' | 'ENOTSUP',
  syscall: string,
  what: string,
): Error {
  const errno = constants.errno[code];
  return Object.assign(new Error(`${code}: ${syscall} failed for ${what}`), { code, errno, syscall });
}

type Regions = Pick<
  NativeContract,
  | 'regionCreate'
  | 'regionClose'
  | 'regionTrim'
  | 'regionResidency'
  | 'regionCount'
  | 'addressOf'
  | 'adviseHugePages'
  | 'bindToNode'
  | 'discardShared'
  | 'viewResidency'
>;

function createRegions(): Regions {
  // Weakly held: an unreachable buffer takes its region with it, as with the addon.
  const open = new Map<number, WeakRef<ArrayBuffer>>();
  const collected = new FinalizationRegistry((id: number) => open.delete(id));
  let nextId = 1;

  const find = (id: unknown): ArrayBuffer => {
    const buffer = open.get(checkNumber(id, 'id'))?.deref();
    if (!buffer) throw new RangeError('id is not that of an open region');
    return buffer;
  };

  return {
    regionCreate(sizeBytes, alignmentBytes, hugePages, prefault): RegionGrant {
      const size = checkInteger(sizeBytes, 'sizeBytes', 1, MAX_REGION_BYTES);
      const alignment = checkInteger(alignmentBytes, 'alignmentBytes', 8, MAX_ALIGNMENT_BYTES);
      if (!Number.isInteger(Math.log2(alignment))) {
        throw new RangeError(`alignmentBytes is ${alignment}; pass a power of two`);
      }
      checkInteger(hugePages, 'hugePages', 0, 2);
      checkBoolean(prefault, 'prefault');
      const what = `a region of ${size} bytes`;
      if (hugePages === 2) throw systemError('ENOTSUP', 'madvise', what);
      let buffer: ArrayBuffer;
      try {
        buffer = new ArrayBuffer(size);
        // The system gives pages of zeros at their first write.
        if (prefault) new Uint8Array(buffer).fill(0);
      } catch {
        throw systemError('ENOMEM', 'ArrayBuffer', what);
      }
      const id = nextId++;
      open.set(id, new WeakRef(buffer));
      collected.register(buffer, id);
      return {
        id,
        buffer,
        source: 'array-buffer',
        offsetBytes: 0,
        sizeBytes: size,
        alignmentBytes: Math.min(alignment, BUFFER_ALIGNMENT_BYTES),
        hugePages: hugePages === 0 ? 'none' : 'refused',
        prefaulted: prefault,
      };
    },

    regionClose(id) {
      const buffer = open.get(checkNumber(id, 'id'))?.deref();
      if (!open.delete(id)) return false;
      // Transferring detaches; the copy that receives the memory is dropped at once.
      if (buffer && buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] });
      return true;
    },

    regionTrim(id, offsetBytes, lengthBytes) {
      const buffer = find(id);
      const offset = checkInteger(offsetBytes, 'offsetBytes', 0, Number.MAX_SAFE_INTEGER);
      const length = checkInteger(lengthBytes, 'lengthBytes', 0, Number.MAX_SAFE_INTEGER);
      if (offset + length > buffer.byteLength) {
        throw new RangeError(`the range lies outside the region's ${buffer.byteLength} bytes`);
      }
      return 0;
    },

    regionResidency(id, out) {
      checkFloat64Array(out, 'out', 2);
      find(id);
      out.fill(NaN, 0, 2);
    },

    regionCount: () => open.size,

    addressOf(view) {
      checkView(view, 'view');
      return 0n;
    },

    adviseHugePages(view) {
      checkView(view, 'view');
      return false;
    },

    bindToNode(view, node) {
      checkView(view, 'view');
      checkInteger(node, 'node', 0, MAX_NODE);
      throw systemError('ENOSYS', 'mbind', 'memory, without the native addon');
    },

    discardShared(view) {
      if (checkView(view, 'view').buffer instanceof ArrayBuffer) {
        throw new TypeError('view must be over a SharedArrayBuffer');
      }
      return 0;
    },

    viewResidency(view, out) {
      checkView(view, 'view');
      checkFloat64Array(out, 'out', 2).fill(NaN, 0, 2);
    },
  };
}

const threads = {
  currentThreadId: () => Number(/(\d+)$/.exec(readLink('/proc/thread-self'))?.[1] ?? 0),

  threadCpuTimeNs() {
    return parseCount(readText('/proc/thread-self/schedstat')?.split(' ')[0]);
  },

  getAffinity(tid, out) {
    checkInteger(tid, 'tid', 0, MAX_THREAD_ID);
    checkInt32Array(out, 'out');
    if (process.platform !== 'linux') throw systemError('ENOTSUP', 'sched_getaffinity', `thread ${tid}`);
    const status = readText(tid === 0 ? '/proc/thread-self/status' : `/proc/self/task/${tid}/status`);
    const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(status ?? '')?.[1];
    if (list === undefined) throw systemError('ESRCH', 'sched_getaffinity', `thread ${tid}`);
    const cpus = parseCpuList(list);
    out.set(cpus.slice(0, out.length));
    return cpus.length;
  },

  setAffinity(tid, cpus) {
    checkInteger(tid, 'tid', 0, MAX_THREAD_ID);
    checkInt32Array(cpus, 'cpus');
    throw systemError('ENOSYS', 'sched_setaffinity', 'a thread, without the native addon');
  },

  // Nothing here can pin a thread, so none is made in a pinned one.
  processAffinity(out: Int32Array): number {
    checkInt32Array(out, 'out');
    if (process.platform !== 'linux') return 0;
    return threads.getAffinity(process.pid, out);
  },

  useProcessAffinity: () => false,

  setNice(tid, nice) {
    checkInteger(tid, 'tid', 0, MAX_THREAD_ID);
    checkInteger(nice, 'nice', 0, MAX_NICE);
    if (process.platform !== 'linux') throw systemError('ENOTSUP', 'setpriority', `thread ${tid}`);
    if (tid !== 0 && readText(`/proc/self/task/${tid}/comm`) === undefined)
      throw systemError('ESRCH', 'setpriority', `thread ${tid}`);
    try {
      // Linux keeps it for each thread, and takes a thread's id for that of a process. Node aborts on -0.
      setPriority(tid | 0, nice | 0);
    } catch {
      throw systemError('EACCES', 'setpriority', tid === 0 ? 'the calling thread' : `thread ${tid}`);
    }
  },

  // Each thread has globals of its own, so there is nowhere to count.
  countComputeThread: () => undefined,
  computeThreads: () => NaN,

  setThreadName(name) {
    const bytes = Buffer.from(checkString(name, 'name').slice(0, MAX_NAME_BYTES + 1));
    let length = Math.min(bytes.length, MAX_NAME_BYTES);
    // The kernel cuts at 15 bytes; cut between characters (10xxxxxx continues one).
    while (length > 0 && ((bytes[length] ?? 0) & 0xc0) === 0x80) length -= 1;
    try {
      // Terminated: writing nothing would leave the name as it is.
      writeFileSync('/proc/thread-self/comm', `${bytes.toString('utf8', 0, length)}\0`);
      return true;
    } catch {
      return false;
    }
  },

  blockProfilerSignal: () => false,
} satisfies Partial<NativeContract>;

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

type Figures = Pick<
  NativeContract,
  | 'readThreads'
  | 'threadName'
  | 'readProcess'
  | 'readHostCpu'
  | 'readMemoryMap'
  | 'readCgroup'
  | 'readPressure'
  | 'readTick'
  | 'closeTick'
>;

const figures: Figures = {
  readThreads(out) {
    checkFloat64Array(out, 'out', 0);
    const ids = threadIds();
    const width = THREAD_COLUMNS.length;
    const rows = Math.min(ids.length, Math.floor(out.length / width));
    ids.slice(0, rows).forEach((tid, row) => {
      const [onCpu, runnable, slices] = (readText(`/proc/self/task/${tid}/schedstat`) ?? '').split(' ');
      const cpu = lastCpu(readText(`/proc/self/task/${tid}/stat`));
      out.set([tid, parseCount(onCpu), parseCount(runnable), parseCount(slices), cpu], row * width);
    });
    return ids.length;
  },

  threadName(tid) {
    checkInteger(tid, 'tid', 0, MAX_THREAD_ID);
    const path = tid === 0 ? '/proc/thread-self/comm' : `/proc/self/task/${tid}/comm`;
    return (readText(path) ?? '').replace(/\n$/, '');
  },

  readProcess(out) {
    checkFloat64Array(out, 'out', PROCESS_COLUMNS.length);
    const usage = process.resourceUsage();
    const hasSwitches = process.platform !== 'win32';
    out.set([
      usage.userCPUTime * 1000,
      usage.systemCPUTime * 1000,
      usage.minorPageFault,
      usage.majorPageFault,
      hasSwitches ? usage.voluntaryContextSwitches : NaN,
      hasSwitches ? usage.involuntaryContextSwitches : NaN,
      process.memoryUsage.rss(),
      threadIds().length || NaN,
      countDescriptors(),
    ]);
  },

  readHostCpu(out) {
    checkFloat64Array(out, 'out', HOST_CPU_COLUMNS.length);
    const ticks = /^cpu +(.*)$/m.exec(readText('/proc/stat') ?? '')?.[1]?.split(' ') ?? [];
    HOST_CPU_COLUMNS.forEach((_, i) => (out[i] = parseCount(ticks[i]) * TICK_NS));
  },

  readMemoryMap(out) {
    checkFloat64Array(out, 'out', SMAPS_COLUMNS.length);
    const rollup = readText('/proc/self/smaps_rollup');
    const keys = [
      'Rss',
      'Pss',
      'Shared_Clean',
      'Shared_Dirty',
      'Private_Clean',
      'Private_Dirty',
      'Anonymous',
      'AnonHugePages',
      'Swap',
    ];
    keys.forEach((key, i) => (out[i] = findCount(rollup, key) * 1024));
  },

  readCgroup(out) {
    checkFloat64Array(out, 'out', CGROUP_COLUMNS.length);
    out.set(readCgroupFigures());
  },

  readTick(out) {
    checkFloat64Array(out, 'out', TICK_COLUMNS.length);
    const row = (length: number, read: (into: Float64Array) => void) => {
      const into = new Float64Array(length);
      read(into);
      return into;
    };
    const [onCpu, runnable] = (readText('/proc/thread-self/schedstat') ?? '').split(' ');
    const usage = process.resourceUsage();
    const group = row(CGROUP_COLUMNS.length, (into) => figures.readCgroup(into));
    out.set([
      parseCount(onCpu),
      parseCount(runnable),
      usage.userCPUTime * 1000,
      usage.systemCPUTime * 1000,
      usage.minorPageFault,
      usage.majorPageFault,
      process.memoryUsage.rss(),
      ...row(HOST_CPU_COLUMNS.length, (into) => figures.readHostCpu(into)),
      ...group.subarray(1, 4),
      ...row(PRESSURE_COLUMNS.length, (into) => figures.readPressure(into)),
    ]);
  },

  closeTick() {
    // Nothing stays open here.
  },

  readPressure(out) {
    checkFloat64Array(out, 'out', PRESSURE_COLUMNS.length);
    ['cpu', 'memory', 'io'].forEach((resource, i) => {
      const some = /^some avg10=([\d.]+)/m.exec(readText(`/proc/pressure/${resource}`) ?? '')?.[1];
      out[i] = Number(some ?? NaN) / 100;
    });
  },
};

function countDescriptors(): number {
  try {
    return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').length - 1;
  } catch {
    return NaN;
  }
}

/** JavaScript cannot chase pointers, so nothing here is measured. */
const probes = {
  probeLatency(memory, sizeBytes, strideBytes, budgetNs) {
    checkInteger(sizeBytes, 'sizeBytes', 1, 2 ** 40);
    checkInteger(strideBytes, 'strideBytes', 8, 2 ** 20);
    checkInteger(budgetNs, 'budgetNs', 1, 1e10);
    if (strideBytes % 8 !== 0) throw new RangeError(`strideBytes is ${strideBytes}; pass a multiple of 8`);
    checkMemory(memory, sizeBytes);
    return NaN;
  },

  probeBandwidth(memory, sizeBytes, budgetNs) {
    checkInteger(sizeBytes, 'sizeBytes', 1, 2 ** 40);
    checkInteger(budgetNs, 'budgetNs', 1, 1e10);
    checkMemory(memory, sizeBytes);
    return NaN;
  },

  probeClocks(out) {
    checkFloat64Array(out, 'out', CLOCK_COLUMNS.length).fill(NaN, 0, CLOCK_COLUMNS.length);
  },

  emptyCall() {
    // That it does nothing is what it is for.
  },
} satisfies Partial<NativeContract>;

/** A signal handler cannot be written in JavaScript. */
const samples = {
  stackSamplesStart(intervalUs) {
    checkInteger(intervalUs, 'intervalUs', 100, 1e6);
    throw systemError('ENOSYS', 'timer_create', "the thread's CPU clock");
  },

  stackSamplesStop: () => false,

  stackSamplesTake: () => ({
    taken: 0,
    depth: 16,
    stacks: new Int32Array(0),
    frames: [],
    modules: [],
    bytesRead: 0,
  }),
} satisfies Partial<NativeContract>;

function checkMemory(memory: unknown, sizeBytes: number): void {
  const { byteLength } = checkView(memory, 'memory');
  if (byteLength < sizeBytes) {
    throw new RangeError(`memory has ${byteLength} bytes; it needs ${sizeBytes} (a detached one has none)`);
  }
}

type Counters = Pick<
  NativeContract,
  'countersOpen' | 'countersRead' | 'countersBind' | 'countersReadBound' | 'countersClose'
>;

/** Groups without counters: each event is reported as refused, and reads as NaN. */
function createCounters(): Counters {
  const open = new Map<number, { readonly count: number; bound?: Float64Array }>();
  let nextId = 1;
  const find = (id: number) => {
    const group = open.get(checkNumber(id, 'id'));
    if (group === undefined) throw new RangeError('id is not that of open counters');
    return group;
  };
  return {
    countersOpen(events, inherit, tid): CounterGrant {
      const count = checkEvents(events);
      checkBoolean(inherit, 'inherit');
      if (tid !== undefined) checkInteger(tid, 'tid', 0, MAX_THREAD_ID);
      const id = nextId++;
      open.set(id, { count });
      const refused = { errno: constants.errno.ENOSYS, code: 'ENOSYS', excludesKernel: false, group: -1 };
      return { id, events: Array.from({ length: count }, () => refused) };
    },

    countersRead(id, out, throughKernel) {
      const { count } = find(id);
      if (throughKernel !== undefined) checkBoolean(throughKernel, 'throughKernel');
      checkFloat64Array(out, 'out', count * 3);
      out.fill(NaN, 0, count * 3);
      return 0;
    },

    countersBind(id, out) {
      const group = find(id);
      checkFloat64Array(out, 'out', group.count * 3 + 1);
      if (types.isArrayBuffer(out.buffer)) {
        throw new TypeError('out lies in an ArrayBuffer; pass a view of a SharedArrayBuffer');
      }
      group.bound = out;
    },

    countersReadBound(id) {
      const { count, bound } = find(id);
      if (bound === undefined) throw new RangeError('id is not that of open counters with a bound array');
      bound.fill(NaN, 0, count * 3);
      bound[count * 3] = performance.now() * 1e6;
    },

    countersClose: (id) => open.delete(checkNumber(id, 'id')),
  };
}

/** Numbers per event: type, config, config1, flags. */
const EVENT_NUMBERS = 4;
const EVENT_FIELDS = [
  ['type', 2 ** 32 - 1],
  ['config', Number.MAX_SAFE_INTEGER],
  ['config1', Number.MAX_SAFE_INTEGER],
  ['flags', 3],
] as const;

function checkEvents(events: unknown): number {
  const rows = checkFloat64Array(events, 'events', 0);
  if (rows.length === 0 || rows.length % EVENT_NUMBERS !== 0 || rows.length > EVENT_NUMBERS * MAX_EVENTS) {
    throw new RangeError(
      `events has length ${rows.length}; pass 1 to ${MAX_EVENTS} times type, configuration, second configuration and flags`,
    );
  }
  rows.forEach((value, i) => {
    const [name, max] = EVENT_FIELDS[i % EVENT_NUMBERS]!;
    checkInteger(value, name, 0, max);
  });
  return rows.length / EVENT_NUMBERS;
}
