/**
 * `parallelFor` and `parallelReduce`: from a caller's options to loops on the caller or on threads.
 */
import { describe, fail } from '../errors.js';
import type { Schedule } from '../model/choice.js';
import { captureStack } from './caller-stack.js';
import { integerWithin, abortSignal, knownKeys, oneOf } from './check.js';
import { iterationOf, runUnits, type CallerLoop } from './kernel-run.js';
import { loadTask } from './load-task.js';
import { unitFor } from './loop-control.js';
import type { LoopProgram } from './loop-program.js';
import { aborted, type LoopRunner } from './loop-runner.js';
import { CALLER_LIMIT_NS, planLoop } from './partition/auto.js';
import { partitionerIndex, SCHEDULES } from './partition/by-name.js';
import { MAX_UNITS } from './partition/partitioner.js';
import { leavesOf } from './shared-data.js';
import { checkTask, defineTask, type AnyFunction, type RangeFunction, type Task } from './task.js';

/**
 * Expected cost of iterations, in any unit: a function of the index, or the costs of equally long parts of the
 * range, first to last. Only shapes the first split of `static` and `stealing`; results do not depend on it.
 */
export type CostHint = ((index: number) => number) | readonly number[];

export interface ParallelForOptions<Shared> {
  readonly task: Task<RangeFunction<Shared, unknown>>;
  /** First iteration (included) and end (excluded): safe integers. */
  readonly range: readonly [start: number, end: number];
  /** Handed to the kernel in every thread; see `SharedData`. */
  readonly shared: Shared;
  /** Least iterations a chunk. By default the schedule chooses. */
  readonly grain?: number;
  /** `auto` by default. */
  readonly schedule?: Schedule;
  readonly costHint?: CostHint;
  /** At most this many threads; by default all of the pool. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export interface ParallelReduceOptions<Shared, Partial> extends ParallelForOptions<Shared> {
  readonly task: Task<RangeFunction<Shared, Partial>>;
  /**
   * Iterations for one partial result: another grain may round a sum of floats differently, another schedule or
   * thread count never does. By default 4·√n chunks, at most 1,024.
   */
  readonly grain?: number;
  /** Called on the caller, left to right in the order of the range. */
  readonly combine: (left: Partial, right: Partial) => Partial;
  /** Result for an empty range, and leftmost operand otherwise. */
  readonly initial?: Partial;
}

const KEYS = ['task', 'range', 'shared', 'grain', 'schedule', 'costHint', 'threads', 'signal'];
const REDUCE_KEYS = [...KEYS, 'combine', 'initial'];

/** Assumed before it was measured: on the high side, so that an unmeasured pool keeps small work on the caller. */
const ASSUMED_DISPATCH_NS = 100_000;
const CALIBRATION_RUNS = 7;
/** Chunks shorter than this cost more to hand out than they are worth. */
const LEAST_CHUNK_NS = 3_000;
const HINT_SAMPLES = 256;
/** First piece of a loop on the caller. */
const FIRST_PIECE_NS = 100_000;
const noop = defineTask(new URL('./noop-kernel.js', import.meta.url), 'noop');

export interface LoopThreads {
  readonly maxThreads: number;
  /** Threads that `auto` uses: no more than the CPUs that the process may use. */
  readonly usefulThreads: () => number;
  readonly hasReadyWorkers: () => boolean;
  /** Starts threads in the background. */
  readonly startThreads: (count: number) => void;
}

interface Loop extends CallerLoop {
  readonly units: number;
  readonly schedule: Schedule;
  readonly grain: number | undefined;
  readonly threads: number;
  readonly weights: readonly number[] | undefined;
  readonly signal: AbortSignal | undefined;
}

export class ParallelLoops {
  readonly #runner: LoopRunner;
  readonly #pool: LoopThreads;
  readonly #kernels = new Map<string, AnyFunction>();
  #dispatchNs: number | undefined;

  constructor(runner: LoopRunner, pool: LoopThreads) {
    this.#runner = runner;
    this.#pool = pool;
  }

  /** From call to completion of a loop without work, in ns; undefined until `auto` first needed it. */
  get dispatchNs(): number | undefined {
    return this.#dispatchNs;
  }

  async for<S>(options: ParallelForOptions<S>): Promise<void> {
    knownKeys('options', options, KEYS);
    await this.#run(options, false);
  }

