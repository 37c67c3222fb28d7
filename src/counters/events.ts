/** The events that can be counted, as `perf_event_open(2)` numbers them. */

/** `PERF_TYPE_HARDWARE` and `PERF_TYPE_SOFTWARE`. */
const HARDWARE = 0;
const SOFTWARE = 1;

interface EventDefinition {
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

export const COUNTER_EVENTS = {
  taskClock: software(1, 'CPU time', { unit: 'ns', alwaysCounts: true }),
  contextSwitches: software(3, 'context switches', { needsKernel: true }),
  migrations: software(4, 'moves to another CPU', { needsKernel: true }),
  minorFaults: software(5, 'page faults without I/O'),
  majorFaults: software(6, 'page faults with I/O'),
  cycles: hardware(0, 'CPU cycles', true),
  instructions: hardware(1, 'instructions', true),
  cacheReferences: hardware(2, 'last-level cache references'),
  cacheMisses: hardware(3, 'last-level cache misses'),
  branches: hardware(4, 'branches', true),
  branchMisses: hardware(5, 'mispredicted branches'),
} as const satisfies Record<string, EventDefinition>;

export type CounterEvent = keyof typeof COUNTER_EVENTS;

/** Every event, software first. */
export const ALL_COUNTER_EVENTS = Object.keys(COUNTER_EVENTS) as readonly CounterEvent[];

export function definitionOf(event: CounterEvent): EventDefinition {
  return COUNTER_EVENTS[event];
}
