/** Calls that wait for a thread: highest priority first, first come first served within one. */
export interface Queued {
  readonly priority: number;
  /** Set by whoever settles a call that still waits; the queue passes over it. */
  readonly settled: boolean;
  /** Place among equal priorities, from 1; 0 until the queue gives it one. */
  order: number;
}

/** Places that have become free at the line's front before the others move up; then at least half of all. */
const LEAST_MOVE = 64;

/**
 * A line for calls of one priority that come in their order, which most do, and beside it a binary heap for all others:
 * joining the line and leaving it cost the same however long it is. Removal from the middle is lazy: `discard` counts,
 * `shift` skips.
 */
export class TaskQueue<T extends Queued> {
  readonly #heap: T[] = [];
  /** The line: entries from `#head` on, all of one priority, in their order; undefined before. */
  readonly #line: (T | undefined)[] = [];
  #head = 0;
  #order = 1;
  #length = 0;

  /** Calls that still wait. */
  get length(): number {
    return this.#length;
  }

  /** Whom the next `shift` gives. */
  get first(): T | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.settled) this.#pop();
    while (this.#inLine?.settled === true) this.#leaveLine();
    const inHeap = this.#heap.length > 0 ? this.#heap[0] : undefined;
    const inLine = this.#inLine;
    if (inHeap === undefined || inLine === undefined) return inLine ?? inHeap;
    return precedes(inHeap, inLine) ? inHeap : inLine;
  }

  /** Gives a call its place, where it has none. */
  stamp(entry: T): void {
    if (entry.order === 0) entry.order = this.#order++;
  }

  /** A call that comes back, because it was taken back from a thread, gets its old place. */
  push(entry: T): void {
    this.stamp(entry);
    this.#length += 1;
    const { length } = this.#line;
    const last = length > 0 ? this.#line[length - 1] : undefined;
    if (last === undefined || (last.priority === entry.priority && last.order < entry.order)) {
      this.#line.push(entry);
      return;
    }
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!precedes(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  shift(): T | undefined {
    const { first } = this;
    if (first === undefined) return undefined;
    if (first === this.#inLine) this.#leaveLine();
    else this.#pop();
    this.#length -= 1;
    return first;
  }

  /** To be called once for every item that was settled while it waited. */
  discard(): void {
    this.#length -= 1;
  }

  get #inLine(): T | undefined {
    return this.#head < this.#line.length ? this.#line[this.#head] : undefined;
  }

  #leaveLine(): void {
    const line = this.#line;
    line[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === line.length) line.length = 0;
    else if (this.#head >= LEAST_MOVE && this.#head * 2 >= line.length) line.splice(0, this.#head);
    else return;
    this.#head = 0;
  }

  #pop(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1]!, heap[child]!)) child += 1;
      if (!precedes(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

/** For sorting: whom `shift` would give last comes first. */
export function lastFirst(a: Queued, b: Queued): number {
  return a.priority - b.priority || b.order - a.order;
}

function precedes(a: Queued, b: Queued): boolean {
  return a.priority > b.priority || (a.priority === b.priority && a.order < b.order);
}
