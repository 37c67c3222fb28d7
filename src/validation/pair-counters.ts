/**
 * What the processor counted for a call of each side, beside its time: where two sides differ in time, instructions,
 * misses and mispredictions tell why. A side's batches of their own, after the timed ones: readings between those would
 * be two system calls in each.
 *
 * The median over batches: an interrupt's work, or a collection's, falls into a few of them.
 */
import { openCountersWith } from '../counters/counter-group.js';
import type { CounterEvent } from '../counters/events.js';
import type { NativeContract } from '../native/contract.js';
import { loadNative } from '../native/load.js';
import { runBatch, type Side } from './batch.js';
import { median } from './statistics.js';

/** Few enough for the counters of any processor: nothing is extrapolated. */
const EVENTS = {
  instructions: 'instructions',
  cycles: 'cycles',
  branchMisses: 'branch misses',
  cacheMisses: 'cache misses',
} as const satisfies Partial<Record<CounterEvent, string>>;
const BATCHES = 9;

export interface CountedCost {
  readonly name: string;
  readonly unit: 'per call';
  readonly baseline: number;
  readonly candidate: number;
}

/**
 * Counts both sides in turns. Empty where this machine shows no counters, as most cloud machines do not; `sysopt doctor`
 * says why. An event that counted for one side only, or for a part of the time only, is left out.
 *
 * @param calls calls per batch of each side
 * @throws SideThrew
 */
export async function countPair(
  sides: readonly [Side, Side],
  calls: readonly [number, number],
  breathe: () => void | Promise<void>,
  native: NativeContract = loadNative(),
): Promise<CountedCost[]> {
  const names = Object.keys(EVENTS) as (keyof typeof EVENTS)[];
  const counters = openCountersWith(native, { events: names });
  try {
    const first = counters.snapshot().values;
    if (names.every((name) => first[name]?.available !== true)) return [];
    const perCall = new Map(names.map((name) => [name, [[], []] as [number[], number[]]]));
    for (let batch = 0; batch < BATCHES; batch += 1) {
      for (const side of [0, 1] as const) {
        const { counters: counted } = await counters.measureAsync(() => runBatch(sides[side], calls[side]));
        for (const name of names) {
          const value = counted.values[name];
          if (value?.available === true && value.exact) {
            perCall.get(name)![side].push(value.value / calls[side]);
          }
        }
      }
      await breathe();
    }
    return names.flatMap((name) => {
      const [baseline, candidate] = perCall.get(name)!;
      if (Math.min(baseline.length, candidate.length) < BATCHES) return [];
      return [
        {
          name: EVENTS[name],
          unit: 'per call',
          baseline: median(baseline),
          candidate: median(candidate),
        } as const,
      ];
    });
  } finally {
    counters.close();
  }
}
