/**
 * `parallelFor` and `parallelReduce`: from a caller's options to loops on the caller or on threads.
 */
import type { CallerPart } from './caller-part.js';
import { captureStack } from './caller-stack.js';
import { kernelCall } from './kernel.js';
import { iterationOf, runUnits, type CallerLoop } from './kernel-run.js';
import { loadedTask, loadTask } from './load-task.js';
import {
  checkCombine,
  combinePartials,
  loopOf,
  type AnyLoopOptions,
  type Loop,
  type ParallelForOptions,
  type ParallelReduceOptions,
} from './loop-options.js';
import { aborted } from './loop-errors.js';
import type { LoopProgram } from './loop-program.js';
import type { LoopRunner } from './loop-runner.js';
import {
  BUSY_LIMIT_NS,
  CALLER_LIMIT_NS,
  planLoop,
  SLICED_LIMIT_NS,
  TOGETHER_LIMIT_NS,
} from './partition/auto.js';
import { partitionerIndex } from './partition/by-name.js';
import { leavesOf } from './shared-data.js';
import { PreparedLoop, smoothed } from './prepared-loop.js';
import { SplitLedger } from './split-ledger.js';
import { defineTask, type Task } from './task.js';

/** Assumed before it was measured: on the high side, so that an unmeasured pool keeps small work on the caller. */
const ASSUMED_DISPATCH_NS = 100_000;
const CALIBRATION_RUNS = 7;
/** Chunks shorter than this cost more to hand out than they are worth. */
const LEAST_CHUNK_NS = 3_000;
/** In loops on threads the caller takes part in slices of so many ms, in pieces of about so many ns. */
const SLICE_MS = 1;
const PIECE_NS = 250_000;
/** First piece of a loop on the caller. */
const FIRST_PIECE_NS = 100_000;
const noop = defineTask(new URL('./noop-kernel.js', import.meta.url), 'noop');

/** What the caller did of a loop by itself. */
interface CallerShare {
  units: number;
  ms: number;
}

export interface LoopThreads {
  readonly maxThreads: number;
  /** Threads that `auto` uses: no more than the CPUs that the process may use. */
  readonly usefulThreads: () => number;
  readonly hasReadyWorkers: () => boolean;
  /** What waking a thread takes, as measured of late, mean over the threads; 0 without any. */
  readonly wakeMs: () => number;
  /** Starts threads in the background. */
  readonly startThreads: (count: number) => void;
  /** What is remembered of a loop has to be forgotten some time. */
  readonly used: () => void;
}

export class ParallelLoops {
  readonly #runner: LoopRunner;
  readonly #pool: LoopThreads;
  /** Loops that ran on the caller, by their task. */
  #prepared = new WeakMap<Task, PreparedLoop>();
  #reductions = new WeakMap<Task, PreparedLoop>();
  /** The one that was asked for last: the same loop mostly comes again. */
  #last: PreparedLoop | undefined;
  #dispatchNs: number | undefined;
  readonly #ledger = new SplitLedger();

  constructor(runner: LoopRunner, pool: LoopThreads) {
    this.#runner = runner;
    this.#pool = pool;
  }

  /** From call to completion of a loop without work, in ns; undefined until `auto` first needed it. */
  get dispatchNs(): number | undefined {
    return this.#dispatchNs;
  }

  /**
   * Runs a loop that is known, and known to be short, on the caller; false where it has to go the long way. Nothing
   * was run then.
   *
   * @throws TASK_THREW
   */
  runAtOnce(options: AnyLoopOptions): boolean {
    const task = (options as Partial<typeof options> | null)?.task as Task;
    let prepared = this.#last;
    if (prepared === undefined || prepared.task !== task) {
      prepared = this.#prepared.get(task);
      if (prepared === undefined) return false;
      this.#last = prepared;
    }
    return prepared.matches(options) && prepared.runAtOnce(options.shared);
  }

