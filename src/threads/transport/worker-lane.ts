/** The worker's side of a lane: takes tasks and gives their results back. */
import type { MessagePort } from 'node:worker_threads';
import { packError } from '../error-transfer.js';
import { FromWorker, type MessageFromWorker } from '../messages.js';
import { unsendable } from '../unclonable.js';
import { HAS_STORES, LaneMemory } from './lane-memory.js';
import { Payload, written } from './payload.js';

/** A task that was taken. Reused: valid until the next `take`. */
export interface Taken {
  slot: number;
  taskId: number;
  args: unknown;
  stores: readonly unknown[] | undefined;
}

export class WorkerLane {
  readonly memory: LaneMemory;
  readonly #port: MessagePort;
  /** Reads messages until there are none, and hands arguments to `deliver`. */
  readonly #readMail: () => void;
  /** How messages name a task. */
  readonly #labelOf: (taskId: number) => string;
  readonly #arguments: { readonly ticket: number; readonly value: unknown }[] = [];
  /** The pool was told that something came back, and has given nothing since. */
  #hasTold = false;
  readonly #taken: Taken = { slot: -1, taskId: 0, args: undefined, stores: undefined };

  constructor(
    buffer: SharedArrayBuffer,
    port: MessagePort,
    readMail: () => void,
    labelOf: (taskId: number) => string,
  ) {
    this.memory = new LaneMemory(buffer);
    this.#port = port;
    this.#readMail = readMail;
    this.#labelOf = labelOf;
  }

  /** Arguments that came as a message. */
  deliver(ticket: number, value: unknown): void {
    this.#arguments.push({ ticket, value });
  }

  /** Claims the next task; undefined where there is none. */
  take(): Taken | undefined {
    const { memory } = this;
    for (;;) {
      const slot = memory.take();
      if (memory.passedOver) {
        memory.passedOver = false;
        this.#tell();
      }
      if (slot < 0) return undefined;
      this.#hasTold = false;
      try {
        return this.#read(slot);
      } catch (error) {
        // Arguments that this thread cannot make sense of.
        this.reject(slot, error, 0);
      }
    }
  }

  #read(slot: number): Taken {
    const { memory } = this;
    const carried =
      memory.kind(slot) === Payload.MESSAGE ? this.#argumentsOf(memory.length(slot)) : memory.read(slot);
    const taken = this.#taken;
    taken.slot = slot;
    taken.taskId = memory.task(slot);
    if ((memory.flags(slot) & HAS_STORES) === 0) {
      taken.args = carried;
      taken.stores = undefined;
    } else {
      [taken.args, taken.stores] = carried as [unknown, readonly unknown[]];
    }
    return taken;
  }

  /** Tickets come in the order of the lane; those before were of tasks that were taken back. */
  #argumentsOf(ticket: number): unknown {
    if (!this.#arguments.some((entry) => entry.ticket === ticket)) this.#readMail();
    for (;;) {
      const entry = this.#arguments.shift();
      if (entry === undefined) throw new Error('The arguments of a task did not arrive.');
      if (entry.ticket === ticket) return entry.value;
    }
  }

  /**
   * Gives a result back, or as its task's failure what went wrong with it: results have getters, which may throw, and
   * parts that cannot be cloned. Never throws.
   */
  resolve(slot: number, value: unknown, runMs: number): void {
    try {
      if (!this.memory.write(slot, value)) {
        this.#send([FromWorker.RETURNED, slot, value]);
        written.kind = Payload.MESSAGE;
        written.length = 0;
      }
    } catch (error) {
      const of = this.#labelOf(this.memory.task(slot));
      this.reject(slot, unsendable(error, of, [['result', value]]), runMs);
      return;
    }
    this.#finish(slot, written.kind, written.length, runMs);
  }

  reject(slot: number, error: unknown, runMs: number): void {
    this.#send([FromWorker.RETURNED, slot, packError(error)]);
    this.#finish(slot, Payload.FAILED, 0, runMs);
  }

  #finish(slot: number, kind: number, length: number, runMs: number): void {
    this.memory.finish(slot, kind, length, runMs);
    this.#tell();
  }

  #tell(): void {
    if (!this.memory.takeListener()) return;
    this.#hasTold = true;
    this.#send([FromWorker.WAKE]);
  }

  /** Whether the pool's thread may sleep until it is told: it then takes long to answer. */
  get poolMaySleep(): boolean {
    return this.#hasTold || this.memory.isListening;
  }

  #send(message: MessageFromWorker): void {
    this.#port.postMessage(message);
  }
}
