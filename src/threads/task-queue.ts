/** Calls that wait for a thread: highest priority first, first come first served within one. */
export interface Queued {
  readonly priority: number;
  /** Set by whoever settles a call that still waits; the queue passes over it. */
  readonly settled: boolean;
  /** Place among equal priorities, from 1; 0 until the queue gives it one. */
  order: number;
}

/** A binary heap. Removal from the middle is lazy: `discard` counts, `shift` skips. */
export class TaskQueue<T extends Queued> {
  readonly #heap: T[] = [];
  #order = 1;
  #length = 0;

  /** Calls that still wait. */
  get length(): number {
    return this.#length;
  }

  /** Whom the next `shift` gives. */
  get first(): T | undefined {
    while (this.#heap[0]?.settled === true) this.#pop();
    return this.#heap[0];
  }

  /** A call that comes back, because it was taken back from a thread, gets its old place. */
  push(entry: T): void {
    const heap = this.#heap;
    if (entry.order === 0) entry.order = this.#order++;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!precedes(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
    this.#length += 1;
  }

  shift(): T | undefined {
    let entry: T | undefined;
    do entry = this.#pop();
    while (entry?.settled === true);
    if (entry !== undefined) this.#length -= 1;
    return entry;
  }

  /** To be called once for every item that was settled while it waited. */
  discard(): void {
    this.#length -= 1;
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

function precedes(a: Queued, b: Queued): boolean {
  return a.priority > b.priority || (a.priority === b.priority && a.order < b.order);
}
