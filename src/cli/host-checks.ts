/** What deserves attention about this machine before a service runs or is measured on it. One look, starts nothing. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { cpuLimits } from '../host/limits.js';
import { adviseOnPools, fewerLibuvThreads, ownRuntimePools } from '../host/runtime-pools.js';
import { CGROUP_COLUMNS, HOST_CPU_COLUMNS } from '../native/contract.js';
import { loadNative } from '../native/load.js';
import { formatBytes, formatDurationMs, formatNumber, formatShare } from '../units.js';
import { visible } from './terminal.js';

/** One thing that this machine can or cannot do, or that deserves attention. */
export interface Check {
  readonly area: 'measuring' | 'processors' | 'memory' | 'process';
  readonly name: string;
  /** `attention`: it works, and what stands here may distort measurements or slow a service. */
  readonly state: 'available' | 'attention' | 'missing';
  readonly message: string;
  /** Short machine-readable cause, where something is missing. */
  readonly reason?: string;
  readonly remedy?: string;
}

/** What has taken processor time away from this process, since its container or the machine started. */
export interface Pressures {
  readonly periods?: number;
  readonly throttledPeriods?: number;
  readonly throttledMs?: number;
  /** 0 to 1, of all processors' time since the machine started. */
  readonly stealShare?: number;
  readonly effectiveCpus: number;
  /** `UV_THREADPOOL_SIZE`; absent: 4. */
  readonly poolSize?: string;
}

function readPressures(): Pressures {
  const cgroup = (column: (typeof CGROUP_COLUMNS)[number]) => cgroupFigure(column);
  const times = new Float64Array(HOST_CPU_COLUMNS.length).fill(NaN);
  loadNative().readHostCpu(times);
  const stealShare = times[HOST_CPU_COLUMNS.indexOf('stealNs')]! / times.reduce((sum, time) => sum + time, 0);
  const [periods, throttledPeriods, throttledNs] = [
    cgroup('periods'),
    cgroup('throttledPeriods'),
    cgroup('throttledNs'),
  ];
  const poolSize = process.env['UV_THREADPOOL_SIZE'];
  return {
    ...(periods !== undefined && { periods }),
    ...(throttledPeriods !== undefined && { throttledPeriods }),
    ...(throttledNs !== undefined && { throttledMs: throttledNs / 1e6 }),
    ...(Number.isFinite(stealShare) && { stealShare }),
    effectiveCpus: cpuLimits().effectiveCpus,
    ...(poolSize !== undefined && { poolSize }),
  };
}

/** From here on a hundred-millisecond request is likely to feel it. */
const STEAL_SHARE = 0.01;
const DEFAULT_POOL = 4;

/** Pure. */
export function pressureChecks(seen: Pressures): Check[] {
  const checks: Check[] = [];
  const { periods = 0, throttledPeriods = 0, throttledMs = 0, stealShare = 0, effectiveCpus } = seen;
  if (throttledPeriods > 0) {
    checks.push({
      area: 'processors',
      name: 'throttling',
      state: 'attention',
      message: `The quota stopped this container in ${formatNumber(throttledPeriods)} of ${formatNumber(periods)} periods, ${formatDurationMs(throttledMs)} in all: requests waited for the next period.`,
      remedy:
        'Raise the CPU limit, or run fewer threads at once (UV_THREADPOOL_SIZE, --v8-pool-size, workers).',
    });
  }
  if (stealShare >= STEAL_SHARE) {
    checks.push({
      area: 'processors',
      name: 'steal',
      state: 'attention',
      message: `The hypervisor gave ${formatShare(stealShare)} of this machine's processor time to others since it started.`,
      remedy: 'Move to a host with dedicated processors; comparisons here interleave, and need more time.',
    });
  }
  const given = seen.poolSize;
  const size = given === undefined ? DEFAULT_POOL : Number(given);
  const fewer = fewerLibuvThreads(size, effectiveCpus);
  if (given !== undefined && !(Number.isInteger(size) && size >= 1 && size <= 1024)) {
    checks.push({
      area: 'process',
      name: 'size of the libuv pool',
      state: 'attention',
      message: `UV_THREADPOOL_SIZE is "${visible(given)}", which libuv does not take as given (1 to 1024).`,
      remedy: `UV_THREADPOOL_SIZE=${Math.max(DEFAULT_POOL, Math.ceil(effectiveCpus))}`,
    });
  } else if (fewer !== undefined) {
    checks.push({
      area: 'process',
      name: 'size of the libuv pool',
      state: 'attention',
      message: `UV_THREADPOOL_SIZE=${size} for ${formatNumber(effectiveCpus)} processors: with zlib or crypto on all of them, the event loop waits its turn.`,
      remedy: `UV_THREADPOOL_SIZE=${fewer}, unless nearly all threads wait for files.`,
    });
  } else if (given === undefined && effectiveCpus > DEFAULT_POOL * 2) {
    checks.push({
      area: 'process',
      name: 'size of the libuv pool',
      state: 'attention',
      message: `UV_THREADPOOL_SIZE is not set: 4 threads of ${formatNumber(effectiveCpus)} processors for files, DNS look-ups, zlib and crypto.`,
      remedy: `UV_THREADPOOL_SIZE=${Math.ceil(effectiveCpus)}, if sysopt profile finds the pool saturated.`,
    });
  }
  return checks;
}

