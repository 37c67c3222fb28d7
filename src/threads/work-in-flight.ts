/** The promises of work that has begun, so that closing can wait for it. */
export class WorkInFlight {
  readonly #running = new Set<Promise<unknown>>();

  /** Counts `work` as in flight until it settles; its outcome stays the caller's. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    const done = () => this.#running.delete(work);
    work.then(done, done);
    return work;
  }

  /** Waits for all that is in flight now, however it ends. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }
}
