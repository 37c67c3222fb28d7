/**
 * Performance counters around a piece of work.
 *
 * Method: counters run from opening to closing, and a measurement is the difference of two readings. That costs
 * about a microsecond a reading; starting and stopping them by system call would cost some 200 empty native calls
 * and still leave the calls themselves inside the measurement. How events are probed and grouped is described
 * in native/core/counters/counter_group.h.
 */
import { describe, fail } from '../errors.js';
import type { Metric } from '../model/metric.js';
import type { NativeContract } from '../native/contract.js';
import { explainRefusal, refuse, type CounterRefusal } from '../native/counter-refusal.js';
import { loadNative } from '../native/load.js';
import { derive, toCounterValue, type CounterValue, type DerivedCounter } from './counter-value.js';
import { ALL_COUNTER_EVENTS, COUNTER_EVENTS, definitionOf, type CounterEvent } from './events.js';

export interface CounterOptions {
  /** Default: every event of the catalogue. What the host has not is reported so, and costs nothing. */
  readonly events?: readonly CounterEvent[];
  /**
   * `thread` (default): the calling thread alone. `process`: it and every thread that it starts later; threads
   * that run already (V8's helpers, the pool of libuv) are not included, because the kernel cannot add them.
   */
  readonly scope?: 'thread' | 'process';
}

/** What was counted between two readings. */
export interface CounterSnapshot {
  /** Wall-clock milliseconds between the readings. */
  readonly elapsedMs: number;
  /** One value, or the reason why there is none, for each event that was asked for. */
  readonly values: Readonly<Partial<Record<CounterEvent, CounterValue>>>;
  /** Quotients of valid values: instructions per cycle, and misses as shares of 0 to 1. */
  readonly derived: Readonly<Record<DerivedCounter, Metric>>;
}

export interface CounterGroup extends Disposable {
  /** The events, in the order of `numbers`. */
  readonly events: readonly CounterEvent[];
  /**
   * Three numbers per event: value, nanoseconds enabled, nanoseconds running, cumulative since opening; NaN for
   * an event that is not open. Filled by {@link read}; for hot loops that subtract on their own.
   */
  readonly numbers: Float64Array;

  /** Reads every counter into `numbers`: about a microsecond, no allocation. @throws CLOSED */
  read(): void;

  /** What was counted since the group was opened. @throws CLOSED */
  snapshot(): CounterSnapshot;

  /**
   * Runs `fn` and returns its result with what was counted meanwhile, the two readings included (about two
   * microseconds of CPU time).
   *
   * @throws CLOSED, and what `fn` throws.
   */
  measure<T>(fn: () => T): { readonly result: T; readonly counters: CounterSnapshot };

  /**
   * The same until the promise of `fn` settles. Counts everything that the thread does in that time, other
   * requests included.
   */
  measureAsync<T>(fn: () => Promise<T>): Promise<{ readonly result: T; readonly counters: CounterSnapshot }>;

  /** Closes the counters. May be called again. */
  close(): void;
}

const COLUMNS = 3;

/** Closes groups that were dropped without being closed, so that their descriptors do not pile up. */
const dropped = new FinalizationRegistry<{ readonly native: NativeContract; readonly id: number }>(
  ({ native, id }) => native.countersClose(id),
);

/**
 * Opens counters on the calling thread.
 *
 * @throws INVALID_ARGUMENT for unknown or repeated events and scopes. Never because the host has no counters:
 *   each value then says why, and what would help.
 *
 * @example
 * using counters = openCounters({ events: ['taskClock', 'instructions', 'cycles'] });
 * const { result, counters: counted } = counters.measure(() => work());
 * counted.values.taskClock;               // { available: true, value: 1203455, exact: true, … }
 * counted.derived.instructionsPerCycle;   // { available: false, reason: 'NO_PMU', … } in most VMs
 */
export function openCounters(options: CounterOptions = {}): CounterGroup {
  return openCountersWith(loadNative(), options);
}

/** As {@link openCounters}, on a given native implementation. @internal */
export function openCountersWith(native: NativeContract, options: CounterOptions = {}): CounterGroup {
  const events = checkEvents(options.events ?? ALL_COUNTER_EVENTS);
  const scope: unknown = options.scope ?? 'thread';
  if (scope !== 'thread' && scope !== 'process') {
    throw fail('INVALID_ARGUMENT', {
      name: 'scope',
      actual: describe(scope),
      expected: '"thread" or "process"',
    });
  }
  return new OpenGroup(native, events, scope === 'process');
}

function checkEvents(events: unknown): readonly CounterEvent[] {
  const known = (event: unknown): event is CounterEvent =>
    typeof event === 'string' && Object.hasOwn(COUNTER_EVENTS, event);
  const expected = `different names out of ${ALL_COUNTER_EVENTS.join(', ')}`;
  if (!Array.isArray(events) || events.length === 0) {
    throw fail('INVALID_ARGUMENT', { name: 'events', actual: describe(events), expected });
  }
  const wrong = events.find((event, i) => !known(event) || events.indexOf(event) !== i) as unknown;
  if (wrong !== undefined || !events.every(known)) {
    throw fail('INVALID_ARGUMENT', { name: 'events', actual: `has ${describe(wrong)}`, expected });
  }
  return [...events];
}

