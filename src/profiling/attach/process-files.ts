/**
 * What the kernel tells of another process: threads, CPU time, memory, faults, descriptors. The same figures as the
 * samplers inside a program take, from the same files under another number, so they need nothing of the program and
 * outlast it: what was read before it was killed is still there.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { unavailable } from '../../model/metric.js';
import type { ThreadCost, ThreadRole } from '../../model/signals.js';
import { findCount, readText } from '../../native/procfs.js';
import type { Gathered, Sampler } from '../sampler.js';
import { ThreadLanes } from '../samplers/thread-lanes.js';
import { setThreadShares, THREAD_METRICS } from '../samplers/threads.js';
import { segmentMinima, theilSenSlope } from '../slope.js';

/** `/proc/<pid>/stat` counts in these; the kernel's interface fixes it at 100 a second. */
const CLOCK_TICK_MS = 10;
const TICKS_PER_SLOW = 10;
const STEP_MS = 450;
/** Ten minutes at ten a second; beyond it every second point is dropped. */
const MAX_POINTS = 6000;
const SEGMENTS = 8;

interface ThreadTimes {
  readonly name: string;
  readonly onCpuMs: number;
  readonly runnableMs: number;
}

interface Reading {
  readonly atMs: number;
  readonly threads: ReadonlyMap<number, ThreadTimes>;
  readonly userMs: number;
  readonly systemMs: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  readonly rssBytes: number;
}

export class ProcessFilesSampler implements Sampler {
  readonly name = 'process files';
  readonly #pid: number;
  readonly #root: string;
  readonly #workers: ReadonlyMap<number, string>;
  #start: Reading | undefined;
  #last: Reading | undefined;
  #rss: { atMs: number; value: number }[] = [];
  readonly #descriptors: { atMs: number; value: number }[] = [];
  readonly #lanes = new ThreadLanes();
  #stepAtMs = 0;
  #ticks = 0;

  /** @param workers threads of workers by the kernel's id, as they become known. */
  constructor(pid: number, workers: ReadonlyMap<number, string> = new Map()) {
    this.#pid = pid;
    this.#root = `/proc/${pid}`;
    this.#workers = workers;
  }

  start(): void {
    this.#start = this.#last = this.#read();
    this.#lanes.begin(this.#start?.threads ?? new Map());
    this.#stepAtMs = performance.now();
    this.#countDescriptors();
  }

