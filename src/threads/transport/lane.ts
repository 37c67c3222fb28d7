/**
 * The pool's side of a lane: what was handed to one worker and has not come back. Knows how tasks travel, and nothing
 * of why they are handed over in which order.
 */
import type { MessagePort, Transferable } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import { FromWorker, ToWorker, type MessageFromWorker, type MessageToWorker } from '../messages.js';
import type { Task } from '../task.js';
import { HAS_STORES, LaneMemory, SLOTS, SlotState } from './lane-memory.js';
import { Payload, written } from './payload.js';

/** What a lane carries. */
export interface Parcel {
  readonly taskId: number;
  readonly task: Task;
  readonly args: unknown;
  readonly transfer: readonly Transferable[] | undefined;
  /** Values of the declared async stores, in their order; undefined where there are none. */
  readonly stores: readonly unknown[] | undefined;
  /** Slot while in a lane. */
  slot: number;
}

/** How a parcel came back. */
export type Outcome = 'result' | 'failure' | 'unreadable';

export interface LanePort {
  readonly port: MessagePort;
  /** Posts a message and counts it, so that the worker looks for it. @throws DataCloneError */
  post(message: MessageToWorker, transfer?: readonly Transferable[]): void;
  /** A message that is not about tasks. */
  other(message: MessageFromWorker): void;
}

export class Lane<P extends Parcel> {
  readonly memory = new LaneMemory();
  readonly #port: LanePort;
  readonly #parcels: (P | undefined)[] = new Array<P | undefined>(SLOTS).fill(undefined);
  /**
   * Free slots, taken in the order in which they came back: both sides then go through memory in one direction, each in
   * lines that the other is through with. The slot that came back last would be the one whose line the worker writes to.
   */
  readonly #free = Uint16Array.from({ length: SLOTS }, (_, index) => index);
  /** Slots that were taken from `#free` and put into it, ever. */
  #claimed = 0;
  #freed = SLOTS;
  readonly #knownTasks = new Set<number>();
  /** The task that was handed over last, which the worker therefore knows; 0 for none. */
  #lastTask = 0;
  /** Results and errors that came as messages, by slot. */
  readonly #mail = new Map<number, unknown>();
  readonly #unreadable = new Map<number, unknown>();
  #tickets = 0;
  /** Parcels handed over, or about to be, and neither returned nor withdrawn. */
  load = 0;

  constructor(port: LanePort) {
    this.#port = port;
  }

  get hasRoom(): boolean {
    return this.#claimed !== this.#freed;
  }

