/**
 * Performance counters around a piece of work.
 *
 * Method: counters run from opening to closing, and a measurement is the difference of two readings. That costs
 * about a microsecond a reading; starting and stopping them by system call would cost some 200 empty native calls
 * and still leave the calls themselves inside the measurement. How events are probed and grouped is described
 * in native/core/counters/counter_group.h.
 */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import type { Metric } from '../model/metric.js';
import type { CounterGrant, NativeContract } from '../native/contract.js';
import { explainRefusal, refuse, type CounterRefusal } from '../native/counter-refusal.js';
import { loadNative } from '../native/load.js';
import {
  checkRequests,
  toNativeEvents,
  type CounterRequest,
  type RequestedEvent,
} from './counter-requests.js';
import { toCounterValue, type CounterValue } from './counter-value.js';
import { derive, type DerivedCounter } from './derived.js';
import { ALL_COUNTER_EVENTS, type CounterEvent } from './events.js';

export interface CounterOptions {
  /** Default: every event of the catalogue. What the host has not is reported so, and costs nothing. */
  readonly events?: readonly CounterRequest[];
  /**
   * `thread` (default): the calling thread alone. `process`: it and every thread that it starts later; threads
   * that run already (V8's helpers, the pool of libuv) are not included, because the kernel cannot add them.
   */
  readonly scope?: 'thread' | 'process';
  /**
   * Counts the kernel part of hardware events too, where that is permitted; `excludesKernel` of each value says
   * whether it was. Default false, so that figures compare between hosts of different permissions.
   */
  readonly kernel?: boolean;
}

/** One value, or the reason why there is none, by the name of the event. */
export type CounterValues = Readonly<Partial<Record<CounterEvent, CounterValue>>> &
  Readonly<Record<string, CounterValue | undefined>>;

/** What was counted between two readings. */
export interface CounterSnapshot {
  /** Wall-clock milliseconds between the readings. */
  readonly elapsedMs: number;
  /** For each event that was asked for. Worked out when first asked. */
  readonly values: CounterValues;
  /** Figures out of valid values: instructions per cycle, misses, utilisation, frequency. Worked out when asked. */
  readonly derived: Readonly<Record<DerivedCounter, Metric>>;
}

export interface CounterGroup extends Disposable {
  /** Names of the events, in the order of `numbers`. */
  readonly events: readonly string[];
  /**
   * Three numbers per event: value, nanoseconds enabled, nanoseconds running, cumulative since opening; NaN for
   * an event that is not open. Behind them the time of the reading in nanoseconds. Filled by {@link read}; for hot loops that subtract on their own. Shared memory,
   * so that the addon can write into it without asking each time whether it is still there.
   */
  readonly numbers: Float64Array;

  /**
   * Reads every counter into `numbers`, without allocation: about a microsecond through the kernel, some 100 ns
   * where the processor lets the opening thread read its counters itself. @throws CLOSED; EIO where the kernel
   * gave less than it should.
   */
  read(): void;

  /** What was counted since the group was opened. @throws CLOSED */
  snapshot(): CounterSnapshot;

  /**
   * Runs `fn` and returns its result with what was counted meanwhile, the two readings included (about two
   * microseconds of CPU time).
   *
   * @throws CLOSED, what `fn` throws, and INVALID_ARGUMENT when it returns a promise: only the part before its first
   *   await would have been counted.
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
const OPTION_KEYS: readonly string[] = ['events', 'scope', 'kernel', 'tid'];

/** Closes groups that were dropped without being closed, so that their descriptors do not pile up. */
const dropped = new FinalizationRegistry<{ readonly native: NativeContract; readonly id: number }>(
  ({ native, id }) => native.countersClose(id),
);

/**
 * Opens counters on the calling thread. Costs some 100 µs, of which most are a known loop that finds counters which
 * open without counting.
 *
 * @throws INVALID_ARGUMENT for what cannot be an event, for a name twice, and for unknown scopes and options. Never because the
 *   host has no counters: each value then says why, and what would help.
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

/**
 * As {@link openCounters}, on a given native implementation and, with `tid`, on another thread of this process, whose
 * counters cannot be tested by a loop. @internal
 */
export function openCountersWith(
  native: NativeContract,
  options: CounterOptions & { readonly tid?: number } = {},
): CounterGroup {
  requireOptions('options of openCounters', options, OPTION_KEYS);
  const events = checkRequests(options.events ?? ALL_COUNTER_EVENTS);
  const scope: unknown = options.scope ?? 'thread';
  if (scope !== 'thread' && scope !== 'process') {
    throw fail('INVALID_ARGUMENT', {
      name: 'scope',
      actual: describe(scope),
      expected: '"thread" or "process"',
    });
  }
  const kernel: unknown = options.kernel ?? false;
  if (typeof kernel !== 'boolean') {
    throw fail('INVALID_ARGUMENT', { name: 'kernel', actual: describe(kernel), expected: 'true or false' });
  }
  const grant = native.countersOpen(toNativeEvents(events, kernel), scope === 'process', options.tid ?? 0);
  return new OpenGroup(native, events, grant);
}

/** An event that is open: its place, and what decides over its values. */
interface OpenEvent {
  readonly name: string;
  readonly place: number;
  readonly alwaysCounts: boolean;
  readonly excludesKernel: boolean;
}

class OpenGroup implements CounterGroup {
  readonly events: readonly string[];
  readonly numbers: Float64Array;
  readonly #native: NativeContract;
  readonly #id: number;
  readonly #plan: SnapshotPlan;
  /** The numbers at opening: not zeros, since opening itself is counted in part. */
  readonly #origin: readonly number[];
  #open = true;