  /** @throws INVALID_ARGUMENT; ABORTED */
  check(options: AnyLoopOptions): void {
    loopOf(options, false, this.#pool.maxThreads);
  }

  /**
   * Lets go of loops that did not run since a time (`performance.now()`), with the memory that they share. Whether any are
   * left.
   */
  forgetUnusedSince(time: number): boolean {
    const { programs } = this.#runner;
    const { size } = programs;
    programs.forgetUnusedSince(time);
    if (programs.size < size) {
      // Tasks live for as long as their modules, and with them what is known by task. What is still used is soon known again.
      this.#prepared = new WeakMap();
      this.#reductions = new WeakMap();
      this.#last = undefined;
    }
    return programs.size > 0;
  }

  /** What is remembered of a task's loop; undefined before it ran, or where it is none for the caller. */
  prepared(task: Task): PreparedLoop | undefined {
    return this.#prepared.get(task);
  }

  async for<S>(options: ParallelForOptions<S>): Promise<void> {
    const loop = loopOf(options, false, this.#pool.maxThreads);
    await this.#run(loop);
    const prepared = this.#prepare(options, loop);
    this.#last = prepared;
    if (prepared === undefined) this.#prepared.delete(options.task);
    else this.#prepared.set(options.task, prepared);
  }

  /** What is worth remembering of a loop that ran, if it is one for the caller. */
  #prepare(options: AnyLoopOptions, loop: Loop): PreparedLoop | undefined {
    const kernel = loadedTask(loop.task);
    if (kernel === undefined || loop.schedule !== 'auto' || loop.units === 0) return undefined;
    // It is known again by its task, which must be the same then.
    if (!Object.isFrozen(options.task)) return undefined;
    const program = this.#runner.programs.get(loop.task, loop.shared, loop.leaves);
    if (program.iterationNs === null || !this.staysOnCaller(program, loop.end - loop.start)) return undefined;
    return new PreparedLoop(options, loop, program, kernel, this);
  }

  /** What splitting costs: a dispatch as measured, to threads that were awake, and waking them. */
  get #overheadNs(): number {
    return this.#dispatchNs === undefined
      ? ASSUMED_DISPATCH_NS
      : this.#dispatchNs + 2e6 * this.#pool.wakeMs();
  }

  /** A known loop ran on the caller. */
  ranOnCaller(tookMs: number): void {
    this.#ledger.ranOnCaller(tookMs);
  }

