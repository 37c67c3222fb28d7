import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { openCounters } from '../counters/counter-group.js';
import { captureEnvironment } from '../host/environment.js';
import { probeHost } from '../host/probe.js';
import { hostInventory, type HostInventory } from '../host/inventory.js';
import { cpuLimits } from '../host/limits.js';
import { CGROUP_COLUMNS, type Capability, type NativeCapabilities } from '../native/contract.js';
import { loadNative } from '../native/load.js';
import { formatBytes, formatNumber, formatShare } from '../units.js';
import { formatCount } from '../report/format.js';
import type { NoiseReport, WorkloadNoise } from '../validation/noise.js';
import { printHostProbe } from './print-host.js';
import type { Session, VerbOutcome } from './session.js';
import { visible, wrap, type Terminal } from './terminal.js';

export interface DoctorVerbOptions {
  /** How long to compare code with itself; undefined: not at all. */
  readonly noiseMs?: number;
}

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

const AREAS: readonly (readonly [Check['area'], string])[] = [
  ['measuring', 'What can be measured here'],
  ['processors', 'Processors'],
  ['memory', 'Memory'],
  ['process', 'Process limits'],
];

/** `sysopt doctor`: what this machine can and cannot measure, why, and what would help. */
export async function doctorVerb(
  options: DoctorVerbOptions,
  { terminal, signal }: Session,
): Promise<VerbOutcome> {
  terminal.progress({ stage: 'look', message: 'Looking at this machine' });
  const native = loadNative();
  const checks = [
    ...measuringChecks(native.capabilities()),
    counterCheck(),
    ...processorChecks(),
    ...memoryChecks(),
    ...processChecks(),
  ];
  const inventory = await hostInventory();
  const environment = captureEnvironment();

  printMachine(terminal, inventory, environment.node);
  for (const [area, title] of AREAS) {
    terminal.print();
    terminal.print(terminal.style('bold', title));
    for (const check of checks) {
      if (check.area === area) printCheck(terminal, check);
    }
  }
  terminal.progress({ stage: 'probe', message: 'Measuring memory and calls' });
  const probe = await probeHost({ budgetMs: PROBE_BUDGET_MS, signal });
  printHostProbe(terminal, probe);
  if (options.noiseMs === undefined) return { result: { environment, inventory, checks, probe } };

  const { measureNoise } = await import('../validation/noise.js');
  const noise = await measureNoise({
    seconds: options.noiseMs / 1000,
    signal,
    onProgress: (progress) => terminal.progress(progress),
  });
  printNoise(terminal, noise);
  return { result: { environment, inventory, checks, probe, noise } };
}

const PROBE_BUDGET_MS = 1000;

const SEE_ABOVE = 'See the native addon.';

const CAPABILITY_NAMES: Readonly<Record<keyof NativeCapabilities, string>> = {
  addon: 'native addon',
  alignedRegions: 'aligned memory regions',
  hugePages: 'huge pages',
  affinity: 'thread affinity',
  threadClock: 'thread CPU clocks',
  threadStatistics: 'run-queue statistics of threads',
  profilerSignalBlocking: 'profiling without waking an idle loop',
  softwareCounters: 'software counters',
  hardwareCounters: 'hardware counters',
  cgroup: 'container limits',
  pressure: 'pressure stall information',
};

/** Reasons for a missing metric that this verb has a line for. */
export function reasonsExplained(): ReadonlySet<string> {
  return new Set(measuringChecks(loadNative().capabilities()).flatMap(({ reason }) => reason ?? []));
}

function measuringChecks(capabilities: NativeCapabilities): Check[] {
  const checks = (Object.entries(CAPABILITY_NAMES) as [keyof NativeCapabilities, string][]).map(
    ([key, name]) => checkOf(name, capabilities[key]),
  );
  checks.push(
    process.features.inspector
      ? { area: 'measuring', name: 'V8 profiler', state: 'available', message: '' }
      : {
          area: 'measuring',
          name: 'V8 profiler',
          state: 'missing',
          message: 'This Node was built without the inspector, which the profiler needs.',
          reason: 'NO_INSPECTOR',
          remedy: 'Use an official build of Node.',
        },
  );
  return checks;
}

