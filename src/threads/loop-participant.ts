/** One worker's part in a loop: enter, take chunks until there are none, leave. */
import { packError } from './error-transfer.js';
import type { LoopControl, Partials } from './loop-control.js';
import type { Mailbox } from './mailbox.js';
import { KernelCall } from './kernel.js';
import { FromWorker, type MessageFromWorker } from './messages.js';
import type { Chunk } from './partition/partitioner.js';
import type { AnyFunction } from './task.js';
import { unsendable, type Sent } from './unclonable.js';

/**
 * A kernel that is called once with millions of iterations is compiled while it runs and thrown back to the
 * interpreter where that loop ends, three to four times slower in all. So the first chunks are cut into pieces.
 */
export const WARM_UP_CALLS = 64;

export interface ParticipantSetup {
  readonly loop: number;
  readonly kernel: AnyFunction;
  /** False where `kernel` only throws what went wrong while the task was loaded. */
  readonly loaded: boolean;
  readonly shared: unknown;
  readonly control: LoopControl;
  readonly partials: Partials | undefined;
  readonly partialsVersion: number;
  readonly mailbox: Mailbox;
  readonly send: (message: MessageFromWorker) => void;
}

export class LoopParticipant {
  readonly #setup: ParticipantSetup;
  readonly #kernel: KernelCall;
  readonly #chunk: Chunk = { start: 0, end: 0 };
  #calls = 0;
  /** Range that the kernel is working on, for the error where it throws. */
  #from = 0;
  #to = 0;

  constructor(setup: ParticipantSetup) {
    this.#setup = setup;
    this.#kernel = new KernelCall(setup.kernel, setup.shared);
  }

  takePart(): void {
    const { loop, control, mailbox, send } = this.#setup;
    mailbox.enter(loop);
    // Invited to a run that is over, this thread may come to the next one, whose results go where it does not know yet.
    // What it has to know was posted before its own invitation.
    if (!control.isOpen || control.partialsVersion !== this.#setup.partialsVersion) {
      mailbox.leave();
      return;
    }
    const generation = control.generation;
    try {
      this.#runShares(generation);
    } catch (error) {
      control.cancel();
      const wire = packError(error);
      if (this.#setup.loaded) {
        send([FromWorker.LOOP_FAILURE, loop, generation, wire, this.#from, this.#to]);
      } else {
        send([FromWorker.LOOP_FAILURE, loop, generation, wire]);
      }
    }
    mailbox.leave();
    // After a failure the caller shuts the gate before it looks who is inside; whoever leaves later has to say so.
    if (control.isCancelled && !control.isOpen) send([FromWorker.LOOP_LEFT, loop, generation]);
  }

  #runShares(generation: number): void {
    const { control } = this.#setup;
    const { partitioner, partitionState: state } = control;
    const chunk = this.#chunk;
    do {
      const share = control.join();
      if (share < 0) return;
      let since = performance.now();
      while (!control.isCancelled && partitioner.next(state, share, chunk)) {
        if (control.wantsPartials) this.#reduceChunk(generation);
        else this.#runChunk();
        if (control.isCancelled) return;
        const now = performance.now();
        control.addBusy(share, now - since);
        since = now;
        if (control.finish(chunk.end - chunk.start)) {
          if (control.isAwaited) this.#setup.send([FromWorker.LOOP_DONE, this.#setup.loop, generation]);
          return;
        }
      }
    } while (partitioner.owned);
  }

  #runChunk(): void {
    const { control } = this.#setup;
    const start = control.iterationOf(this.#chunk.start);
    const end = control.iterationOf(this.#chunk.end);
    if (this.#calls >= WARM_UP_CALLS) {
      this.#call(start, end);
      return;
    }
    const piece = Math.max(1, Math.ceil((end - start) / WARM_UP_CALLS));
    for (let from = start; from < end && !control.isCancelled; from += piece) {
      this.#call(from, Math.min(end, from + piece));
    }
  }

  /** Unit by unit, whatever the chunk: so the partial results do not depend on how the range was distributed. */
  #reduceChunk(generation: number): void {
    const { control, loop, send } = this.#setup;
    const partials = this.#setup.partials!;
    const clones: [unit: number, value: unknown][] = [];
    for (let unit = this.#chunk.start; unit < this.#chunk.end && !control.isCancelled; unit += 1) {
      const value = this.#call(control.iterationOf(unit), control.iterationOf(unit + 1));
      if (typeof value === 'number') partials.set(unit, value);
      else if (value !== undefined) clones.push([unit, value]);
    }
    if (clones.length === 0) return;
    try {
      send([FromWorker.LOOP_PARTIALS, loop, generation, clones]);
    } catch (error) {
      const sent = clones.map(([, value]): Sent => ['partial result', value]);
      throw unsendable(error, 'the kernel', sent);
    }
    control.addCloned(clones.length);
  }

  #call(start: number, end: number): unknown {
    this.#from = start;
    this.#to = end;
    this.#calls += 1;
    return this.#kernel.run(start, end);
  }
}
