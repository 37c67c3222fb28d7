/**
 * Loops on the threads of a pool, seen from the caller: open the control block, invite workers, maybe take part, wait for
 * the last unit, settle. A loop ends when its units are finished, not when its workers have gone back to sleep.
 *
 * On failure, abort and close the gate is shut, participants stop before their next chunk, and the promise settles
 * when the last has left: after that nobody writes to the shared data any more. Whoever does not leave in time is
 * terminated, so a promise settles in any case.
 */
import { fail } from '../errors.js';
import { listenForAbort } from './abort-listeners.js';
import { takePart, type CallerPart } from './caller-part.js';
import { framesOf, type StackHolder } from './caller-stack.js';
import { unpackError, type WireError } from './error-transfer.js';
import type { LoopRange } from './loop-control.js';
import { aborted, kernelError } from './loop-errors.js';
import { LoopPrograms, type LoopProgram } from './loop-program.js';
import { FromWorker, type MessageFromWorker } from './messages.js';
import type { PartitionPlan } from './partition/partitioner.js';
import type { PoolWorker } from './pool-worker.js';
import { taskLabel } from './task.js';

/** What loops need of their pool. */
export interface LoopHost {
  readonly maxThreads: number;
  workers(): Iterable<PoolWorker>;
  /** Hands over idle workers, up to `count`, and starts more in the background where there may be more. */
  recruit(count: number): PoolWorker[];
  release(worker: PoolWorker): void;
  terminate(worker: PoolWorker): void;
}

export interface LoopRequest {
  readonly program: LoopProgram;
  readonly range: LoopRange;
  readonly plan: PartitionPlan;
  readonly signal: AbortSignal | undefined;
  readonly caller: StackHolder;
  /** Given where the caller takes part; it then counts among the participants. */
  readonly part?: CallerPart;
}

export interface LoopOutcome {
  /** By unit; empty where the loop wants none. */
  readonly partials: unknown[];
  /** Time that all participants together spent on it, in ms. */
  readonly busyMs: number;
}

/** How long to wait for workers to leave a loop that is over, in ms: one that is inside makes the next run dearer. */
const LEAVE_MS = 0.02;
/** Participants get this long to finish their chunk, in ms. */
const ABORT_GRACE_MS = 100;
const FAILURE_GRACE_MS = 1_000;

interface Run extends LoopRequest {
  readonly generation: number;
  readonly invited: Set<PoolWorker>;
  readonly clones: Map<number, unknown>;
  readonly resolve: (outcome: LoopOutcome) => void;
  readonly reject: (error: unknown) => void;
  stopListening: (() => void) | undefined;
  /** Workers that are to take part. */
  wanted: number;
  isDone: boolean;
  failure: { readonly error: unknown } | undefined;
  grace: NodeJS.Timeout | undefined;
}

export class LoopRunner {
  readonly programs: LoopPrograms;
  readonly #host: LoopHost;
  readonly #runs = new Map<number, Run>();
  completed = 0;

  constructor(host: LoopHost) {
    this.#host = host;
    this.programs = new LoopPrograms(host.maxThreads, () => host.workers());
  }

  get running(): number {
    return this.#runs.size;
  }

  /** Threads that loops under way could still use. */
  get missing(): number {
    let missing = 0;
    for (const { program, failure, isDone, invited, wanted } of this.#runs.values()) {
      if (failure === undefined && !isDone && program.control.hasRoom)
        missing += Math.max(0, wanted - invited.size);
    }
    return missing;
  }

  /** Runs a loop to its end. Rejects with what ended it before. */
  run(request: LoopRequest): Promise<LoopOutcome> {
    const { program, range, plan, signal, part } = request;
    // By the cost hint, say: nobody would be told any more.
    if (signal?.aborted === true) return Promise.reject(aborted(program.task, signal));
    if (range.wantsPartials) this.programs.ensurePartials(program, plan.units);
    program.control.open(range, plan, part === undefined);
    program.isRunning = true;
    program.lastUsedAt = performance.now();
    return new Promise((resolve, reject) => {
      const run: Run = {
        ...request,
        generation: program.control.generation,
        invited: new Set(),
        clones: new Map(),
        resolve,
        reject,
        stopListening: undefined,
        wanted: plan.participants - (part === undefined ? 0 : 1),
        isDone: false,
        failure: undefined,
        grace: undefined,
      };
      this.#runs.set(program.id, run);
      if (signal !== undefined)
        run.stopListening = listenForAbort(signal, () =>
          this.#cancel(run, aborted(program.task, signal), ABORT_GRACE_MS),
        );
      if (part === undefined) {
        this.#invite(run, this.#host.recruit(run.wanted));
        return;
      }
      const share = program.control.join();
      if (run.wanted > 0) this.#invite(run, this.#host.recruit(run.wanted));
      this.#takePart(run, part, share, performance.now() + part.totalMs);
    });
  }

