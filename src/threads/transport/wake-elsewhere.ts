/**
 * Wakes a worker on another CPU than the one that the pool's thread is on.
 *
 * Linux in a virtual machine takes a CPU that sleeps for one that the host has taken away, and puts a thread that is woken on
 * the CPU of its waker though the other one has nothing to do. There it either displaces the waker or waits until that
 * sleeps; a balancer notices some milliseconds later. A burst of a thousand short tasks then takes once and a half as long, and
 * neither spinning nor looking for results is of any use. So the worker is kept off this CPU while it is woken: three
 * changes of masks, 2 µs.
 *
 * Of several that are woken for long tasks the first may wake here, as this thread sleeps then; the next ones would wait
 * behind it, with a CPU idle.
 *
 * It has its mask back before it runs anything, so what a task starts inherits no other. Threads with a mask of their own (by
 * `affinity`, taskset or a cpuset that shrank) are left alone; one that somebody sets within those microseconds is lost.
 *
 * Where the other CPUs have work of their own, being woken there takes long, and is given up for fifty times as long: so it
 * costs at most a fiftieth of the time. Where that happens more than one time in eight, the pauses double: a late wake-up
 * costs ten times what a good one gains.
 *
 * Rejected, as measured here: that the worker moves by itself once it is awake (it has to get this CPU first, and a move takes
 * 15 to 40 µs); giving up the CPU after each wake-up (`sched_yield` gives it to whoever wants it, for a time slice); leaving
 * this CPU out of the mask for good, as the native pool's threads do (a task's child processes would inherit that).
 */
import type { NativeContract } from '../../native/contract.js';
import type { Mailbox } from '../mailbox.js';

/** Waking a thread on a CPU that sleeps takes 20 to 200 µs in a virtual machine; what takes longer, in ms, waits for others. */
const LATE_MS = 0.5;
/** Waking elsewhere is given up for so many times what a late wake-up took, times the caution. */
const PAUSE_PER_LATE = 50;
const MOST_CAUTION = 64;
/** A late wake-up doubles the caution, a good one takes a tenth of it: it grows where one in eight is late. */
const CAUTION_AFTER_LATE = 2;
const CAUTION_AFTER_GOOD = 0.9;
/** This thread has not slept since, or the worker that was woken here has not found another CPU yet, in ms. */
const STAY_MS = 1;
/** How long a refusal counts, in ms: there may be no other CPU. */
const REFUSED_MS = 1_000;

export class WakeElsewhere {
  readonly #native: Pick<NativeContract, 'keepOffCpu' | 'letBack'> | undefined;
  #pausedUntil = 0;
  #caution = 1;
  /** When a sleeping worker was last let wake here. */
  #stayedAt = -Infinity;

  /** @param native undefined where there is no addon; rings are then plain ones. */
  constructor(native: Pick<NativeContract, 'keepOffCpu' | 'letBack'> | undefined) {
    this.#native = native;
  }

  /**
   * Rings, and where the worker sleeps, elsewhere if possible.
   *
   * @param tid the kernel's id of the worker's thread; undefined where it is not known.
   * @param mayStay whether one of those that are woken at about the same time may wake here.
   */
  ring(mailbox: Mailbox, tid: number | undefined, mayStay: boolean): void {
    const native = this.#native;
    if (native === undefined || tid === undefined || !mailbox.isBlocked) {
      mailbox.ring();
      return;
    }
    const now = performance.now();
    this.#judge(mailbox.takeHeldWakeMs(), now);
    const stays = mayStay && now - this.#stayedAt > STAY_MS;
    if (stays) this.#stayedAt = now;
    if (stays || now < this.#pausedUntil) {
      mailbox.ring();
      return;
    }
    mailbox.hold();
    const isKept = native.keepOffCpu(tid);
    mailbox.ring();
    if (isKept) native.letBack();
    else this.#pausedUntil = now + REFUSED_MS;
    mailbox.letGo();
  }

  #judge(lastMs: number, now: number): void {
    if (lastMs > LATE_MS) {
      this.#pausedUntil = now + lastMs * PAUSE_PER_LATE * this.#caution;
      this.#caution = Math.min(MOST_CAUTION, this.#caution * CAUTION_AFTER_LATE);
    } else if (lastMs > 0) {
      this.#caution = Math.max(1, this.#caution * CAUTION_AFTER_GOOD);
    }
  }
}