/** Which counter events count here, found out by counting a little work. */
function counterCheck(): Check {
  using counters = openCounters();
  const { values } = counters.measure(() => {
    let sum = 0;
    for (let i = 0; i < 100_000; i += 1) sum += i % 7;
    return sum;
  }).counters;
  const events = Object.entries(values).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  const open = events.filter(([, value]) => value.available).map(([name]) => name);
  const closed = events.filter(([, value]) => !value.available).map(([name]) => name);
  const check = { area: 'measuring', name: 'counter events' } as const;
  const missing = closed.length === 0 ? '' : `; not here: ${closed.join(', ')}`;
  if (open.length > 0) return { ...check, state: 'available', message: `${open.join(', ')}${missing}.` };
  const refusal = events[0]?.[1];
  if (refusal === undefined || refusal.available) return { ...check, state: 'available', message: '' };
  const { reason, message } = refusal;
  const remedy = reason === 'NO_ADDON' ? SEE_ABOVE : refusal.remedy;
  return { ...check, state: 'missing', reason, message, remedy };
}

function checkOf(name: string, capability: Capability): Check {
  if (capability.available) {
    return { area: 'measuring', name, state: 'available', message: capability.detail ?? '' };
  }
  const { reason, message, remedy } = capability;
  if (reason === 'NO_ADDON' && name !== CAPABILITY_NAMES.addon) {
    // The addon's own line says why and what to do; once is enough.
    return {
      area: 'measuring',
      name,
      state: 'missing',
      message: 'needs the native addon.',
      reason,
      remedy: SEE_ABOVE,
    };
  }
  return { area: 'measuring', name, state: 'missing', message, reason, remedy };
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

function printMachine(terminal: Terminal, inventory: HostInventory, node: string): void {
  const parts = [
    inventory.cpuModel,
    inventory.system,
    inventory.hypervisor === true ? 'virtual machine' : undefined,
    `Node ${node}`,
  ].filter((part) => part !== undefined && part !== '');
  terminal.print(visible(parts.join(' · ')));
}

const MARKS = { available: '✓', attention: '!', missing: '–' } as const;
const MARK_STYLES = { available: 'green', attention: 'yellow', missing: 'dim' } as const;

function printCheck(terminal: Terminal, check: Check): void {
  const mark = terminal.style(MARK_STYLES[check.state], MARKS[check.state]);
  const text = check.message === '' ? check.name : `${check.name}: ${check.message}`;
  terminal.print(`  ${mark} ${wrap(text, terminal.columns, '    ')}`);
  if (check.remedy !== undefined && check.remedy !== SEE_ABOVE) {
    terminal.print(`    ${terminal.style('dim', `→ ${wrap(check.remedy, terminal.columns, '      ')}`)}`);
  }
}

function printNoise(terminal: Terminal, noise: NoiseReport): void {
  terminal.print();
  terminal.print(terminal.style('bold', 'Noise: identical code compared with itself'));
  for (const { workload, deviation, replicates } of noise.workloads) {
    terminal.print(
      `  ${WORKLOADS[workload]}: the ratio varies by ${formatShare(deviation)} from process to process (${formatCount(replicates, 'process', 'processes')})`,
    );
  }
  terminal.print(
    `  false claims: ${formatShare(noise.falseClaimRate)} of ${noise.simulatedComparisons} simulated comparisons`,
  );
  for (const { seconds, effect } of noise.detectable) {
    terminal.print(
      `  in ${seconds} s, ${effect === null ? 'no difference is found reliably' : `a difference of ${formatShare(effect)} is found in nine of ten comparisons`}`,
    );
  }
}

const WORKLOADS: Readonly<Record<WorkloadNoise['workload'], string>> = {
  arithmetic: 'arithmetic',
  allocating: 'allocation',
  memoryBound: 'memory access',
};