/** Everything about processors, memory and the process. */
export function hostChecks(): Check[] {
  return [...processorChecks(), ...pressureChecks(readPressures()), ...memoryChecks(), ...processChecks()];
}

function processorChecks(): Check[] {
  const { allowedCpus, quotaCpus, effectiveCpus } = cpuLimits();
  const logical = cpus().length;
  const area = 'processors';
  const checks: Check[] = [
    {
      area,
      name: 'processors',
      state: 'available',
      message: `${logical} logical, ${allowedCpus} allowed to this process${
        quotaCpus === undefined ? ', no quota' : `, quota of ${formatNumber(quotaCpus)}`
      }.`,
    },
  ];
  if (quotaCpus !== undefined && quotaCpus < availableParallelism()) {
    checks.push({
      area,
      name: 'processor quota',
      state: 'attention',
      message: `Node sees ${availableParallelism()} processors, but the container may use ${formatNumber(quotaCpus)}: thread pools sized by it are throttled.`,
      remedy: `Size them by ${formatNumber(effectiveCpus)}; thread pools of this library do.`,
    });
  }
  if (allowedCpus < 2) {
    checks.push({
      area,
      name: 'parallelism',
      state: 'attention',
      message: 'With one processor, a load generator and the service share it, and no thread job can win.',
      remedy: 'Measure on two or more.',
    });
  }
  const [load] = loadavg();
  if (load !== undefined && process.platform !== 'win32' && load > logical * 0.5) {
    checks.push({
      area,
      name: 'load',
      state: 'attention',
      message: `The load average is ${formatNumber(load)}: something else is using this machine.`,
      remedy: 'Measure when it is idle; comparisons need more time meanwhile and stay honest.',
    });
  }
  const governor = readText('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor');
  if (governor !== undefined && governor !== 'performance') {
    checks.push({
      area,
      name: 'frequency governor',
      state: 'attention',
      message: `The governor is "${governor}": clock rates follow the load, and absolute times with them.`,
      remedy: 'sudo cpupower frequency-set -g performance. Interleaved comparisons hold either way.',
    });
  }
  return checks;
}