  /** One slice of the caller's part, and those that follow until a time. */
  #takePart(run: Run, part: CallerPart, share: number, until: number): void {
    // Others may have ended it in between.
    if (this.#runs.get(run.program.id) !== run || run.failure !== undefined) return;
    const { control, partials } = run.program;
    const keep = (unit: number, value: unknown) => {
      run.clones.set(unit, value);
      control.addCloned(1);
    };
    try {
      run.program.isCallerInside = true;
      const outcome = takePart(part, control, share, run.range.wantsPartials ? partials : undefined, keep);
      run.program.isCallerInside = false;
      if (outcome === 'done') this.#waitForLeaving(run);
      else control.await();
      if (outcome === 'left') {
        const { rest } = part;
        if (performance.now() < until || rest.start < rest.end) {
          setImmediate(() => this.#takePart(run, part, share, until));
        } else {
          control.handOver(share);
          run.wanted += 1;
          this.#invite(run, this.#host.recruit(1));
        }
      }
      run.isDone = control.isDone;
    } catch (error) {
      run.program.isCallerInside = false;
      control.await();
      this.#cancel(run, error, FAILURE_GRACE_MS);
    }
    this.#settleIfOver(run);
  }

  #waitForLeaving({ program, invited }: Run): void {
    program.control.shut();
    const until = performance.now() + LEAVE_MS;
    for (const { mailbox } of invited) {
      while (mailbox.inside === program.id) if (performance.now() > until) return;
    }
  }

  /** Puts a worker that has nothing to do into a loop that lacks one. False where there is none. */
  offer(worker: PoolWorker): boolean {
    for (const run of this.#runs.values()) {
      if (run.failure !== undefined || run.isDone || run.invited.size >= run.wanted) continue;
      if (!run.program.control.hasRoom) continue;
      this.#invite(run, [worker]);
      return run.invited.has(worker);
    }
    return false;
  }

  #invite(run: Run, workers: readonly PoolWorker[]): void {
    workers.forEach((worker, index) => {
      try {
        this.programs.teach(worker, run.program);
      } catch (error) {
        // The shared data holds something that cannot be cloned after all.
        for (const left of workers.slice(index)) this.#host.release(left);
        this.#cancel(run, error, 0);
        return;
      }
      run.invited.add(worker);
      worker.mailbox.invite(run.program.id);
    });
  }

  handle(worker: PoolWorker, message: MessageFromWorker): void {
    const [kind, id, generation] = message;
    const run = this.#runs.get(id as number);
    if (run === undefined || run.generation !== generation) return;
    if (kind === FromWorker.LOOP_DONE) {
      run.isDone = true;
    } else if (kind === FromWorker.LOOP_PARTIALS) {
      for (const [unit, value] of message[3]) run.clones.set(unit, value);
    } else if (kind === FromWorker.LOOP_FAILURE) {
      const [, , , wire, start, end] = message;
      this.#cancel(run, this.#failureOf(run, worker, wire, start, end), FAILURE_GRACE_MS);
    }
    this.#settleIfOver(run);
  }

  #failureOf(run: Run, worker: PoolWorker, wire: WireError, start?: number, end?: number): unknown {
    const { task, shared } = run.program;
    const cause = unpackError(wire, worker.name, framesOf(run.caller));
    return start === undefined ? cause : kernelError(task, start, end!, cause, shared);
  }

  workerEnded(worker: PoolWorker, how: string, error: Error | undefined): void {
    for (const run of this.#runs.values()) {
      const wasInvited = run.invited.delete(worker);
      if (worker.mailbox.inside === run.program.id) {
        const died = fail('WORKER_DIED', { task: taskLabel(run.program.task), how }, { cause: error });
        this.#cancel(run, died, FAILURE_GRACE_MS);
      } else if (wasInvited && run.failure === undefined) {
        this.#invite(run, this.#host.recruit(1));
      }
      this.#settleIfOver(run);
    }
  }

  /** Ends every loop. */
  failAll(error: () => unknown, graceMs: number): void {
    for (const run of [...this.#runs.values()]) this.#cancel(run, error(), graceMs);
  }

  /** The first cause counts. */
  #cancel(run: Run, error: unknown, graceMs: number): void {
    if (run.failure !== undefined || !this.#runs.has(run.program.id)) return;
    run.failure = { error };
    run.program.control.cancel();
    run.program.control.shut();
    run.grace = setTimeout(() => {
      for (const worker of this.#inside(run)) this.#host.terminate(worker);
    }, graceMs);
    this.#settleIfOver(run);
  }

  #inside(run: Run): PoolWorker[] {
    return [...this.#host.workers()].filter(({ mailbox }) => mailbox.inside === run.program.id);
  }

  #settleIfOver(run: Run): void {
    const { program } = run;
    if (!this.#runs.has(program.id)) return;
    if (run.failure !== undefined) {
      if (this.#inside(run).length > 0) return;
    } else {
      if (!run.isDone || run.clones.size < program.control.cloned) return;
      program.control.shut();
    }
    clearTimeout(run.grace);
    run.stopListening?.();
    this.#runs.delete(program.id);
    program.isRunning = false;
    this.completed += 1;
    if (run.failure !== undefined) run.reject(run.failure.error);
    else run.resolve({ partials: partialsOf(run), busyMs: program.control.busyMs });
    for (const worker of run.invited) this.#host.release(worker);
  }
}

function partialsOf({ range, plan, program, clones }: Run): unknown[] {
  if (!range.wantsPartials) return [];
  return Array.from({ length: plan.units }, (_, unit) => program.partials!.get(unit) ?? clones.get(unit));
}