  constructor(native: NativeContract, events: readonly RequestedEvent[], grant: CounterGrant) {
    this.#native = native;
    this.#id = grant.id;
    this.events = events.map(({ name }) => name);
    this.numbers = new Float64Array(
      new SharedArrayBuffer((events.length * COLUMNS + 1) * Float64Array.BYTES_PER_ELEMENT),
    );
    const refusals = refusalsOf(native, events, grant);
    const template = Object.fromEntries(events.map(({ name }, i) => [name, refusals[i]]));
    const counting = events.flatMap(({ name, alwaysCounts }, i) => {
      const excludesKernel = grant.events[i]?.excludesKernel ?? true;
      return refusals[i] === undefined ? [{ name, place: i * COLUMNS, alwaysCounts, excludesKernel }] : [];
    });
    this.#plan = { template, counting };
    native.countersBind(grant.id, this.numbers);
    dropped.register(this, { native, id: grant.id }, this);
    this.read();
    this.#origin = [...this.numbers];
  }

  read(): void {
    if (!this.#open) throw fail('CLOSED', { what: 'The counter group' });
    this.#native.countersReadBound(this.#id);
  }

  snapshot(): CounterSnapshot {
    this.read();
    return this.#since(this.#origin);
  }

  measure<T>(fn: () => T): { readonly result: T; readonly counters: CounterSnapshot } {
    this.read();
    const before = [...this.numbers];
    const result = fn();
    this.read();
    if (result instanceof Promise) {
      // Whoever called gets the error below; a rejection of the promise they never see must not end the process.
      result.catch(() => undefined);
      throw fail('INVALID_ARGUMENT', {
        name: 'fn of measure',
        actual: 'a function that returns a promise',
        expected:
          'one that has done its work when it returns, or measureAsync for the time until the promise settles',
      });
    }
    return { result, counters: this.#since(before) };
  }

  async measureAsync<T>(
    fn: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly counters: CounterSnapshot }> {
    this.read();
    const before = [...this.numbers];
    const result = await fn();
    this.read();
    return { result, counters: this.#since(before) };
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

  #since(before: readonly number[]): CounterSnapshot {
    return new Snapshot(this.#plan, difference(this.numbers, before));
  }
}

/** What stays the same from snapshot to snapshot of one group. */
interface SnapshotPlan {
  readonly counting: readonly OpenEvent[];
  /** Every event in order, refused ones with their refusal. */
  readonly template: Readonly<Record<string, CounterValue | undefined>>;
}

/** A copied plain array, filled anew: half of what growing one costs, and a fifth of a new typed array. */
function difference(now: Float64Array, before: readonly number[]): readonly number[] {
  const result = before.slice();
  for (let i = 0; i < result.length; i += 1) result[i] = now[i]! - before[i]!;
  return result;
}

/** Keeps the numbers, and makes objects of them when they are looked at: taking one stays about as cheap as reading. */
class Snapshot implements CounterSnapshot {
  readonly #plan: SnapshotPlan;
  readonly #numbers: readonly number[];
  #values: CounterValues | undefined;
  #derived: Readonly<Record<DerivedCounter, Metric>> | undefined;

  constructor(plan: SnapshotPlan, numbers: readonly number[]) {
    this.#plan = plan;
    this.#numbers = numbers;
  }

  get elapsedMs(): number {
    return this.#numbers[this.#numbers.length - 1]! / 1e6;
  }

  get values(): CounterValues {
    this.#values ??= this.#valuesOf();
    return this.#values;
  }

  get derived(): Readonly<Record<DerivedCounter, Metric>> {
    this.#derived ??= derive(this.values, this.elapsedMs);
    return this.#derived;
  }

  toJSON(): CounterSnapshot {
    return { elapsedMs: this.elapsedMs, values: this.values, derived: this.derived };
  }

  #valuesOf(): CounterValues {
    const numbers = this.#numbers;
    const values: Record<string, CounterValue | undefined> = { ...this.#plan.template };
    for (const { name, place, alwaysCounts, excludesKernel } of this.#plan.counting) {
      values[name] = toCounterValue(
        numbers[place]!,
        numbers[place + 1]!,
        numbers[place + 2]!,
        alwaysCounts,
        excludesKernel,
      );
    }
    return values;
  }
}

/** Why events give no value: refused by the system, or useless without the kernel part. */
function refusalsOf(
  native: NativeContract,
  events: readonly RequestedEvent[],
  grant: CounterGrant,
): (CounterRefusal | undefined)[] {
  let hasPmu: boolean | undefined;
  return events.map((event, i) => {
    const granted = grant.events[i];
    if (native.implementation === 'fallback' || granted === undefined) return refuse('NO_ADDON');
    if (event.refusal !== undefined) return event.refusal;
    if (granted.errno !== 0) {
      hasPmu ??= events.some((other, j) => other.hardware && exists(grant.events[j])) || findPmu(native);
      return explainRefusal(granted.code, !event.hardware || hasPmu, process.platform);
    }
    return granted.excludesKernel && event.needsKernel ? refuse('NOT_PERMITTED') : undefined;
  });
}

/** Whether an event is there, though perhaps of no use. */
function exists(granted: CounterGrant['events'][number] | undefined): boolean {
  return granted?.errno === 0 || granted?.code === 'ENODATA' || granted?.code === 'EBUSY';
}

/** Whether the machine has counters at all, where the events asked for do not tell. */
function findPmu(native: NativeContract): boolean {
  const grant = native.countersOpen(
    toNativeEvents(checkRequests(['cycles', 'instructions', 'branches']), false),
    false,
    0,
  );
  native.countersClose(grant.id);
  return grant.events.some(exists);
}
