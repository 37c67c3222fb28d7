/**
 * Memoisation that is bounded and knows what it is worth: results are kept by what they cost to compute, how often
 * they were asked for and how large they are, and the saving is measured, not assumed.
 *
 * Eviction is GreedyDual-Size with Frequency (Cherkasova 1998): priority = clock + hits · cost ÷ size, the lowest
 * goes, and the clock rises to its priority, so that what was once dear grows old. LRU keeps a result that took a
 * microsecond over one that took a second if it was asked for later.
 *
 * Priorities only rise, so the binary heap may lag behind them: a hit changes the entry alone, O(1), and an eviction
 * puts those it finds on top with a risen priority back in their places, O(log n) for each, until the top is right.
 * What is evicted is the same as if every hit had moved its entry.
 */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import type { AnyFunction } from './variants.js';

export interface MemoiseOptions<F extends AnyFunction = AnyFunction> {
  /** Sum of sizes that is kept at most, in the unit of `size`; entries by default. 1 or more. */
  readonly maxSize: number;
  /**
   * Key of a call, by `Map` equality. By default the first argument, for functions of one primitive argument; a function that
   * declares more is refused without a key.
   */
  readonly key?: (...args: Parameters<F>) => unknown;
  /** Size of a result, e.g. its bytes; 1 by default. Above 0: what has another is given to its caller and not kept. */
  readonly size?: (result: Awaited<ReturnType<F>>) => number;
  /** Milliseconds after which a result is computed anew; never by default. */
  readonly maxAgeMs?: number;
  /** Clock in milliseconds, for tests. `performance.now` by default. */
  readonly now?: () => number;
}

const OPTION_KEYS: Readonly<Record<keyof MemoiseOptions, true>> = {
  maxSize: true,
  key: true,
  size: true,
  maxAgeMs: true,
  now: true,
};

export interface MemoiseStats {
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly entries: number;
  readonly size: number;
  /** Time spent computing. */
  readonly computedMs: number;
  /** Computing time that hits did not need: their results' own cost when they were computed. */
  readonly savedMs: number;
}

export interface Memoised<F extends AnyFunction> {
  (...args: Parameters<F>): ReturnType<F>;
  readonly stats: () => MemoiseStats;
  /** Forgets everything; the statistics stay. */
  readonly clear: () => void;
}

interface Entry {
  readonly key: unknown;
  value: unknown;
  costMs: number;
  size: number;
  hits: number;
  priority: number;
  /** Priority by which it lies in the heap: that of its last move, never above `priority`. */
  rank: number;
  madeAtMs: number;
  /** Place in the heap; -1 where it is not kept (still computing). */
  at: number;
}

/** The clock's step would make dividing by cost meaningless below this. */
const MIN_COST_MS = 1e-4;

/**
 * Wraps a function whose result depends on its arguments alone. Asynchronous functions are awaited by all that ask
 * meanwhile, and rejections are not kept. Results are shared between callers: they must not be changed.
 *
 * @throws INVALID_ARGUMENT. The wrapped function throws what `fn`, `key` and `size` throw; nothing is kept then.
 *
 * @example
 * const parse = memoise(parseSchema, { maxSize: 10_000 });
 * parse(text);
 * parse.stats().savedMs; // what it was worth so far
 */
