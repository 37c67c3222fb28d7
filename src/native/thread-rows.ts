/** Reading what `readThreads` fills: the kernel's scheduling times of this process' threads. */
import { THREAD_COLUMNS } from './contract.js';

const WIDTH = THREAD_COLUMNS.length;
const TID = THREAD_COLUMNS.indexOf('tid');
const ON_CPU = THREAD_COLUMNS.indexOf('onCpuNs');
const RUNNABLE = THREAD_COLUMNS.indexOf('runnableNs');

/** Room for so many threads. */
export function threadRows(threads: number): Float64Array {
  return new Float64Array(threads * WIDTH);
}

/**
 * Calls `see` for each thread whose time on a CPU the kernel tells. `runnableNs` is NaN where it does not tell that.
 *
 * @param listed what `readThreads` returned: it may be more than there is room for.
 */
export function eachThread(
  rows: Float64Array,
  listed: number,
  see: (tid: number, onCpuNs: number, runnableNs: number) => void,
): void {
  const end = Math.min(listed * WIDTH, rows.length);
  for (let at = 0; at < end; at += WIDTH) {
    const [tid, onCpuNs] = [rows[at + TID]!, rows[at + ON_CPU]!];
    if (Number.isFinite(tid) && Number.isFinite(onCpuNs)) see(tid, onCpuNs, rows[at + RUNNABLE]!);
  }
}