  async reduce<S, P>(options: ParallelReduceOptions<S, P>): Promise<P | undefined> {
    knownKeys('options', options, REDUCE_KEYS);
    const { combine } = options;
    if (typeof combine !== 'function') {
      throw fail('INVALID_ARGUMENT', {
        name: 'combine',
        actual: describe(combine),
        expected: 'a function (left, right) => result',
      });
    }
    const partials = (await this.#run(options, true)) as P[];
    return 'initial' in options
      ? partials.reduce((left, right) => combine(left, right), options.initial)
      : partials.length > 0
        ? partials.reduce((left, right) => combine(left, right))
        : undefined;
  }

  async #run<S>(options: ParallelForOptions<S>, reduces: boolean): Promise<unknown[]> {
    const { task } = options;
    checkTask(task);
    const [start, end] = rangeOf(options.range);
    const grain = options.grain === undefined ? undefined : atLeastOne('grain', options.grain);
    const threads = options.threads === undefined ? Infinity : atLeastOne('threads', options.threads);
    const schedule = oneOf('schedule', options.schedule ?? 'auto', SCHEDULES);
    const signal = abortSignal(options.signal);
    const leaves = leavesOf(options.shared);
    const iterations = end - start;
    if (signal?.aborted === true) throw aborted(task, signal);
    if (iterations === 0) return [];
    const unit = reduces ? reduceUnit(iterations, grain) : unitFor(iterations);
    const loop: Loop = {
      task,
      kernel: unloaded,
      shared: options.shared,
      start,
      end,
      unit,
      partials: reduces ? [] : undefined,
      units: Math.ceil(iterations / unit),
      schedule,
      // A reduction's grain is its unit.
      grain: reduces ? undefined : grain,
      threads: Math.min(threads, this.#pool.maxThreads),
      weights: weightsOf(options.costHint, start, end),
      signal,
    };
    const program = this.#runner.programs.get(task, options.shared, leaves);
    if (schedule !== 'auto') return this.#runOnThreads(program, loop, 0, loop.threads);
    return this.#runAuto(program, {
      ...loop,
      kernel: this.#kernels.get(keyOf(task)) ?? (await this.#load(task)),
    });
  }

  async #load(task: Task): Promise<AnyFunction> {
    const kernel = await loadTask(task);
    this.#kernels.set(keyOf(task), kernel);
    return kernel;
  }

  /** Starts on the caller where the cost is not known, and leaves it as soon as threads pay. */
  async #runAuto(program: LoopProgram, loop: Loop): Promise<unknown[]> {
    let first = 0;
    for (;;) {
      const iterations = loop.end - iterationOf(loop, first);
      const plan = planLoop({
        iterations,
        iterationNs: program.iterationNs,
        parallelIterationNs: program.parallelIterationNs,
        dispatchNs: this.#dispatchNs ?? ASSUMED_DISPATCH_NS,
        maxThreads: Math.min(loop.threads, this.#pool.usefulThreads()),
      });
      if (plan.where === 'probe') {
        first = this.#runFor(program, loop, first, plan.probeNs);
      } else if (plan.where === 'caller') {
        // The forecast may err: what turns out long leaves the caller after all.
        first = this.#runFor(program, loop, first, 2 * CALLER_LIMIT_NS);
      } else if (!this.#pool.hasReadyWorkers() && iterations * program.iterationNs! <= CALLER_LIMIT_NS) {
        // Starting threads takes longer than this loop, but there may be more of its kind.
        this.#pool.startThreads(plan.threads);
        first = this.#runFor(program, loop, first, 2 * CALLER_LIMIT_NS);
      } else {
        if (this.#dispatchNs === undefined && this.#pool.hasReadyWorkers()) {
          await this.#calibrate();
          continue;
        }
        return this.#runOnThreads(program, loop, first, plan.threads);
      }
      if (first === loop.units) return loop.partials ?? [];
    }
  }

  /** Runs units on the caller for about `limitNs`; returns the first unit that is left. */
  #runFor(program: LoopProgram, loop: Loop, from: number, limitNs: number): number {
    const known = program.iterationNs;
    // Pieces grow, so that a wrong forecast is noticed soon, and that without one the last piece tells the rate of
    // compiled code. A loop that is forecast to be short runs in one piece.
    let step = known === null ? 1 : Math.max(1, Math.floor(FIRST_PIECE_NS / (known * loop.unit)));
    let first = from;
    const began = performance.now();
    let before = began;
    for (;;) {
      const last = Math.min(loop.units, first + step);
      runUnits(loop, first, last);
      const now = performance.now();
      const isOver = last === loop.units || (now - began) * 1e6 >= limitNs;
      if (isOver) {
        // Learning the cost, only the last piece counts; otherwise everything does, as iterations may differ.
        const [since, origin] = known === null ? [before, first] : [began, from];
        const iterations = iterationOf(loop, last) - iterationOf(loop, origin);
        learnSerial(program, ((now - since) * 1e6) / iterations, last < loop.units);
        return last;
      }
      first = last;
      before = now;
      step *= 2;
    }
  }

  async #runOnThreads(program: LoopProgram, loop: Loop, first: number, threads: number): Promise<unknown[]> {
    const start = iterationOf(loop, first);
    const units = loop.units - first;
    const participants = Math.min(threads, units);
    // Another call may have taken the program while this one waited.
    const own = program.isRunning
      ? this.#runner.programs.get(program.task, program.shared, program.leaves)
      : program;
    const began = performance.now();
    const partials = await this.#runner.run({
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
    });
    learnParallel(own, performance.now() - began, loop.end - start, participants, this.#dispatchNs ?? 0);
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

/** @param outlasted the loop took longer than forecast: what is left goes by what was just measured. */
function learnSerial(program: LoopProgram, iterationNs: number, outlasted: boolean): void {
  const known = program.iterationNs;
  program.iterationNs = known === null || outlasted ? iterationNs : known + (iterationNs - known) / 4;
  // A loop that once did badly on threads gets another chance in time.
  if (program.parallelIterationNs !== null) program.parallelIterationNs *= 0.99;
}

function learnParallel(
  program: LoopProgram,
  elapsedMs: number,
  iterations: number,
  participants: number,
  dispatchNs: number,
): void {
  const wall = (elapsedMs * 1e6) / iterations;
  const net = Math.max(0, elapsedMs * 1e6 - dispatchNs) / iterations;
  const known = program.parallelIterationNs;
  program.parallelIterationNs = known === null ? net : known + (net - known) / 4;
  // All participants busy for the whole time is the most that the iterations can have cost.
  if (program.iterationNs !== null) program.iterationNs = Math.min(program.iterationNs, wall * participants);
}

function grainInUnits(loop: Loop, program: LoopProgram, units: number, participants: number): number | null {
  if (loop.grain !== undefined) return Math.min(units, Math.max(1, Math.round(loop.grain / loop.unit)));
  if (loop.schedule !== 'auto' || program.iterationNs === null) return null;
  const paying = Math.ceil(LEAST_CHUNK_NS / Math.max(1e-3, program.iterationNs * loop.unit));
  return Math.max(1, Math.min(paying, Math.ceil(units / (participants * 8))));
}

/** Depends on the range alone, so that results depend on nothing else. */
function reduceUnit(iterations: number, grain: number | undefined): number {
  const chunks = Math.min(iterations, 1_024, Math.ceil(4 * Math.sqrt(iterations)));
  return Math.max(grain ?? Math.ceil(iterations / chunks), Math.ceil(iterations / MAX_UNITS));
}

function rangeOf(range: unknown): readonly [number, number] {
  if (Array.isArray(range) && range.length === 2) {
    const [start, end] = range as unknown[];
    if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && (start as number) <= (end as number)) {
      return [start as number, end as number];
    }
  }
  throw fail('INVALID_ARGUMENT', {
    name: 'range',
    actual: Array.isArray(range) ? `[${range.map(describe).join(', ')}]` : describe(range),
    expected: '[start, end] of safe integers with start ≤ end',
  });
}

