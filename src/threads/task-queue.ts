/** Calls that wait for a thread: highest priority first, first come first served within one. */
export interface Queued {
  readonly priority: number;
  /** Set by whoever settles a call that still waits; the queue passes over it. */
  readonly settled: boolean;
}

interface Entry<T> {
  readonly item: T;
  readonly order: number;
}

/** A binary heap. Removal from the middle is lazy: `discard` counts, `shift` skips. */
export class TaskQueue<T extends Queued> {
  readonly #heap: Entry<T>[] = [];
  #order = 0;
  #length = 0;

  /** Calls that still wait. */
  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    const heap = this.#heap;
    const entry = { item, order: this.#order++ };
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
    let entry: Entry<T> | undefined;
    do entry = this.#pop();
    while (entry?.item.settled === true);
    if (entry !== undefined) this.#length -= 1;
    return entry?.item;
  }

  /** To be called once for every item that was settled while it waited. */
  discard(): void {
    this.#length -= 1;
  }

  #pop(): Entry<T> | undefined {
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

function precedes<T extends Queued>(a: Entry<T>, b: Entry<T>): boolean {
  return a.item.priority > b.item.priority || (a.item.priority === b.item.priority && a.order < b.order);
}
