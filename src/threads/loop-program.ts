/**
 * Loops that workers know already. Running a kernel on the same shared data again then takes no message at all: the
 * caller fills the control block and rings. Kept for as long as it is used, as it keeps the shared memory alive.
 */
import { detach } from './attached-objects.js';
import { LoopControl, Partials } from './loop-control.js';
import type { PoolWorker } from './pool-worker.js';
import { ToWorker } from './messages.js';
import { sameLeaves, type Leaves } from './shared-data.js';
import type { Task } from './task.js';

export interface LoopProgram {
  /** From 1; unique in the pool. */
  readonly id: number;
  readonly task: Task;
  readonly shared: unknown;
  readonly leaves: Leaves;
  readonly control: LoopControl;
  partials: Partials | undefined;
  isRunning: boolean;
  /** The caller is in the middle of a chunk: its kernel may have ended this very run, and begun another. */
  isCallerInside: boolean;
  lastUsedAt: number;
  /** What earlier runs took, in ns; null before the first. */
  iterationNs: number | null;
  parallelIterationNs: number | null;
  /**
   * The range that `iterationNs` was measured on; null where it was a part of one. Of any other range it is an extrapolation:
   * iterations there may cost more or less.
   */
  measured: { readonly start: number; readonly end: number } | null;
}

const MAX_PROGRAMS = 16;

export class LoopPrograms {
  readonly #maxThreads: number;
  readonly #workers: () => Iterable<PoolWorker>;
  #programs: LoopProgram[] = [];
  #lastId = 0;

  constructor(maxThreads: number, workers: () => Iterable<PoolWorker>) {
    this.#maxThreads = maxThreads;
    this.#workers = workers;
  }

  /** The program for a task on shared data, free to run: a known one where there is one. */
  get(task: Task, shared: unknown, leaves: Leaves): LoopProgram {
    const known = this.#programs.find(
      (program) =>
        program.task.export === task.export &&
        program.task.module === task.module &&
        sameLeaves(program.leaves, leaves),
    );
    if (known !== undefined && !known.isRunning && !known.isCallerInside && !this.#isInside(known)) {
      known.lastUsedAt = performance.now();
      return known;
    }
    const program: LoopProgram = {
      id: ++this.#lastId,
      task,
      shared,
      leaves,
      control: new LoopControl(this.#maxThreads),
      partials: undefined,
      isRunning: false,
      isCallerInside: false,
      lastUsedAt: performance.now(),
      iterationNs: known?.iterationNs ?? null,
      parallelIterationNs: known?.parallelIterationNs ?? null,
      measured: known?.measured ?? null,
    };
    this.#programs.unshift(program);
    if (this.#programs.length > MAX_PROGRAMS) this.#forget((_, index) => index >= MAX_PROGRAMS);
    return program;
  }

  /** Lets go of programs that were not run since a time (`performance.now()`). */
  forgetUnusedSince(time: number): void {
    this.#forget((program) => program.lastUsedAt < time);
  }

  get size(): number {
    return this.#programs.length;
  }

  /** Tells a worker what it needs to take part. */
  teach(worker: PoolWorker, program: LoopProgram): void {
    if (worker.knownLoops.has(program.id)) return;
    const { id, task, shared, control, partials } = program;
    const { plain, attached } = detach(shared);
    worker.send([
      ToWorker.LOOP,
      id,
      { module: task.module, export: task.export },
      plain,
      control.buffer,
      partials?.buffer,
      control.partialsVersion,
      attached,
    ]);
    worker.knownLoops.add(id);
  }

  /** Makes room for partial results; workers that know the program with less room learn it anew. */
  ensurePartials(program: LoopProgram, units: number): Partials {
    if (program.partials === undefined || program.partials.capacity < units) {
      program.partials = new Partials(units);
      program.control.partialsVersion += 1;
      for (const worker of this.#workers()) worker.knownLoops.delete(program.id);
    }
    program.partials.clear(units);
    return program.partials;
  }

  #isInside(program: LoopProgram): boolean {
    for (const worker of this.#workers()) if (worker.mailbox.inside === program.id) return true;
    return false;
  }

  #forget(matches: (program: LoopProgram, index: number) => boolean): void {
    this.#programs = this.#programs.filter((program, index) => {
      if (program.isRunning || !matches(program, index)) return true;
      for (const worker of this.#workers()) {
        if (worker.knownLoops.delete(program.id)) worker.send([ToWorker.FORGET_LOOP, program.id]);
      }
      return false;
    });
  }
}
