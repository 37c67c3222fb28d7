/** A job: a range of work that can be split, and how it is split on this machine. */
import { describe, fail } from '../errors.js';
import type { Choice, ThreadChoice } from '../model/choice.js';
import type { Subject } from '../model/subject.js';
import { integerWithin, oneOf } from './check.js';
import { requireOptions } from '../options.js';
import { ThreadPool } from './thread-pool.js';
import { checkCombine, combinePartials, loopOf, type CostHint } from './loop-options.js';
import { allowedThreads } from './pool-options.js';
import { SCHEDULES } from './partition/by-name.js';
import { AFFINITIES } from './placement.js';
import { runSerially } from './serial-loop.js';
import { checkTask, type RangeFunction, type Task } from './task.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- jobs of any data are registered with one optimizer
export interface JobOptions<Shared = any, Part = any> {
  /** Unique among the jobs of an optimizer. */
  readonly name: string;
  /** Kernel `(start, end, shared) => void`, or with `combine` `=> partial result`. Must be repeatable. */
  readonly task: Task<RangeFunction<Shared, Part>>;
  readonly range: readonly [start: number, end: number];
  readonly shared: Shared;
  /** Makes `run` give one result: partial results combined in the order of the range. */
  readonly combine?: (left: Part, right: Part) => Part;
  readonly costHint?: CostHint;
}

export interface JobRunOptions {
  readonly signal?: AbortSignal;
}

/** What a job does before anything was measured for it: what it would do without this library. */
export const SERIAL: ThreadChoice = {
  kind: 'thread',
  threads: 1,
  schedule: 'auto',
  grain: null,
  affinity: 'none',
};

/** What a job and its loop have in common. */
function loopOptions<S, P>({ task, range, shared, costHint }: JobOptions<S, P>) {
  return { task, range, shared, ...(costHint !== undefined && { costHint }) };
}

const KEYS = ['name', 'task', 'range', 'shared', 'combine', 'costHint'];

/** See `job`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
export class Job<Shared = any, Part = any> implements Subject {
  readonly kind = 'job';
  readonly name: string;
  readonly options: JobOptions<Shared, Part>;
  #choice = SERIAL;

  /** @throws INVALID_ARGUMENT */
  constructor(options: JobOptions<Shared, Part>) {
    requireOptions('job', options, KEYS);
    const { name, task, combine } = options;
    if (typeof name !== 'string' || name === '') {
      throw fail('INVALID_ARGUMENT', { name: 'job.name', actual: describe(name), expected: 'a text' });
    }
    checkTask(task);
    if (combine !== undefined) checkCombine(combine);
    loopOf(loopOptions(options), combine !== undefined, 1);
    this.name = name;
    this.options = options;
  }

  /** How `run` runs now. */
  get choice(): ThreadChoice {
    return this.#choice;
  }

  /**
   * Runs the whole range with the choice in force: on the calling thread where `threads` is 1, which holds up its
   * event loop as a plain loop would, else in threads that all jobs share. The result is the same either way.
   *
   * Rejects as `ThreadPool.parallelFor` does.
   *
   * @returns the combined result where the job has `combine`, else undefined.
   */
  async run(options: JobRunOptions = {}): Promise<Part | undefined> {
    requireOptions('options', options, ['signal']);
    const { signal } = options;
    const { task, range, shared, combine, costHint } = this.options;
    const { threads, schedule, grain, affinity } = this.#choice;
    if (threads === 1) {
      const loop = { task, range, shared, ...(signal !== undefined && { signal }) };
      const partials = await runSerially(loop, combine !== undefined);
      return combine && combinePartials({ combine }, partials as Part[]);
    }
    const pool = poolFor(affinity);
    const loop = {
      range,
      shared,
      schedule,
      threads,
      ...(costHint && { costHint }),
      ...(signal !== undefined && { signal }),
    };
    // The grain of a reduction shapes its result, so no choice may touch it.
    if (combine !== undefined) return pool.parallelReduce({ ...loop, task, combine });
    await pool.parallelFor({ ...loop, task, ...(grain !== null && { grain }) });
    return undefined;
  }

  /** @throws INVALID_ARGUMENT for a choice of another kind, or one out of range. */
  applyChoice(choice: Choice): void {
    if (choice.kind !== 'thread') {
      throw fail('INVALID_ARGUMENT', {
        name: 'choice',
        actual: `one for a ${String((choice as Partial<Choice>).kind)}`,
        expected: `a thread choice for job "${this.name}"`,
      });
    }
    integerWithin('choice.threads', choice.threads, 1, 1_024);
    oneOf('choice.schedule', choice.schedule, SCHEDULES);
    oneOf('choice.affinity', choice.affinity, AFFINITIES);
    if (choice.grain !== null) integerWithin('choice.grain', choice.grain, 1, Number.MAX_SAFE_INTEGER);
    this.#choice = choice;
  }
}

/**
 * Describes a job, for `optimizer.register` and `optimizer.optimizeThreads`.
 *
 * @throws INVALID_ARGUMENT
 * @example
 * const totals = job({ name: 'totals', task: totalsTask, range: [0, orders.length], shared: { orders, sums } });
 * optimizer.register(totals);
 * await optimizer.optimizeThreads();
 * await totals.run();
 */
export function job<Shared, Part>(options: JobOptions<Shared, Part>): Job<Shared, Part> {
  return new Job(options);
}

const pools = new Map<ThreadChoice['affinity'], ThreadPool>();

/** Jobs share their threads: a pool each would start more threads than there are CPUs. */
export function poolFor(affinity: ThreadChoice['affinity']): ThreadPool {
  let pool = pools.get(affinity);
  if (pool === undefined) {
    // Whatever other pools have: a job's number of threads has been proved, and a smaller pool would not keep to it.
    pool = new ThreadPool({ name: 'sysopt-job', affinity, maxThreads: allowedThreads() });
    pools.set(affinity, pool);
  }
  return pool;
}

/** Ends the threads that jobs share, after their running jobs. The next job starts new ones. */
export async function closeJobPools(): Promise<void> {
  const closing = [...pools.values()];
  pools.clear();
  await Promise.all(closing.map((pool) => pool.close()));
}