  /** Whether a known loop belongs on the caller as things stand. */
  staysOnCaller(program: LoopProgram, iterations: number): boolean {
    if (!this.#ledger.allows && iterations * program.iterationNs! <= BUSY_LIMIT_NS) return true;
    const plan = planLoop({
      iterations,
      iterationNs: program.iterationNs,
      parallelIterationNs: program.parallelIterationNs,
      dispatchNs: this.#overheadNs,
      maxThreads: this.#pool.usefulThreads(),
    });
    return plan.where === 'caller';
  }

  async reduce<S, P>(options: ParallelReduceOptions<S, P>): Promise<P | undefined> {
    const task = (options as Partial<typeof options> | null)?.task as Task;
    const known = this.#reductions.get(task);
    if (known?.matches(options) === true) {
      checkCombine(options.combine);
      const partials = known.reduceAtOnce(options.shared);
      if (partials !== undefined) return combinePartials(options, partials as P[]);
    }
    const loop = loopOf(options, true, this.#pool.maxThreads);
    checkCombine(options.combine);
    const partials = (await this.#run(loop)) as P[];
    const prepared = this.#prepare(options, loop);
    if (prepared === undefined) this.#reductions.delete(task);
    else this.#reductions.set(task, prepared);
    return combinePartials(options, partials);
  }

  async #run(loop: Loop): Promise<unknown[]> {
    if (loop.units === 0) return [];
    const { task } = loop;
    const program = this.#runner.programs.get(task, loop.shared, loop.leaves);
    this.#pool.used();
    if (loop.schedule !== 'auto') return this.#runOnThreads(program, loop, { units: 0, ms: 0 }, loop.threads);
    const kernel = loadedTask(task) ?? (await loadTask(task));
    return this.#runAuto(program, { ...loop, kernel: kernelCall(kernel, loop.shared) });
  }

  /** Starts on the caller where the cost is not known, and leaves it as soon as threads pay. */
  async #runAuto(program: LoopProgram, loop: Loop & CallerLoop): Promise<unknown[]> {
    const done: CallerShare = { units: 0, ms: 0 };
    let wasHeldUp = false;
    for (;;) {
      // By the kernel on the caller, or while the task was loaded or the dispatch measured: nobody listens then.
      if (loop.signal?.aborted === true) throw aborted(loop.task, loop.signal);
      const first = done.units;
      const iterations = loop.end - iterationOf(loop, first);
      const serialNs = program.iterationNs === null ? 0 : iterations * program.iterationNs;
      const plan = planLoop({
        iterations,
        iterationNs: program.iterationNs,
        parallelIterationNs: program.parallelIterationNs,
        dispatchNs: this.#overheadNs,
        maxThreads: Math.min(loop.threads, this.#pool.usefulThreads()),
      });
      if (plan.where === 'probe') {
        this.#runFor(program, loop, done, plan.probeNs);
      } else if (plan.where === 'caller') {
        // The forecast may err: what turns out long leaves the caller after all.
        this.#runFor(program, loop, done, 2 * CALLER_LIMIT_NS);
      } else if (!this.#pool.hasReadyWorkers() && serialNs <= CALLER_LIMIT_NS) {
        // Starting threads takes longer than this loop, but there may be more of its kind.
        this.#pool.startThreads(plan.threads);
        this.#runFor(program, loop, done, 2 * CALLER_LIMIT_NS);
      } else if (this.#dispatchNs === undefined && this.#pool.hasReadyWorkers()) {
        await this.#calibrate();
      } else if (serialNs > BUSY_LIMIT_NS) {
        const part = callerPart(program, loop, first, serialNs, plan.threads);
        return this.#runOnThreads(program, loop, done, plan.threads, part);
      } else if (this.#ledger.allows) {
        return this.#runSplit(program, loop, done, plan.threads);
      } else if (!wasHeldUp) {
        wasHeldUp = true;
        this.#runFor(program, loop, done, BUSY_LIMIT_NS);
      } else {
        // It held the caller up for long enough, and another thread would not help: one goes on alone.
        return this.#runOnThreads(program, loop, done, 1);
      }
      if (done.units === loop.units) return loop.partials ?? [];
    }
  }

  /** Runs units on the caller for about `limitNs`. */
  #runFor(program: LoopProgram, loop: Loop & CallerLoop, done: CallerShare, limitNs: number): void {
    const from = done.units;
    const known = program.iterationNs;
    // Pieces grow, so that a wrong forecast is noticed soon, and that without one the last piece tells the rate of
    // compiled code. A loop that is forecast to be short runs in one piece.
    let step = known === null ? 1 : Math.max(1, Math.floor(FIRST_PIECE_NS / (known * loop.unit)));
    let first = from;
    const began = performance.now();
    let before = began;
    let rate = Infinity;
    for (;;) {
      const last = Math.min(loop.units, first + step);
      runUnits(loop, first, last);
      const now = performance.now();
      const isOver = last === loop.units || (now - began) * 1e6 >= limitNs || loop.signal?.aborted === true;
      if (isOver) {
        // Learning the cost, only the last piece counts, or the one before it where that was faster: then the last was
        // interrupted. Otherwise everything counts, as iterations may differ.
        const [since, origin] = known === null ? [before, first] : [began, from];
        const iterations = iterationOf(loop, last) - iterationOf(loop, origin);
        const measured = ((now - since) * 1e6) / iterations;
        learnSerial(program, known === null ? Math.min(measured, rate) : measured, last < loop.units);
        const isWhole = known !== null && from === 0 && last === loop.units;
        program.measured = isWhole ? { start: loop.start, end: loop.end } : null;
        this.#ledger.ranOnCaller(now - began);
        done.units = last;
        done.ms += now - began;
        return;
      }
      rate = ((now - before) * 1e6) / (iterationOf(loop, last) - iterationOf(loop, first));
      first = last;
      before = now;
      step *= 2;
    }
  }

  /**
   * Splits a loop of some milliseconds, and books what that won. Where it is short the caller begins, and leaves what is
   * left to the threads when it was held up for long enough.
   */
  async #runSplit(
    program: LoopProgram,
    loop: Loop & CallerLoop,
    done: CallerShare,
    threads: number,
  ): Promise<unknown[]> {
    const iterations = loop.end - iterationOf(loop, done.units);
    const part = callerPart(program, loop, done.units, iterations * program.iterationNs!, threads);
    const began = performance.now();
    const partials = await this.#runOnThreads(program, loop, done, threads, part);
    // By what is known now: the forecast may have been a guess from a part of the range, or from code not compiled yet.
    this.#ledger.ranSplit(performance.now() - began, (iterations * program.iterationNs!) / 1e6);
    return partials;
  }

