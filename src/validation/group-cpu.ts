/**
 * CPU time of a process group: a started program with everything that it started. Read from /proc, so Linux
 * only; elsewhere there is no figure, and comparisons of services fall back to time.
 */
import { readFileSync, readdirSync } from 'node:fs';

/** CPU time by thread (`pid/tid`), in ns, and of children that ended and were waited for. */
export interface GroupCpu {
  readonly threads: ReadonlyMap<string, number>;
  readonly reapedMs: ReadonlyMap<number, number>;
}

/** Linux reports times in /proc in ticks of a hundredth of a second on every architecture that Node runs on. */
const TICK_MS = 10;
/** Fields of /proc/<pid>/stat counted behind the name in parentheses, which may itself hold blanks. */
const STAT = { group: 2, childUser: 13, childSystem: 14 } as const;

/** Null where the system does not tell. */
export function readGroupCpu(groupId: number): GroupCpu | null {
  if (process.platform !== 'linux') return null;
  const threads = new Map<string, number>();
  const reapedMs = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const stat = statFields(pid);
    if (!stat || Number(stat[STAT.group]) !== groupId) continue;
    reapedMs.set(pid, TICK_MS * (Number(stat[STAT.childUser]) + Number(stat[STAT.childSystem])));
    for (const [thread, cpuNs] of threadTimes(pid)) threads.set(thread, cpuNs);
  }
  return threads.size > 0 ? { threads, reapedMs } : null;
}

/** CPU time between two readings of one group, in ms. Threads that ended in between count up to the first. */
export function groupCpuMs(before: GroupCpu, after: GroupCpu): number {
  let totalMs = 0;
  for (const [thread, cpuNs] of after.threads) totalMs += (cpuNs - (before.threads.get(thread) ?? 0)) / 1e6;
  for (const [pid, cpuMs] of after.reapedMs) totalMs += cpuMs - (before.reapedMs.get(pid) ?? 0);
  return totalMs;
}

/** CPU time in ms of all children of this process that have ended, in steps of 10 ms; null where unknown. */
export function endedChildrenCpuMs(): number | null {
  const stat = process.platform === 'linux' ? statFields(process.pid) : null;
  return stat && TICK_MS * (Number(stat[STAT.childUser]) + Number(stat[STAT.childSystem]));
}

function statFields(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null; // It ended meanwhile.
  }
}

function threadTimes(pid: number): [string, number][] {
  const times: [string, number][] = [];
  try {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      // Scheduler statistics count nanoseconds; `stat` would round every thread to ticks.
      const schedstat = readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'latin1');
      times.push([`${pid}/${tid}`, Number(schedstat.split(' ')[0])]);
    }
  } catch {
    // It ended meanwhile, or this kernel keeps no such statistics.
  }
  return times;
}
