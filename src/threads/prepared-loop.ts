/**
 * A loop whose options were checked and whose cost is known, so that running it where it is small costs next to
 * nothing. What is left of a loop of 1 µs after checks, promises and clocks is otherwise not worth running.
 *
 * As long as the forecast keeps it on the caller it is a plain call of the kernel, timed only now and then. It goes
 * the long way (see parallel-loops.ts) when it turns out longer, and that decides anew.
 */
import { kernelCall, RangeCall } from './kernel.js';
import { runUnits } from './kernel-run.js';
import type { AnyLoopOptions, Loop } from './loop-options.js';
import type { LoopProgram } from './loop-program.js';
import { kernelError } from './loop-errors.js';
import type { AnyFunction, Task } from './task.js';

/** One call is timed for so much work, as timing and deciding cost about 0.4 µs; and for so many calls. */
const WORK_PER_TIMING_NS = 200_000;
const MAX_CALLS_PER_TIMING = 1_024;
/** What the time on threads is thought to have become with each timed call on the caller. */
const FORGIVENESS = 0.998;

/** Who decides where loops run. */
export interface LoopJudge {
  staysOnCaller(program: LoopProgram, iterations: number): boolean;
  /** A loop ran on the caller, for so long in ms. */
  ranOnCaller(tookMs: number): void;
}

/** What running a loop on the caller needs. */
export class PreparedLoop {
  readonly task: Task;
  readonly #start: number;
  readonly #end: number;
  readonly #range: LoopProgram['measured'];
  /** Iterations for a partial result; undefined where the loop is no reduction. */
  readonly #unit: number | undefined;
  readonly #units: number;
  readonly #options: AnyLoopOptions;
  /** The options object whose keys were looked at last. */
  #known: AnyLoopOptions | undefined;
  /** What `shared` held, in its order, to see that it still holds nothing that has to be checked. */
  readonly #values: readonly unknown[] | undefined;
  readonly #program: LoopProgram;
  readonly #kernel: RangeCall;
  readonly #judge: LoopJudge;
  /** Calls until the next one that is timed; -1 where the loop has to go the long way. */
  #untimed = 0;
  /** Calls that the next timed one stands for, itself included. */
  #calls = 1;

  constructor(
    options: AnyLoopOptions,
    loop: Loop,
    program: LoopProgram,
    kernel: AnyFunction,
    judge: LoopJudge,
  ) {
    this.task = options.task;
    this.#start = loop.start;
    this.#end = loop.end;
    this.#range = { start: loop.start, end: loop.end };
    this.#unit = loop.partials && loop.unit;
    this.#units = loop.units;
    this.#options = { ...options };
    this.#values = isRecord(options.shared) ? Object.values(options.shared) : undefined;
    this.#program = program;
    this.#kernel = new RangeCall(kernel, options.shared, loop.start, loop.end);
    this.#judge = judge;
    this.#decide();
  }

  /** Whether options mean this loop, with nothing in them that has to be checked anew. */
  matches(options: AnyLoopOptions): boolean {
    const known = this.#options;
    const { range } = options;
    if (!Array.isArray(range) || range.length !== 2) return false;
    if (range[0] !== this.#start || range[1] !== this.#end) return false;
    if (options.grain !== known.grain || options.schedule !== known.schedule) return false;
    if (options.threads !== known.threads || options.costHint !== known.costHint) return false;
    if (options.signal !== undefined) return false;
    if (options !== this.#known) {
      for (const key in options) if (!isOption(key, this.#unit !== undefined)) return false;
      this.#known = options;
    }
    // The very object: what was put into it since counts on the caller as in a plain call, and is checked on the long way.
    return options.shared === known.shared || this.#holdsTheSame(options.shared);
  }

  #holdsTheSame(shared: unknown): boolean {
    const values = this.#values;
    if (values === undefined) return shared === this.#options.shared;
    if (!isRecord(shared)) return false;
    let at = 0;
    for (const key in shared) {
      const value = shared[key];
      // Plain values may change: on the caller they are simply handed over.
      if (
        value !== values[at] &&
        ((typeof value === 'object' && value !== null) || typeof value === 'function')
      ) {
        return false;
      }
      at += 1;
    }
    return true;
  }

  /**
   * Runs the loop on the caller; false where it does not belong there, and nothing was run.
   *
   * @throws TASK_THREW
   */
  runAtOnce(shared: unknown): boolean {
    if (this.#untimed > 0) {
      this.#untimed -= 1;
      this.#call(shared);
      return true;
    }
    if (this.#untimed < 0) return false;
    const began = performance.now();
    this.#call(shared);
    this.#learn(began, performance.now());
    return true;
  }

  /**
   * Runs the reduction on the caller; undefined where it does not belong there, and nothing was run.
   *
   * @returns partial results in the order of the range.
   * @throws TASK_THREW
   */
  reduceAtOnce(shared: unknown): unknown[] | undefined {
    if (this.#untimed > 0) {
      this.#untimed -= 1;
      return this.#partials(shared);
    }
    if (this.#untimed < 0) return undefined;
    const began = performance.now();
    const partials = this.#partials(shared);
    this.#learn(began, performance.now());
    return partials;
  }

  #partials(shared: unknown): unknown[] {
    const partials: unknown[] = [];
    const kernel = kernelCall(this.#kernel.kernel, shared);
    const loop = { task: this.task, kernel, start: this.#start, end: this.#end, unit: this.#unit!, partials };
    runUnits(loop, 0, this.#units);
    return partials;
  }

  #learn(began: number, now: number): void {
    const elapsedMs = now - began;
    const program = this.#program;
    program.lastUsedAt = now;
    const iterations = this.#end - this.#start;
    program.iterationNs = smoothed(program.iterationNs, (elapsedMs * 1e6) / iterations);
    program.measured = this.#range;
    // A loop that once did badly on threads gets another chance in time.
    if (program.parallelIterationNs !== null) program.parallelIterationNs *= FORGIVENESS;
    this.#judge.ranOnCaller((program.iterationNs * iterations * this.#calls) / 1e6);
    this.#decide();
  }

  #call(shared: unknown): void {
    try {
      if (shared === this.#kernel.shared) this.#kernel.run();
      else this.#kernel.runOn(shared);
    } catch (error) {
      throw kernelError(this.task, this.#start, this.#end, error, shared);
    }
  }

  #decide(): void {
    const iterations = this.#end - this.#start;
    if (!this.#judge.staysOnCaller(this.#program, iterations)) {
      this.#untimed = -1;
      return;
    }
    const calls = WORK_PER_TIMING_NS / Math.max(1, iterations * this.#program.iterationNs!);
    this.#untimed = Math.min(MAX_CALLS_PER_TIMING, Math.floor(calls));
    this.#calls = this.#untimed + 1;
  }
}

/**
 * A forecast after one more measurement. Upwards it moves by a quarter at a time: a call that was interrupted, by the
 * collector or another process, may have taken a hundred times as long and says nothing of the next.
 */
export function smoothed(known: number | null, measured: number): number {
  if (known === null) return measured;
  return known + Math.min(measured - known, known) / 4;
}

/** Faster than looking keys up. */
function isOption(key: string, reduces: boolean): boolean {
  switch (key) {
    case 'task':
    case 'range':
    case 'shared':
    case 'grain':
    case 'schedule':
    case 'costHint':
    case 'threads':
    case 'signal':
      return true;
    case 'combine':
    case 'initial':
      return reduces;
    default:
      return false;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}