class OpenGroup implements CounterGroup {
  readonly events: readonly CounterEvent[];
  readonly numbers: Float64Array;
  readonly #native: NativeContract;
  readonly #id: number;
  /** Why an event gives no value at all; undefined where it is open. */
  readonly #refusals: readonly (CounterRefusal | undefined)[];
  readonly #excludesKernel: readonly boolean[];
  /** The numbers at opening: not zeros, since opening itself is counted in part. */
  readonly #origin: Float64Array;
  readonly #openedMs: number;
  #open = true;

  constructor(native: NativeContract, events: readonly CounterEvent[], inherit: boolean) {
    this.#native = native;
    this.events = events;
    this.numbers = new Float64Array(events.length * COLUMNS);
    const pairs = events.flatMap((event) => [definitionOf(event).type, definitionOf(event).config]);
    const grant = native.countersOpen(Float64Array.from(pairs), inherit);
    this.#id = grant.id;
    this.#excludesKernel = grant.events.map((event) => event.excludesKernel);
    this.#refusals = refusalsOf(native, events, grant.events);
    dropped.register(this, { native, id: grant.id }, this);
    this.read();
    this.#origin = this.numbers.slice();
    this.#openedMs = performance.now();
  }

  read(): void {
    if (!this.#open) throw fail('CLOSED', { what: 'The counter group' });
    this.#native.countersRead(this.#id, this.numbers);
  }

  snapshot(): CounterSnapshot {
    this.read();
    return this.#since(this.#origin, performance.now() - this.#openedMs);
  }

  measure<T>(fn: () => T): { readonly result: T; readonly counters: CounterSnapshot } {
    this.read();
    const before = this.numbers.slice();
    const startMs = performance.now();
    const result = fn();
    const elapsedMs = performance.now() - startMs;
    this.read();
    return { result, counters: this.#since(before, elapsedMs) };
  }

  async measureAsync<T>(
    fn: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly counters: CounterSnapshot }> {
    this.read();
    const before = this.numbers.slice();
    const startMs = performance.now();
    const result = await fn();
    const elapsedMs = performance.now() - startMs;
    this.read();
    return { result, counters: this.#since(before, elapsedMs) };
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    dropped.unregister(this);
    this.#native.countersClose(this.#id);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #since(before: Float64Array, elapsedMs: number): CounterSnapshot {
    const values: Partial<Record<CounterEvent, CounterValue>> = {};
    this.events.forEach((event, i) => {
      const difference = (column: number) =>
        (this.numbers[i * COLUMNS + column] ?? NaN) - (before[i * COLUMNS + column] ?? NaN);
      values[event] =
        this.#refusals[i] ??
        toCounterValue(
          event,
          { value: difference(0), enabledNs: difference(1), runningNs: difference(2) },
          this.#excludesKernel[i] ?? true,
        );
    });
    return { elapsedMs, values, derived: derive(values) };
  }
}

/** Why events give no value: refused by the system, useless without the kernel part, or not counting. */
function refusalsOf(
  native: NativeContract,
  events: readonly CounterEvent[],
  grants: readonly { readonly code: string; readonly errno: number; readonly excludesKernel: boolean }[],
): (CounterRefusal | undefined)[] {
  const isHardware = (event: CounterEvent) => definitionOf(event).kind === 'hardware';
  const hasPmu = events.some((event, i) => isHardware(event) && grants[i]?.errno === 0);
  const emulated = hasPmu && !hardwareCounts(native);
  return events.map((event, i) => {
    const grant = grants[i];
    if (native.implementation === 'fallback' || grant === undefined) return refuse('NO_ADDON');
    if (grant.errno !== 0) return explainRefusal(grant.code, hasPmu, process.platform);
    if (grant.excludesKernel && definitionOf(event).needsKernel) return refuse('NOT_PERMITTED');
    if (emulated && isHardware(event)) return refuse('NOT_COUNTING');
    return undefined;
  });
}

/** Whether hardware counters move while the processor works: some virtual machines emulate them without counting. */
function hardwareCounts(native: NativeContract): boolean {
  const probes = [COUNTER_EVENTS.instructions, COUNTER_EVENTS.cycles, COUNTER_EVENTS.branches];
  const { id } = native.countersOpen(
    Float64Array.from(probes.flatMap(({ type, config }) => [type, config])),
    false,
  );
  const numbers = new Float64Array(probes.length * COLUMNS);
  // Opening made system calls and came back through JavaScript: more than enough work to count.
  native.countersRead(id, numbers);
  native.countersClose(id);
  const opened = probes.map((_, i) => numbers[i * COLUMNS] ?? NaN).filter((value) => !Number.isNaN(value));
  // None of the three exists here: nothing speaks against the others.
  return opened.length === 0 || opened.some((value) => value > 0);
}
