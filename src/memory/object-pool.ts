/**
 * Recycles ordinary objects that are expensive to make (parsers, large arrays, connections' state). For plain
 * memory use `SlabPool`; for small short-lived objects use neither, V8's young generation is faster.
 */
import { describe, fail } from '../errors.js';
import { unavailable } from '../model/metric.js';
import type { AllocatorStats } from './allocator-stats.js';
import { nameOr, requireInteger } from './arguments.js';
import { requireOptions } from '../options.js';

export interface ObjectPoolOptions<T extends object> {
  readonly create: () => T;
  /** Called at release: puts an object back into the state that the next user expects, before it returns. */
  readonly reset?: (object: T) => void;
  /** Called at acquire: an object for which it gives false is destroyed and replaced. Gives true or false. */
  readonly validate?: (object: T) => boolean;
  /** Called when the pool lets an object go. */
  readonly destroy?: (object: T) => void;
  /** Made at once: the low-water mark, below which the pool never shrinks. Default 0. */
  readonly minIdle?: number;
  /** High-water mark: idle objects beyond it are let go at release. Default unlimited. */
  readonly maxIdle?: number;
  /**
   * Milliseconds after which a pool that nobody uses lets go of the idle objects that it did not need since: 1 to
   * 2^31 - 1, or 0 for never. Default 30,000. The timer runs only while there is something to let go, and does not
   * keep the process alive.
   */
  readonly shrinkAfterMs?: number;
  /** Objects in all, idle or in use. Default 2^24. */
  readonly max?: number;
  readonly name?: string;
}

/** What the options may hold; the compiler compares it with them. */
const OPTION_KEYS: Readonly<Record<keyof ObjectPoolOptions<object>, true>> = {
  create: true,
  reset: true,
  validate: true,
  destroy: true,
  minIdle: true,
  maxIdle: true,
  shrinkAfterMs: true,
  max: true,
  name: true,
};
/** Releases between two looks at how many idle objects were never needed. */
const SHRINK_INTERVAL = 1024;
const MAX_OBJECTS = 2 ** 24;
const DEFAULT_SHRINK_AFTER_MS = 30_000;

/**
 * Shrinks by itself, down to `minIdle`: every 1,024 releases it lets go of half of the idle objects that were not
 * needed since the last look, and after `shrinkAfterMs` without that many, of all of them.
 *
 * The functions may use the pool, and close it. An error that one throws comes out of the call that ran it; an object
 * that could not be reset or validated is destroyed first. Where several objects go, all are destroyed before the error
 * is thrown (an AggregateError of several).
 *
 * @throws INVALID_ARGUMENT for options out of range, and where a function returns what it should not: `create` no
 *   object or one that is in use, `validate` no boolean, `reset` a promise. CLOSED after `close()`.
 *
 * @example
 * const pool = new ObjectPool({ create: () => new Float64Array(4096), reset: (a) => a.fill(0) });
 * const scratch = pool.acquire();
 * pool.release(scratch);
 */
export class ObjectPool<T extends object> implements Disposable {
  readonly name: string;
  private readonly options: ObjectPoolOptions<T>;
  private readonly minIdle: number;
  private readonly maxIdle: number;
  private readonly max: number;
  private idle: T[] = [];
  private readonly inUse = new Set<T>();
  private highWater = 0;
  private growths = 0;
  private exhausted = 0;
  private releases = 0;
  private fewestIdle = 0;
  private readonly shrinkAfterMs: number;
  private shrinkTimer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(options: ObjectPoolOptions<T>) {
    requireOptions('ObjectPool options', options, OPTION_KEYS);
    for (const name of ['create', 'reset', 'validate', 'destroy'] as const) {
      const given: unknown = options[name];
      if (typeof given === 'function' || (given === undefined && name !== 'create')) continue;
      throw fail('INVALID_ARGUMENT', { name, actual: describe(given), expected: 'a function' });
    }
    this.options = options;
    this.max = requireInteger('max', options.max ?? MAX_OBJECTS, 1, MAX_OBJECTS);
    this.minIdle = requireInteger('minIdle', options.minIdle ?? 0, 0, this.max);
    this.maxIdle = requireInteger('maxIdle', options.maxIdle ?? this.max, this.minIdle, MAX_OBJECTS);
    this.shrinkAfterMs = requireInteger(
      'shrinkAfterMs',
      options.shrinkAfterMs ?? DEFAULT_SHRINK_AFTER_MS,
      0,
      2 ** 31 - 1,
    );
    this.name = nameOr('objects', options.name);
    try {
      while (this.idle.length < this.minIdle) this.idle.push(this.make());
    } catch (error) {
      this.close();
      throw error;
    }
    this.fewestIdle = this.idle.length;
  }

  /** Takes an idle object, or makes one. @throws POOL_EXHAUSTED where `max` are in use. */
  acquire(): T {
    this.requireOpen();
    let object = this.idle.pop();
    while (object !== undefined && !this.isValid(object)) object = this.idle.pop();
    if (object === undefined) {
      if (this.inUse.size >= this.max) throw this.exhaustedError();
      object = this.make();
      this.growths += 1;
    }
    const before = this.inUse.size;
    // validate() and create() are the user's: they may have closed the pool, or taken its last place.
    if (this.isClosed || before >= this.max) return this.turnAway(object);
    this.inUse.add(object);
    if (this.inUse.size === before) throw this.misused('create', object, 'an object that is not in use');
    if (this.inUse.size > this.highWater) this.highWater = this.inUse.size;
    if (this.idle.length < this.fewestIdle) this.fewestIdle = this.idle.length;
    return object;
  }

