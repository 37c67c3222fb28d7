/** Calls that wait to be let in: higher priority first, then first come, first served. */

export interface Waiting {
  readonly priority: number;
  admit(): void;
  /** Ends the wait for a call with a higher priority. */
  displace(): void;
}

export class AdmissionQueue {
  /** The next to be served stands last, so serving is cheap; a call that gives up may stand anywhere. */
  readonly #waiting: Waiting[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  add(call: Waiting): void {
    // Before all of the same priority: those came earlier.
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#waiting[middle]!.priority < call.priority) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, call);
  }

  remove(call: Waiting): void {
    const at = this.#waiting.indexOf(call);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** The one to be served, taken out. */
  next(): Waiting | undefined {
    return this.#waiting.pop();
  }

  /** The newest of the lowest priority, taken out, where that is below the given one. */
  lowerThan(priority: number): Waiting | undefined {
    const lowest = this.#waiting[0];
    if (lowest === undefined || lowest.priority >= priority) return undefined;
    return this.#waiting.shift();
  }
}
