/**
 * This thread's callers that wait for a slot of a `SharedSlabPool`, first come, first served.
 *
 * Method: `Atomics.waitAsync` on the word that the next release in any thread moves. It does not keep the event loop
 * alive, so a timer does while somebody waits; a worker with nothing else to do would otherwise end. The timer also
 * looks again by itself, for the one case in which nobody wakes: the releasing thread was terminated between
 * freeing the slot and saying so.
 */
import { WaitQueue } from '../wait-queue.js';
import { HUNGER } from './control-block.js';
import { NONE, type SharedSlots } from './shared-slots.js';

/** In every supported Node, but in TypeScript's library only from ES2024 on. */
interface WaitAsync {
  waitAsync(words: Int32Array, index: number, value: number): { value: string | Promise<string> };
}

const LOOK_AGAIN_MS = 250;

export class SlotWaiters {
  private readonly slots: SharedSlots;
  private readonly control: Int32Array;
  private readonly failure: () => Error | undefined;
  private readonly queue = new WaitQueue();
  private timer: NodeJS.Timeout | undefined;
  private watching = false;

  /** @param failure the error that ends every wait, once the pool is closed or this thread has left it. */
  constructor(slots: SharedSlots, control: Int32Array, failure: () => Error | undefined) {
    this.slots = slots;
    this.control = control;
    this.failure = failure;
  }

  get size(): number {
    return this.queue.size;
  }

  wait(signal: AbortSignal | undefined, abortError: (signal: AbortSignal) => unknown): Promise<number> {
    const handle = this.queue.wait(signal, (by) => {
      this.stopTimerWhereIdle();
      return abortError(by);
    });
    this.timer ??= setInterval(() => {
      this.slots.forgetHunger();
      this.serve();
    }, LOOK_AGAIN_MS);
    if (!this.watching) void this.watch();
    return handle;
  }

  /** Hands out what is free, or ends all waits where there is no hope. */
  serve(): void {
    while (this.queue.size > 0) {
      const failure = this.failure();
      if (failure !== undefined) {
        this.queue.rejectAll(() => failure);
        break;
      }
      const handle = this.slots.take();
      if (handle === NONE) break;
      this.queue.serve(handle);
    }
    this.stopTimerWhereIdle();
  }

  private async watch(): Promise<void> {
    this.watching = true;
    for (;;) {
      this.serve();
      if (this.queue.size === 0) break;
      const word = this.slots.wordToWaitOn();
      if (word === undefined) continue;
      await (Atomics as unknown as WaitAsync).waitAsync(this.control, HUNGER, word).value;
    }
    this.watching = false;
  }

  private stopTimerWhereIdle(): void {
    if (this.queue.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