  tick(values: Record<string, number>): void {
    const now = this.#read();
    if (now === undefined) return;
    const before = this.#last ?? now;
    this.#last = now;
    this.#start ??= now;
    const elapsedMs = now.atMs - before.atMs;
    if (elapsedMs > 0) {
      values['process.cpu.total'] = (cpuMs(now) - cpuMs(before)) / elapsedMs;
      const [main, earlier] = [now.threads.get(this.#pid), before.threads.get(this.#pid)];
      if (main !== undefined && earlier !== undefined) {
        values['thread.main.onCpu'] = (main.onCpuMs - earlier.onCpuMs) / elapsedMs;
        values['thread.main.runnable'] = (main.runnableMs - earlier.runnableMs) / elapsedMs;
      }
    }
    values['process.rss'] = now.rssBytes;
    this.#rss.push({ atMs: now.atMs, value: now.rssBytes });
    if (this.#rss.length > MAX_POINTS) this.#rss = this.#rss.filter((_, index) => index % 2 === 0);
    if (now.atMs - this.#stepAtMs >= STEP_MS) {
      this.#lanes.step(now.threads, now.atMs - this.#stepAtMs);
      this.#stepAtMs = now.atMs;
    }
    if (++this.#ticks % TICKS_PER_SLOW === 0) this.#countDescriptors();
  }

  stop(gathered: Gathered): void {
    // Of a process that is gone the last reading counts.
    const end = this.#read() ?? this.#last;
    const start = this.#start;
    if (start === undefined || end === undefined || end === start) {
      gathered.missing(
        [...THREAD_METRICS, 'process.cpu.total'],
        unavailable('PROCESS_GONE', 'The process was gone before it could be read twice.', 'Profile again.'),
      );
      return;
    }
    const elapsedMs = end.atMs - start.atMs;
    const seconds = elapsedMs / 1000;
    gathered.set('process.cpu.user', (end.userMs - start.userMs) / elapsedMs);
    gathered.set('process.cpu.system', (end.systemMs - start.systemMs) / elapsedMs);
    gathered.set('process.cpu.total', (cpuMs(end) - cpuMs(start)) / elapsedMs);
    gathered.set('process.faults.minor', (end.minorFaults - start.minorFaults) / seconds);
    gathered.set('process.faults.major', (end.majorFaults - start.majorFaults) / seconds);
    const switches = (key: 'voluntarySwitches' | 'involuntarySwitches') =>
      Math.max(0, end[key] - start[key]) / seconds;
    gathered.set('process.switches.voluntary', switches('voluntarySwitches'));
    gathered.set('process.switches.involuntary', switches('involuntarySwitches'));
    gathered.set('process.rss', end.rssBytes);
    gathered.set('process.rss.growth', theilSenSlope(segmentMinima(this.#rss, SEGMENTS)) * 1000);
    this.#setThreads(gathered, start, end, elapsedMs);
    this.#setDescriptors(gathered);
  }

  #setThreads(gathered: Gathered, start: Reading, end: Reading, elapsedMs: number): void {
    // V8's thread that takes the samples, where it began with this run, is no part of the program.
    const program = [...end.threads].filter(
      ([tid, { name }]) => start.threads.has(tid) || name !== 'v8:ProfEvntProc',
    );
    const threads = program.map(([tid, times]): ThreadCost => {
      const before = start.threads.get(tid) ?? { onCpuMs: 0, runnableMs: 0 };
      const onCpuMs = Math.max(0, times.onCpuMs - before.onCpuMs);
      const runnableMs = Math.max(0, times.runnableMs - before.runnableMs);
      const role = this.#role(tid, times.name);
      const lane = this.#lanes.of(tid);
      const name =
        role === 'main' ? 'main' : (this.#workers.get(tid) ?? (role === 'pool' ? `pool ${tid}` : times.name));
      return {
        tid,
        name,
        role,
        onCpuMs,
        runnableMs,
        blockedMs: Math.max(0, elapsedMs - onCpuMs - runnableMs),
        ...(lane && { lane }),
      };
    });
    gathered.threads = threads.sort((a, b) => b.onCpuMs - a.onCpuMs);
    setThreadShares(gathered, threads, elapsedMs);
  }

  #role(tid: number, name: string): ThreadRole {
    if (tid === this.#pid) return 'main';
    if (this.#workers.has(tid)) return 'worker';
    return /^libuv-worker/.test(name) ? 'pool' : 'runtime';
  }

  #setDescriptors(gathered: Gathered): void {
    const open = this.#descriptors.at(-1);
    const limit = findCount(readText(`${this.#root}/limits`), 'Max open files');
    if (open !== undefined) {
      gathered.set('process.openDescriptors', open.value);
      gathered.set('process.openDescriptors.growth', theilSenSlope(this.#descriptors) * 1000);
    }
    if (Number.isFinite(limit)) gathered.set('process.openDescriptors.limit', limit);
  }

  #countDescriptors(): void {
    try {
      const value = readdirSync(`${this.#root}/fd`).length;
      if (this.#descriptors.length < MAX_POINTS) this.#descriptors.push({ atMs: performance.now(), value });
    } catch {
      // Gone, or not ours to list.
    }
  }

  #read(): Reading | undefined {
    const stat = readText(`${this.#root}/stat`);
    const status = readText(`${this.#root}/status`);
    if (stat === undefined || status === undefined) return undefined;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number) => Number(fields[number - 3]);
    const threads = new Map<number, ThreadTimes>();
    for (const tid of threadIds(this.#root)) {
      const [onCpu, runnable] = (readText(`${this.#root}/task/${tid}/schedstat`) ?? '').split(' ');
      const name = this.#last?.threads.get(tid)?.name ?? readText(`${this.#root}/task/${tid}/comm`)?.trim();
      if (runnable === undefined || name === undefined) continue;
      threads.set(tid, { name, onCpuMs: Number(onCpu) / 1e6, runnableMs: Number(runnable) / 1e6 });
    }
    // A zombie's figures are those of its end, its memory is none.
    if (threads.size === 0 || /^State:\s+[ZX]/m.test(status)) return undefined;
    return {
      atMs: performance.now(),
      threads,
      minorFaults: field(10),
      majorFaults: field(12),
      userMs: field(14) * CLOCK_TICK_MS,
      systemMs: field(15) * CLOCK_TICK_MS,
      voluntarySwitches: findCount(status, 'voluntary_ctxt_switches'),
      involuntarySwitches: findCount(status, 'nonvoluntary_ctxt_switches'),
      rssBytes: findCount(status, 'VmRSS') * 1024,
    };
  }
}

/** Whether this process is charged to the same control groups, so that their figures are the target's too. */
export function sharesControlGroup(pid: number): boolean {
  const own = readText('/proc/self/cgroup');
  return own !== undefined && own === readText(`/proc/${pid}/cgroup`);
}

/** Whether paths mean the same files here as in the process. */
export function sharesFiles(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt');
  } catch {
    return false;
  }
}

function cpuMs({ userMs, systemMs }: Reading): number {
  return userMs + systemMs;
}

function threadIds(root: string): number[] {
  try {
    return readdirSync(`${root}/task`).map(Number);
  } catch {
    return [];
  }
}
