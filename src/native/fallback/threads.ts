/** The calling thread and its neighbours, by `/proc`. Nothing here can pin a thread. */
import { readlinkSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { checkInt32Array, checkInteger, checkString, checkThreadId } from '../arguments.js';
import type { NativeContract } from '../contract.js';
import { parseCount, parseCpuList, readText } from '../procfs.js';
import { systemError } from './system-error.js';

const MAX_NICE = 19;
const MAX_NAME_BYTES = 15;

export const threads = {
  currentThreadId: () => Number(/(\d+)$/.exec(readLink('/proc/thread-self'))?.[1] ?? 0),

  keepOffCpu(tid) {
    checkThreadId(tid);
    return false;
  },

  letBack: () => undefined,

  threadCpuTimeNs() {
    return parseCount(readText('/proc/thread-self/schedstat')?.split(' ')[0]);
  },

  getAffinity(tid, out) {
    checkThreadId(tid);
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
    checkThreadId(tid);
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
    checkThreadId(tid);
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