  /**
   * Hands a parcel over, with the next `memory.publish`. The worker is not woken.
   *
   * Arguments have getters, which may hand over parcels to this very lane, take others in, or throw. So the slot is taken,
   * and counts as load, before the first of them runs; tickets are told apart by who took them; and the parcel enters the
   * worker's ring when all of them have run, behind those that they handed over, as its message comes behind theirs.
   *
   * @throws DataCloneError where it holds what cannot be cloned. Nothing was sent then.
   */
  submit(parcel: P): void {
    const { taskId, task, args, transfer, stores } = parcel;
    const slot = this.#free[this.#claimed & (SLOTS - 1)]!;
    this.#claimed = (this.#claimed + 1) | 0;
    this.load += 1;
    try {
      const carried = stores === undefined ? args : [args, stores];
      if (taskId !== this.#lastTask) this.#introduce(taskId, task);
      if (transfer !== undefined || !this.memory.write(slot, carried)) {
        const ticket = (this.#tickets = (this.#tickets + 1) | 0);
        this.#port.post([ToWorker.ARGUMENTS, ticket, carried], transfer);
        written.kind = Payload.MESSAGE;
        written.length = ticket;
      }
    } catch (error) {
      this.load -= 1;
      this.#setFree(slot);
      throw error;
    }
    parcel.slot = slot;
    this.#parcels[slot] = parcel;
    this.memory.submit(slot, taskId, written.kind, written.length, stores === undefined ? 0 : HAS_STORES);
  }

  /** Tells the worker what a task's number stands for, where it does not know. */
  #introduce(taskId: number, { module, export: name }: Task): void {
    if (!this.#knownTasks.has(taskId)) {
      this.#port.post([ToWorker.TASK, taskId, { module, export: name }]);
      this.#knownTasks.add(taskId);
    }
    this.#lastTask = taskId;
  }

  /** Takes a parcel back that has not started; false where it has. */
  withdraw(parcel: P): boolean {
    if (!this.memory.withdraw(parcel.slot)) return false;
    this.#parcels[parcel.slot] = undefined;
    parcel.slot = -1;
    this.load -= 1;
    return true;
  }

  /** Parcels that were not given back, in no order. */
  *parcels(): Generator<P> {
    for (const parcel of this.#parcels) if (parcel !== undefined) yield parcel;
  }

  /** Whether the worker has begun with a parcel, or is through with it. */
  hasStarted(parcel: P): boolean {
    const state = this.memory.state(parcel.slot);
    return state === SlotState.STARTED || state === SlotState.FINISHED;
  }

  /** Whether the worker has begun with a parcel, and is not through with it. */
  isRunning(parcel: P): boolean {
    return this.memory.state(parcel.slot) === SlotState.STARTED;
  }

  /** Takes in everything that came back; returns how many slots did. */
  collect(returned: (parcel: P, outcome: Outcome, value: unknown, runMs: number) => void): number {
    const { memory } = this;
    let count = 0;
    for (let slot = memory.nextReturned(); slot >= 0; slot = memory.nextReturned()) {
      const parcel = this.#parcels[slot];
      // Taken back before it started.
      if (parcel === undefined) {
        this.#setFree(slot);
        count += 1;
        continue;
      }
      const kind = memory.kind(slot);
      let outcome: Outcome = 'result';
      let value: unknown;
      if (kind === Payload.MESSAGE || kind === Payload.FAILED) {
        if (!this.#mail.has(slot) && !this.#unreadable.has(slot)) this.receive(slot);
        if (this.#unreadable.has(slot)) outcome = 'unreadable';
        else if (kind === Payload.FAILED) outcome = 'failure';
        value = this.#unreadable.get(slot) ?? this.#mail.get(slot);
        this.#mail.delete(slot);
        this.#unreadable.delete(slot);
      } else {
        value = memory.read(slot);
      }
      const runMs = memory.runMs(slot);
      this.#parcels[slot] = undefined;
      this.#setFree(slot);
      parcel.slot = -1;
      this.load -= 1;
      count += 1;
      returned(parcel, outcome, value, runMs);
    }
    return count;
  }

  #setFree(slot: number): void {
    this.#free[this.#freed & (SLOTS - 1)] = slot;
    this.#freed = (this.#freed + 1) | 0;
  }

  /** Reads messages, up to the one for `slot` where given. */
  receive(slot = -1): void {
    do {
      let received: { message: MessageFromWorker } | undefined;
      try {
        received = receiveMessageOnPort(this.#port.port);
      } catch (error) {
        // Only results come before their slots, so it is the one that is waited for.
        if (slot >= 0) this.#unreadable.set(slot, error);
        continue;
      }
      if (received === undefined) {
        if (slot >= 0) this.#unreadable.set(slot, new Error('The result could not be read.'));
        return;
      }
      this.handle(received.message);
    } while (slot < 0 || (!this.#mail.has(slot) && !this.#unreadable.has(slot)));
  }

  /** A message from the worker, however it was received. */
  handle(message: MessageFromWorker): void {
    if (message[0] === FromWorker.RETURNED) this.#mail.set(message[1], message[2]);
    else this.#port.other(message);
  }

  /** A message that was delivered as an event and cannot be read: the result of the slot that waits for one. */
  unreadable(error: unknown): void {
    for (const parcel of this.parcels()) {
      if (!this.hasStarted(parcel) || this.#mail.has(parcel.slot)) continue;
      this.#unreadable.set(parcel.slot, error);
      return;
    }
  }
}
