/** From raw readings to values that say what they are worth, and to figures derived from valid ones only. */
import { measured, unavailable, type Metric } from '../model/metric.js';
import { refuse, type CounterRefusal } from '../native/counter-refusal.js';
import { definitionOf, type CounterEvent } from './events.js';

export interface AvailableCounterValue {
  readonly available: true;
  /** Count, or nanoseconds for `taskClock`. Scaled by `scaleFactor` where the counter did not run all the time. */
  readonly value: number;
  /** True where the counter ran all the time that it was to run: nothing was extrapolated. */
  readonly exact: boolean;
  /** Time enabled over time running: 1 is exact; 4 means that three quarters of the value are extrapolated. */
  readonly scaleFactor: number;
  /** True where only the part outside the kernel was counted. */
  readonly excludesKernel: boolean;
}

export type CounterValue = AvailableCounterValue | CounterRefusal;

/** What happened between two readings of one counter. */
export interface CounterReading {
  readonly value: number;
  readonly enabledNs: number;
  readonly runningNs: number;
}

export function toCounterValue(
  event: CounterEvent,
  reading: CounterReading,
  excludesKernel: boolean,
): CounterValue {
  const { value, enabledNs, runningNs } = reading;
  if (Number.isNaN(value)) return refuse('NOT_COUNTING');
  if (runningNs <= 0) return refuse('NOT_SCHEDULED');
  if (value === 0 && definitionOf(event).alwaysCounts) return refuse('NOT_COUNTING');
  const scaleFactor = enabledNs > runningNs ? enabledNs / runningNs : 1;
  return {
    available: true,
    value: scaleFactor === 1 ? value : Math.round(value * scaleFactor),
    exact: scaleFactor === 1,
    scaleFactor,
    excludesKernel,
  };
}

export type DerivedCounter = 'instructionsPerCycle' | 'cacheMissRatio' | 'branchMissRatio';

const DERIVED: Record<DerivedCounter, readonly [numerator: CounterEvent, denominator: CounterEvent]> = {
  instructionsPerCycle: ['instructions', 'cycles'],
  cacheMissRatio: ['cacheMisses', 'cacheReferences'],
  branchMissRatio: ['branchMisses', 'branches'],
};

/** Quotients of two values, where both are available and cover the same share of the time. */
export function derive(values: Partial<Record<CounterEvent, CounterValue>>): Record<DerivedCounter, Metric> {
  const quotient = ([over, under]: readonly [CounterEvent, CounterEvent]): Metric => {
    for (const event of [over, under]) {
      const value = values[event];
      if (value === undefined) {
        return unavailable('NOT_ASKED', `${event} was not counted.`, `Add ${event} to the events.`);
      }
      if (!value.available) return value;
    }
    const [numerator, denominator] = [values[over], values[under]] as [
      AvailableCounterValue,
      AvailableCounterValue,
    ];
    if (numerator.scaleFactor !== denominator.scaleFactor) {
      return unavailable(
        'NOT_SCHEDULED',
        `${over} and ${under} were counted at different times.`,
        'Ask for fewer events, so that they fit into the processor’s counters together.',
      );
    }
    if (denominator.value === 0) {
      return unavailable('NO_EVENTS', `${under} stayed at 0.`, 'Measure more work.');
    }
    return measured(numerator.value / denominator.value, 'ratio');
  };
  return {
    instructionsPerCycle: quotient(DERIVED.instructionsPerCycle),
    cacheMissRatio: quotient(DERIVED.cacheMissRatio),
    branchMissRatio: quotient(DERIVED.branchMissRatio),
  };
}