function memoryChecks(): Check[] {
  const area = 'memory';
  const checks: Check[] = [];
  const heapLimit = getHeapStatistics().heap_size_limit;
  const limit = cgroupFigure('memoryLimitBytes');
  checks.push({
    area,
    name: 'heap limit',
    state: 'available',
    message: `${formatBytes(heapLimit)} for the JavaScript heap by default${
      limit === undefined ? '' : `; the container is limited to ${formatBytes(limit)}`
    }.`,
  });
  if (limit !== undefined && heapLimit > limit * 0.8) {
    checks.push({
      area,
      name: 'heap and container',
      state: 'attention',
      message:
        'The heap may grow beyond what the container allows: the kernel would end the process without a word.',
      remedy: `Start Node with --max-old-space-size=${Math.round((limit * 0.75) / 2 ** 20)}.`,
    });
  }
  const mode = /\[(\w+)\]/.exec(readText('/sys/kernel/mm/transparent_hugepage/enabled') ?? '')?.[1];
  if (mode !== undefined) {
    checks.push({
      area,
      name: 'transparent huge pages',
      state: mode === 'madvise' ? 'available' : 'attention',
      message:
        mode === 'always'
          ? 'Set to "always": memory that is hardly used grows to whole huge pages, and the kernel stalls to make them.'
          : `Set to "${mode}".`,
      ...(mode !== 'madvise' && {
        remedy: 'echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled',
      }),
    });
  }
  const swapKb = /^VmSwap:\s*(\d+)/m.exec(readText('/proc/self/status') ?? '')?.[1];
  const [total, free] = ['SwapTotal', 'SwapFree'].map((name) =>
    Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(readText('/proc/meminfo') ?? '')?.[1] ?? 0),
  );
  if (total! > free! || Number(swapKb ?? 0) > 0) {
    checks.push({
      area,
      name: 'swap',
      state: 'attention',
      message: `${formatBytes((total! - free!) * 1024)} of this machine's memory is swapped out: a garbage collection that touches such pages waits for the disk.`,
      remedy: 'Give the machine more memory, or turn swap off for services (swapoff, memory.swap.max=0).',
    });
  }
  return checks;
}

const COMFORTABLE_DESCRIPTORS = 4096;

function processChecks(): Check[] {
  const area = 'process';
  const poolSize = process.env['UV_THREADPOOL_SIZE'];
  const checks: Check[] = [
    {
      area,
      name: 'libuv thread pool',
      state: 'available',
      message:
        poolSize === undefined
          ? 'UV_THREADPOOL_SIZE is not set: 4 threads for files, DNS look-ups, zlib and crypto.'
          : `UV_THREADPOOL_SIZE=${visible(poolSize)}.`,
    },
  ];
  const { effectiveCpus } = cpuLimits();
  const runtime = ownRuntimePools(effectiveCpus);
  const flag = adviseOnPools(runtime, effectiveCpus).runtimeFlags[0];
  checks.push({
    area,
    name: 'V8 helpers',
    state: flag === undefined ? 'available' : 'attention',
    message: `${runtime.v8.threads} threads for garbage collection and compilation (${runtime.v8.from === 'default' ? '--v8-pool-size is not set' : runtime.v8.from})${flag === undefined ? '.' : `, for ${formatNumber(effectiveCpus)} processors: they take turns with the program.`}`,
    ...(flag !== undefined && { remedy: `${flag}, if sysopt optimize --try-flag=${flag} shows a gain.` }),
  });
  const descriptors = /^Max open files\s+(\d+)/m.exec(readText('/proc/self/limits') ?? '')?.[1];
  if (descriptors !== undefined) {
    const few = Number(descriptors) < COMFORTABLE_DESCRIPTORS;
    checks.push({
      area,
      name: 'open files',
      state: few ? 'attention' : 'available',
      message: `At most ${formatNumber(Number(descriptors))} descriptors, connections included.`,
      ...(few && { remedy: 'ulimit -n 65536, or LimitNOFILE= in the service’s unit.' }),
    });
  }
  const flags = process.env['NODE_OPTIONS'];
  if (flags !== undefined && flags !== '') {
    checks.push({
      area,
      name: 'NODE_OPTIONS',
      state: 'attention',
      message: `Set to "${visible(flags)}": every measurement includes it.`,
      remedy: 'Unset it, unless the service runs with it too.',
    });
  }
  return checks;
}

function cgroupFigure(column: (typeof CGROUP_COLUMNS)[number]): number | undefined {
  const figures = new Float64Array(CGROUP_COLUMNS.length).fill(NaN);
  try {
    loadNative().readCgroup(figures);
  } catch {
    return undefined;
  }
  const value = figures[CGROUP_COLUMNS.indexOf(column)];
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // Not on this platform, or hidden by the container.
  }
}
