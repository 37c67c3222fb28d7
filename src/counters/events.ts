/** The events that can be counted on any host by name, as `perf_event_open(2)` numbers them. */

/** `PERF_TYPE_HARDWARE`, `PERF_TYPE_SOFTWARE` and `PERF_TYPE_HW_CACHE`. */
const HARDWARE = 0;
const SOFTWARE = 1;
const HW_CACHE = 3;

export interface EventDefinition {
  readonly kind: 'software' | 'hardware';
  readonly type: number;
  readonly config: number;
  readonly unit: 'ns' | 'count';
  /** What the figure is, for tables and documentation. */
  readonly title: string;
  /** Stays at 0 where the kernel part is excluded, because the event happens there. */
  readonly needsKernel: boolean;
  /** Cannot be 0 over any work: then the counter does not count. */
  readonly alwaysCounts: boolean;
}

function software(config: number, title: string, options: Partial<EventDefinition> = {}): EventDefinition {
  const defaults = { unit: 'count', needsKernel: false, alwaysCounts: false } as const;
  return { kind: 'software', type: SOFTWARE, config, title, ...defaults, ...options };
}

function hardware(config: number, title: string, alwaysCounts = false): EventDefinition {
  return {
    kind: 'hardware',
    type: HARDWARE,
    config,
    unit: 'count',
    title,
    needsKernel: false,
    alwaysCounts,
  };
}

const CACHES = { l1d: 0, llc: 2, dtlb: 3, itlb: 4 } as const;

/** Loads of a cache, or those that missed: cache, operation (0 is loads) in bits 8 to 15, result from bit 16. */
function cacheLoads(cache: keyof typeof CACHES, result: 'access' | 'miss', title: string): EventDefinition {
  return {
    ...hardware(CACHES[cache] + (result === 'miss' ? 1 << 16 : 0), title),
    type: HW_CACHE,
  };
}

export const COUNTER_EVENTS = {
  taskClock: software(1, 'CPU time', { unit: 'ns', alwaysCounts: true }),
  cpuClock: software(0, 'time on a CPU by its clock', { unit: 'ns', alwaysCounts: true }),
  contextSwitches: software(3, 'context switches', { needsKernel: true }),
  migrations: software(4, 'moves to another CPU', { needsKernel: true }),
  pageFaults: software(2, 'page faults'),
  minorFaults: software(5, 'page faults without I/O'),
  majorFaults: software(6, 'page faults with I/O'),
  cgroupSwitches: software(11, 'switches to another control group', { needsKernel: true }),
  cycles: hardware(0, 'CPU cycles', true),
  instructions: hardware(1, 'instructions', true),
  cacheReferences: hardware(2, 'last-level cache references'),
  cacheMisses: hardware(3, 'last-level cache misses'),
  branches: hardware(4, 'branches', true),
  branchMisses: hardware(5, 'mispredicted branches'),
  stalledCyclesFrontend: hardware(7, 'cycles without an instruction to execute'),
  stalledCyclesBackend: hardware(8, 'cycles waiting for data or units'),
  l1dLoads: cacheLoads('l1d', 'access', 'loads of the first data cache'),
  l1dLoadMisses: cacheLoads('l1d', 'miss', 'loads that missed the first data cache'),
  llcLoads: cacheLoads('llc', 'access', 'loads of the last-level cache'),
  llcLoadMisses: cacheLoads('llc', 'miss', 'loads that missed the last-level cache'),
  dtlbLoads: cacheLoads('dtlb', 'access', 'look-ups of data addresses'),
  dtlbLoadMisses: cacheLoads('dtlb', 'miss', 'look-ups of data addresses that missed'),
  itlbLoads: cacheLoads('itlb', 'access', 'look-ups of code addresses'),
  itlbLoadMisses: cacheLoads('itlb', 'miss', 'look-ups of code addresses that missed'),
} as const satisfies Record<string, EventDefinition>;

export type CounterEvent = keyof typeof COUNTER_EVENTS;

/** Every event, software first. */
export const ALL_COUNTER_EVENTS = Object.keys(COUNTER_EVENTS) as readonly CounterEvent[];

export function definitionOf(event: CounterEvent): EventDefinition {
  return COUNTER_EVENTS[event];
}