export function memoise<F extends AnyFunction>(fn: F, options: MemoiseOptions<F>): Memoised<F> {
  if (typeof fn !== 'function') {
    throw fail('INVALID_ARGUMENT', { name: 'fn', actual: describe(fn), expected: 'a function' });
  }
  requireOptions('options of memoise', options, OPTION_KEYS);
  const { maxSize, size: sizeOf = () => 1 } = options;
  const keyOf = options.key;
  const { maxAgeMs = Infinity, now = () => performance.now() } = options;
  for (const name of ['key', 'size', 'now'] as const) {
    const value: unknown = options[name];
    if (value === undefined || typeof value === 'function') continue;
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'a function' });
  }
  if (keyOf === undefined && fn.length > 1) {
    const actual = `none, for a function of ${fn.length} arguments`;
    const expected = 'a function of the arguments: the first alone is the key by default';
    throw fail('INVALID_ARGUMENT', { name: 'key', actual, expected });
  }
  for (const [name, value] of Object.entries({ maxSize, maxAgeMs })) {
    if (typeof value === 'number' && value > 0 && (name === 'maxAgeMs' || value >= 1)) continue;
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'a positive number' });
  }
  const entries = new Map<unknown, Entry>();
  const heap: Entry[] = [];
  let [clock, total, hits, misses, evictions] = [0, 0, 0, 0, 0];
  // Not variables: V8 would box the number that a hit adds to in a new object each time.
  const times = new Float64Array(2);
  const [COMPUTED_MS, SAVED_MS] = [0, 1];

  const priorityOf = ({ hits: asked, costMs, size }: Entry) =>
    clock + (asked * Math.max(costMs, MIN_COST_MS)) / size;

  function remove(entry: Entry): void {
    if (entries.get(entry.key) === entry) entries.delete(entry.key);
    if (entry.at < 0) return;
    total -= entry.size;
    removeAt(heap, entry.at);
  }

  /** `size` may throw, so nothing of the entry is to be found before it is known. */
  function keep(entry: Entry, value: unknown): void {
    const size: unknown = sizeOf(value as Awaited<ReturnType<F>>);
    // What is larger than the whole cache would only empty it.
    if (!(typeof size === 'number' && size > 0 && size <= maxSize)) return;
    // The function may have asked for its own key, and that result be kept: this one takes its place.
    const inner = entries.get(entry.key);
    if (inner !== undefined) remove(inner);
    entries.set(entry.key, entry);
    entry.size = size;
    entry.priority = priorityOf(entry);
    total += size;
    push(heap, entry);
    while (total > maxSize) {
      const lowest = heap[0]!;
      if (lowest.priority > lowest.rank) {
        lowest.rank = lowest.priority;
        sink(heap, 0);
        continue;
      }
      clock = lowest.priority;
      evictions += 1;
      remove(lowest);
    }
  }

  /** Once the result is there. */
  function computed(entry: Entry, value: unknown, costMs: number): void {
    times[COMPUTED_MS]! += costMs;
    entry.value = value;
    entry.costMs = costMs;
    entry.madeAtMs = now();
  }

  function compute(key: unknown, args: Parameters<F>): ReturnType<F> {
    misses += 1;
    const entry: Entry = {
      key,
      value: undefined,
      // Not 0, which would make them integers: V8 changes a field that was always a double in place.
      costMs: NaN,
      size: 0,
      hits: 1,
      priority: NaN,
      rank: NaN,
      madeAtMs: NaN,
      at: -1,
    };
    const startMs = now();
    const result: unknown = fn(...args);
    if (typeof (result as { then?: unknown } | null | undefined)?.then !== 'function') {
      computed(entry, result, now() - startMs);
      keep(entry, result);
      return result as ReturnType<F>;
    }
    const promise: Promise<unknown> = (result as Promise<unknown>).then(
      (value) => {
        // Callers are promised a promise.
        computed(entry, promise, now() - startMs);
        if (entries.get(key) !== entry) return value; // Cleared meanwhile.
        entries.delete(key);
        keep(entry, value);
        return value;
      },
      (error: unknown) => {
        remove(entry);
        throw error;
      },
    );
    entry.value = promise;
    entry.madeAtMs = startMs;
    entries.set(key, entry);
    return promise as ReturnType<F>;
  }

  /** Removes what is too old. */
  function isFresh(entry: Entry): boolean {
    if (maxAgeMs === Infinity || entry.at < 0 || now() - entry.madeAtMs <= maxAgeMs) return true;
    remove(entry);
    return false;
  }

  function hit(entry: Entry): ReturnType<F> {
    hits += 1;
    if (entry.at >= 0) {
      times[SAVED_MS]! += entry.costMs;
      entry.hits += 1;
      entry.priority = priorityOf(entry);
    }
    return entry.value as ReturnType<F>;
  }

  // Without `key` the arguments are not gathered but for a miss: an array a call costs as much as the rest of a hit.
  const memoised = (
    keyOf === undefined
      ? (first: unknown, ...rest: unknown[]) => {
          const entry = entries.get(first);
          return entry !== undefined && isFresh(entry)
            ? hit(entry)
            : compute(first, [first, ...rest] as Parameters<F>);
        }
      : (...args: Parameters<F>) => {
          const key = keyOf(...args);
          const entry = entries.get(key);
          return entry !== undefined && isFresh(entry) ? hit(entry) : compute(key, args);
        }
  ) as F;
  const stats = (): MemoiseStats => ({
    hits,
    misses,
    evictions,
    entries: entries.size,
    size: total,
    computedMs: times[COMPUTED_MS]!,
    savedMs: times[SAVED_MS]!,
  });
  const clear = (): void => {
    entries.clear();
    for (const entry of heap) entry.at = -1;
    heap.length = 0;
    total = 0;
  };
  return Object.assign(memoised, { stats, clear });
}

// A binary heap of entries, lowest rank first; every entry knows its place.

function place(heap: Entry[], entry: Entry, at: number): void {
  heap[at] = entry;
  entry.at = at;
}

function push(heap: Entry[], entry: Entry): void {
  entry.rank = entry.priority;
  place(heap, entry, heap.length);
  rise(heap, entry.at);
}

function rise(heap: Entry[], from: number): void {
  const entry = heap[from]!;
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]!.rank <= entry.rank) break;
    place(heap, heap[parent]!, at);
    at = parent;
  }
  place(heap, entry, at);
}

function sink(heap: Entry[], from: number): void {
  const entry = heap[from]!;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]!.rank < heap[child]!.rank) child += 1;
    if (heap[child]!.rank >= entry.rank) break;
    place(heap, heap[child]!, at);
    at = child;
  }
  place(heap, entry, at);
}

function removeAt(heap: Entry[], at: number): void {
  heap[at]!.at = -1;
  const last = heap.pop()!;
  if (at === heap.length) return;
  place(heap, last, at);
  sink(heap, at);
  rise(heap, last.at);
}
