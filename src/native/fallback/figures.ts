/** Figures of the process, its threads, its container and the host, by `/proc` and what Node itself knows. */
import { readdirSync } from 'node:fs';
import { checkFloat64Array, checkThreadId } from '../arguments.js';
import {
  CGROUP_COLUMNS,
  HOST_CPU_COLUMNS,
  PRESSURE_COLUMNS,
  PROCESS_COLUMNS,
  SMAPS_COLUMNS,
  THREAD_COLUMNS,
  TICK_COLUMNS,
  type NativeContract,
} from '../contract.js';
import { findCount, lastCpu, parseCount, readCgroupFigures, readText, threadIds } from '../procfs.js';

/** One tick of the times in /proc/stat: USER_HZ is 100 on every platform that Node supports. */
const TICK_NS = 10_000_000;

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

export const figures: Figures = {
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
    checkThreadId(tid);
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