function atLeastOne(name: string, value: unknown): number {
  return integerWithin(name, value, 1, Number.MAX_SAFE_INTEGER);
}

/** Costs of equally long parts. A hint with unusable numbers is refused: it would silently unbalance the loop. */
export function weightsOf(
  hint: CostHint | undefined,
  start: number,
  end: number,
): readonly number[] | undefined {
  if (hint === undefined) return undefined;
  const weights: unknown = typeof hint === 'function' ? sampleCosts(hint, start, end) : hint;
  const isCost = (value: unknown) => Number.isFinite(value) && (value as number) >= 0;
  if (Array.isArray(weights) && weights.length > 0 && weights.every(isCost)) return weights as number[];
  throw fail('INVALID_ARGUMENT', {
    name: 'costHint',
    actual: Array.isArray(weights)
      ? `${describe(weights)} with ${describe(weights.find((value) => !isCost(value)))} in it`
      : describe(hint),
    expected: 'a function of the index, or an array, that gives numbers of 0 or more',
  });
}

function sampleCosts(cost: (index: number) => number, start: number, end: number): number[] {
  const parts = Math.min(HINT_SAMPLES, end - start);
  return Array.from({ length: parts }, (_, part) =>
    cost(Math.floor(start + ((part + 0.5) * (end - start)) / parts)),
  );
}

function keyOf(task: Task): string {
  return `${task.module}#${task.export}`;
}

function unloaded(): never {
  throw new Error('The kernel of a loop that runs on threads is not loaded on the caller.');
}