  async #runOnThreads(
    program: LoopProgram,
    loop: Loop,
    done: CallerShare,
    threads: number,
    part?: CallerPart,
  ): Promise<unknown[]> {
    const first = done.units;
    const start = iterationOf(loop, first);
    const units = loop.units - first;
    const participants = Math.min(threads, units);
    // Another call may have taken the program while this one waited.
    const own = program.isRunning
      ? this.#runner.programs.get(program.task, program.shared, program.leaves)
      : program;
    const began = performance.now();
    const { partials, busyMs } = await this.#runner.run({
      program: own,
      range: {
        start,
        end: loop.end,
        unit: loop.unit,
        wantsPartials: loop.partials !== undefined,
        partitioner: partitionerIndex(loop.schedule),
      },
      plan: {
        units,
        participants,
        grain: grainInUnits(loop, own, units, participants),
        // Weights are those of the whole range.
        ...(loop.weights !== undefined && first === 0 && { weights: loop.weights }),
      },
      signal: loop.signal,
      caller: captureStack(),
      ...(part !== undefined && { part }),
    });
    learnParallel(own, performance.now() - began, loop.end - start, this.#dispatchNs ?? 0);
    learnTotal(own, loop, done.ms + busyMs);
    return loop.partials === undefined ? [] : [...loop.partials, ...partials];
  }

  /** Measures what a loop without work costs, the way a real one is dispatched. */
  async #calibrate(): Promise<void> {
    this.#dispatchNs = ASSUMED_DISPATCH_NS;
    const leaves = leavesOf(undefined);
    const times: number[] = [];
    for (let run = 0; run < CALIBRATION_RUNS; run += 1) {
      const program = this.#runner.programs.get(noop, undefined, leaves);
      const began = performance.now();
      await this.#runner.run({
        program,
        range: { start: 0, end: 1, unit: 1, wantsPartials: false, partitioner: partitionerIndex('stealing') },
        plan: { units: 1, participants: 1, grain: null },
        signal: undefined,
        caller: {},
      });
      times.push((performance.now() - began) * 1e6);
    }
    times.sort((a, b) => a - b);
    this.#dispatchNs = times[times.length >> 1]!;
  }
}

/** How the caller takes part in a loop on threads; undefined where it is too long for that. */
function callerPart(
  program: LoopProgram,
  loop: Loop & CallerLoop,
  firstUnit: number,
  forecastNs: number,
  threads: number,
): CallerPart | undefined {
  const rest = { start: 0, end: 0 };
  if (forecastNs <= TOGETHER_LIMIT_NS) {
    const limitMs = (2 * CALLER_LIMIT_NS) / 1e6;
    return { loop, firstUnit, limitMs, pieceUnits: Infinity, totalMs: limitMs, rest };
  }
  // Alone it would only keep its event loop busy.
  if (forecastNs > SLICED_LIMIT_NS || threads < 2) return undefined;
  const pieceUnits = Math.max(1, Math.floor(PIECE_NS / (program.iterationNs! * loop.unit)));
  return { loop, firstUnit, limitMs: SLICE_MS, pieceUnits, totalMs: SLICED_LIMIT_NS / 1e6, rest };
}

/** @param outlasted the loop took longer than forecast: what is left goes by what was just measured. */
function learnSerial(program: LoopProgram, iterationNs: number, outlasted: boolean): void {
  program.iterationNs = outlasted ? iterationNs : smoothed(program.iterationNs, iterationNs);
  // A loop that once did badly on threads gets another chance in time.
  if (program.parallelIterationNs !== null) program.parallelIterationNs *= 0.99;
}

function learnParallel(
  program: LoopProgram,
  elapsedMs: number,
  iterations: number,
  dispatchNs: number,
): void {
  const net = Math.max(0, elapsedMs * 1e6 - dispatchNs) / iterations;
  const known = program.parallelIterationNs;
  program.parallelIterationNs = known === null ? net : known + (net - known) / 4;
}

/**
 * What a loop that ran on threads takes on one: the time that all together spent on it. Threads that share caches or
 * lose their CPUs take longer than one would, so a cost that was measured on the same range is only ever lowered by this
 * (code was compiled since); one that was extrapolated from other iterations gives way to it.
 *
 * Rejected: running the first iterations on the caller now and then, and scaling the cost as their time changed. Those of
 * a triangular loop take no time, so that their noise made 16 ms of a loop of 50, which then stayed on the caller.
 */
function learnTotal(program: LoopProgram, { start, end }: Loop, totalMs: number): void {
  if (program.iterationNs === null) return;
  const total = (totalMs * 1e6) / (end - start);
  const { measured } = program;
  const isKnown = measured?.start === start && measured.end === end;
  program.iterationNs = isKnown ? Math.min(program.iterationNs, total) : total;
  if (!isKnown) program.measured = { start, end };
}

function grainInUnits(loop: Loop, program: LoopProgram, units: number, participants: number): number | null {
  if (loop.grain !== undefined) return Math.min(units, Math.max(1, Math.round(loop.grain / loop.unit)));
  if (loop.schedule !== 'auto' || program.iterationNs === null) return null;
  const paying = Math.ceil(LEAST_CHUNK_NS / Math.max(1e-3, program.iterationNs * loop.unit));
  return Math.max(1, Math.min(paying, Math.ceil(units / (participants * 8))));
}
