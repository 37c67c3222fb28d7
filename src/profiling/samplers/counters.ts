/**
 * Performance counters of the profiled thread, and of its workers as they become known: a group for each thread, whose
 * values are added up. They run by themselves; only opening and the last reading cost something (100 µs, 1 µs).
 */
import { openCountersWith, type CounterGroup } from '../../counters/counter-group.js';
import { sumCounterValues, type CounterValue } from '../../counters/counter-value.js';
import type { CounterEvent } from '../../counters/events.js';
import type { MetricName } from '../../model/metric-catalogue.js';
import { unavailable } from '../../model/metric.js';
import type { NativeContract } from '../../native/contract.js';
import type { Gathered, Sampler } from '../sampler.js';

const RATES = {
  instructions: 'instructions',
  cacheMisses: 'cacheMisses',
  branchMisses: 'branchMisses',
  pageFaults: 'pageFaults',
} as const satisfies Partial<Record<CounterEvent, string>>;
const EVENTS = ['instructions', 'cycles', 'cacheMisses', 'branchMisses', 'pageFaults'] as const;
const NO_WORKERS = unavailable(
  'NO_WORKERS',
  'No worker thread ran, or none told its thread.',
  'Nothing to do, unless the service starts workers.',
);

export class CounterSampler implements Sampler {
  readonly name = 'counters';
  readonly #native: NativeContract;
  readonly #threads: ReadonlyMap<number, string>;
  readonly #workers = new Map<number, CounterGroup>();
  #main: CounterGroup | undefined;

  /** @param workers threads of workers by the kernel's id, which fills while the run goes on. */
  constructor(native: NativeContract, workers: ReadonlyMap<number, string>) {
    this.#native = native;
    this.#threads = workers;
  }

  start(): void {
    this.#main = openCountersWith(this.#native, { events: EVENTS });
  }

  tick(): void {
    for (const tid of this.#threads.keys()) {
      if (!this.#workers.has(tid))
        this.#workers.set(tid, openCountersWith(this.#native, { events: EVENTS, tid }));
    }
  }

  stop(gathered: Gathered): void {
    const groups = [this.#main, ...this.#workers.values()];
    try {
      const main = this.#main!.snapshot().values;
      const workers = [...this.#workers.values()].map((group) => group.snapshot().values);
      for (const event of Object.keys(RATES) as (keyof typeof RATES)[]) {
        setRate(gathered, `counter.main.${event}`, main[event]!);
        if (workers.length === 0) gathered.missing([`counter.workers.${event}`], NO_WORKERS);
        else
          setRate(
            gathered,
            `counter.workers.${event}`,
            sumCounterValues(workers.map((values) => values[event]!)),
          );
      }
      const [instructions, cycles] = [main.instructions!, main.cycles!];
      if (!instructions.available) gathered.missing(['counter.main.instructionsPerCycle'], instructions);
      else if (!cycles.available) gathered.missing(['counter.main.instructionsPerCycle'], cycles);
      else gathered.set('counter.main.instructionsPerCycle', instructions.value / cycles.value);
    } finally {
      for (const group of groups) group?.close();
      this.#workers.clear();
    }
  }
}

function setRate(gathered: Gathered, name: MetricName, value: CounterValue): void {
  if (value.available) gathered.set(name, value.value / (gathered.elapsedMs / 1000));
  else gathered.missing([name], value);
}
