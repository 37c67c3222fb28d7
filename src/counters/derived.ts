/** Figures derived from counters: only from valid values, only from such as were counted together. */
import { measured, unavailable, type Metric } from '../model/metric.js';
import type { AvailableCounterValue, CounterValue } from './counter-value.js';
import type { CounterEvent } from './events.js';

type Values = Readonly<Partial<Record<CounterEvent, CounterValue>>>;

/** Shares, 0 to 1 (instructions per cycle: 0 to the processor's width). */
const RATIOS = {
  instructionsPerCycle: ['instructions', 'cycles'],
  cacheMissRatio: ['cacheMisses', 'cacheReferences'],
  branchMissRatio: ['branchMisses', 'branches'],
} as const satisfies Record<string, readonly [over: CounterEvent, under: CounterEvent]>;

/** How often per 1,000 instructions: what tells whether a miss ratio matters. */
const PER_KILO_INSTRUCTIONS = {
  cacheMissesPerKiloInstruction: 'cacheMisses',
  branchMissesPerKiloInstruction: 'branchMisses',
  l1dLoadMissesPerKiloInstruction: 'l1dLoadMisses',
  llcLoadMissesPerKiloInstruction: 'llcLoadMisses',
  dtlbLoadMissesPerKiloInstruction: 'dtlbLoadMisses',
  itlbLoadMissesPerKiloInstruction: 'itlbLoadMisses',
} as const satisfies Record<string, CounterEvent>;

export type DerivedCounter =
  | keyof typeof RATIOS
  | keyof typeof PER_KILO_INSTRUCTIONS
  /** CPU time over wall-clock time: 1 is one processor busy; threads of a `process` scope add up. */
  | 'cpuUtilization'
  /** Cycles over CPU time, in MHz. Needs the kernel part of the cycles, since CPU time has it. */
  | 'frequency';

/** @param elapsedMs wall-clock time of the values. */
export function derive(values: Values, elapsedMs: number): Record<DerivedCounter, Metric> {
  const figures: Partial<Record<DerivedCounter, Metric>> = {};
  for (const [name, [over, under]] of Object.entries(RATIOS)) {
    figures[name as keyof typeof RATIOS] = quotient(values, over, under, (a, b) => measured(a / b, 'ratio'));
  }
  for (const [name, over] of Object.entries(PER_KILO_INSTRUCTIONS)) {
    figures[name as keyof typeof PER_KILO_INSTRUCTIONS] = quotient(values, over, 'instructions', (a, b) =>
      measured((a / b) * 1000, 'count'),
    );
  }
  figures.cpuUtilization = utilization(values, elapsedMs);
  figures.frequency = frequency(values);
  return figures as Record<DerivedCounter, Metric>;
}

function utilization(values: Values, elapsedMs: number): Metric {
  const clock = available(values, 'taskClock');
  if ('reason' in clock) return clock;
  if (!(elapsedMs > 0)) return nothingUnder('The time measured');
  return measured(clock.value / (elapsedMs * 1e6), 'ratio');
}

function frequency(values: Values): Metric {
  const cycles = available(values, 'cycles');
  if (!('reason' in cycles) && cycles.excludesKernel) {
    return unavailable(
      'KERNEL_EXCLUDED',
      'Cycles were counted without the kernel, CPU time with it.',
      'Open the counters with { kernel: true } where the kernel permits it (CAP_PERFMON, or perf_event_paranoid of 1 or less).',
    );
  }
  return quotient(values, 'cycles', 'taskClock', (count, ns) => measured((count / ns) * 1000, 'MHz'));
}

/** Of two values, where both are available and cover the same share of the time. */
function quotient(
  values: Values,
  over: CounterEvent,
  under: CounterEvent,
  figure: (over: number, under: number) => Metric,
): Metric {
  const [numerator, denominator] = [available(values, over), available(values, under)];
  if ('reason' in numerator) return numerator;
  if ('reason' in denominator) return denominator;
  if (numerator.scaleFactor !== denominator.scaleFactor) {
    return unavailable(
      'NOT_SCHEDULED',
      `${over} and ${under} were counted at different times.`,
      'Ask for fewer events, so that they fit into the processor’s counters together.',
    );
  }
  if (denominator.value === 0) return nothingUnder(under);
  return figure(numerator.value, denominator.value);
}

function nothingUnder(what: string): Metric & { readonly available: false } {
  return unavailable('NO_EVENTS', `${what} stayed at 0.`, 'Measure more work.');
}

function available(
  values: Values,
  event: CounterEvent,
): AvailableCounterValue | (Metric & { readonly available: false }) {
  const value = values[event];
  return value ?? unavailable('NOT_ASKED', `${event} was not counted.`, `Add ${event} to the events.`);
}