  /**
   * Gives an object back.
   * @throws FOREIGN_HANDLE for an object that is not out of this pool, or was released already.
   */
  release(object: T): void {
    this.requireOpen();
    if (!this.inUse.delete(object)) {
      const released = this.idle.includes(object) ? ' that was released already' : '';
      throw fail('FOREIGN_HANDLE', { handle: describe(object) + released, pool: this.name });
    }
    try {
      const given: unknown = this.options.reset?.(object);
      // The next user would get the object while it is being reset still.
      if (given instanceof Promise) throw this.misused('reset', given, 'when it has reset the object');
    } catch (error) {
      // In an unknown state: not for the next user.
      this.options.destroy?.(object);
      throw error;
    }
    // reset() may have closed the pool.
    if (this.isClosed || this.idle.length >= this.maxIdle) this.options.destroy?.(object);
    else this.idle.push(object);
    this.releases += 1;
    if (this.releases % SHRINK_INTERVAL === 0) {
      this.shrink(Math.ceil(this.fewestIdle / 2));
    } else if (this.shrinkTimer === undefined) this.watch();
  }

  /** Whether the object is in use out of this pool. */
  has(object: T): boolean {
    return this.inUse.has(object);
  }

  /** Lets idle objects go, down to `minIdle`. Returns how many. */
  trim(): number {
    this.requireOpen();
    return this.letGo(this.idle.length);
  }

  stats(): AllocatorStats {
    return {
      kind: 'object-pool',
      name: this.name,
      capacity: this.idle.length + this.inUse.size,
      inUse: this.inUse.size,
      highWater: this.highWater,
      growths: this.growths,
      exhausted: this.exhausted,
      waiting: 0,
      bytes: unavailable(
        'JS_OBJECTS',
        'The size of JavaScript objects is not known to a pool.',
        'Take a heap snapshot, or profile with type "memory".',
      ),
      closed: this.isClosed,
    };
  }

  /** Destroys idle objects. Those in use belong to their users from now on. Harmless twice. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.shrinkTimer);
    const idle = this.idle;
    this.idle = [];
    this.inUse.clear();
    this.destroyAll(idle);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Calls `create`. A forgotten `return`, or braces taken for an object, would otherwise show at the first use. */
  private make(): T {
    const object: unknown = this.options.create();
    if ((typeof object !== 'object' && typeof object !== 'function') || object === null) {
      throw this.misused('create', object, 'an object');
    }
    return object as T;
  }

  /** Destroys an object that its pool has no place for any more. */
  private turnAway(object: T): never {
    this.options.destroy?.(object);
    this.requireOpen();
    throw this.exhaustedError();
  }

  /** Whether the object may be used again. It is destroyed where not. */
  private isValid(object: T): boolean {
    if (this.options.validate === undefined) return true;
    let isValid = false;
    try {
      const given: unknown = this.options.validate(object);
      if (typeof given !== 'boolean') throw this.misused('validate', given, 'true or false');
      isValid = given;
    } finally {
      if (!isValid) this.options.destroy?.(object);
    }
    return isValid;
  }

  private watch(): void {
    if (this.shrinkAfterMs === 0 || this.idle.length <= this.minIdle) return;
    this.fewestIdle = this.idle.length;
    this.shrinkTimer = setTimeout(() => {
      try {
        this.shrink(this.fewestIdle);
      } finally {
        this.shrinkTimer = undefined;
        this.watch();
      }
    }, this.shrinkAfterMs).unref();
  }

  private shrink(count: number): void {
    this.letGo(count);
    this.fewestIdle = this.idle.length;
  }

  private letGo(count: number): number {
    // The objects at the bottom of the stack were unused for longest.
    const gone = this.idle.splice(0, Math.min(count, Math.max(0, this.idle.length - this.minIdle)));
    this.destroyAll(gone);
    return gone.length;
  }

  /** All of them, also where one cannot be destroyed. */
  private destroyAll(objects: readonly T[]): void {
    const errors: unknown[] = [];
    for (const object of objects) {
      try {
        this.options.destroy?.(object);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 0) return;
    if (errors.length === 1) throw errors[0];
    throw new AggregateError(
      errors,
      `${errors.length} objects of pool "${this.name}" could not be destroyed.`,
    );
  }

  private exhaustedError(): Error {
    this.exhausted += 1;
    return fail('POOL_EXHAUSTED', { slots: this.max, pool: this.name });
  }

  /** A function of the options returned what it should not. */
  private misused(name: 'create' | 'reset' | 'validate', returned: unknown, expected: string): Error {
    // Whoever called gets this error; a rejection of the promise they never see must not end the process.
    if (returned instanceof Promise) returned.catch(() => {});
    return fail('INVALID_ARGUMENT', {
      name: `what ${name}() of pool "${this.name}" returned`,
      actual: describe(returned),
      expected: `a function that returns ${expected}`,
    });
  }

  private requireOpen(): void {
    if (this.isClosed) throw fail('CLOSED', { what: `Object pool "${this.name}"` });
  }
}
