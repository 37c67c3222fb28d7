/**
 * Calls of range kernels: one door for workers and callers, at the speed of a plain call.
 *
 * What a call costs is decided by what V8 compiles it into. Inlined into a function that catches errors, as the code
 * around a kernel does, a simple kernel's loop is neither peeled nor hoisted and ran at a quarter of its speed (1.6
 * against 0.42 ns an iteration of `values[i] *= factor`, Node 20). So kernels are called from a place that has seen so
 * many functions that V8 inlines none there. And a kernel that is called again and again on the same data gets a caller
 * generated for just these two, into which it is inlined with the addresses of its data as constants, as it would be
 * into hand-written code; where its range is the same each time, that is a constant too, and bounds are no longer
 * checked: 0.42 against 0.70 ns. Where `new Function` is forbidden, kernels are called as they are.
 *
 * V8 compiles a function when enough of its bytecode has run, and such a caller has next to none: it stayed as it was for its
 * first 20,000 calls, half a second of a loop of 27 µs at 0.89 of its speed. So each has an empty loop for V8 to
 * count, which runs a little before each of calls 65 to 128. With V8's compiling, that costs 0.6 to 2.6 ms of CPU a caller
 * (p10 to p90 on a loaded machine, median 0.7 to 1.0, Node 20): mostly compiling, as a quarter of the turns took as much.
 *
 * Rejected: one generic caller for all kernels, which V8 specialises for the first and then for none.
 */
import { fail } from '../errors.js';
import { isThenable, type AnyFunction } from './task.js';

/** Calls after which a kernel gets a caller of its own: generating one takes as long as some short calls. */
const CALLS_BEFORE_BINDING = 64;
/** After so many more V8 has seen enough of it to compile it. */
const WARM_UP_CALLS = 64;
/** Turns of the empty loop after each of these: all together twice what V8 (three times 132 KB of bytecode) waits for. */
const WARM_UP_TURNS = 1_500;

/** One kernel on one `shared`. */
export class KernelCall {
  readonly kernel: AnyFunction;
  readonly shared: unknown;
  #call: AnyFunction;
  /** Calls until this one is as fast as it gets. */
  #left = CALLS_BEFORE_BINDING + WARM_UP_CALLS;

  constructor(kernel: AnyFunction, shared: unknown) {
    keepApart();
    this.kernel = kernel;
    this.shared = shared;
    this.#call = kernel;
  }

  /** @throws what the kernel throws; INVALID_ARGUMENT where it is async. */
  run(start: number, end: number): unknown {
    if (this.#left > 0) this.#prepare();
    const value = callApart(this.#call, start, end, this.shared);
    if (value !== undefined) refuseAsync(this.kernel, value);
    return value;
  }

  #prepare(): void {
    this.#left -= 1;
    if (this.#left === WARM_UP_CALLS) this.#call = bind(this.kernel, this.shared);
    else if (this.#left < WARM_UP_CALLS) warmUp(this.#call, this.kernel);
  }
}

/** One kernel on one `shared` over one range. */
export class RangeCall {
  readonly kernel: AnyFunction;
  readonly shared: unknown;
  readonly start: number;
  readonly end: number;
  #call: AnyFunction;
  /** Calls until this one is as fast as it gets. */
  #left = CALLS_BEFORE_BINDING + WARM_UP_CALLS;

  constructor(kernel: AnyFunction, shared: unknown, start: number, end: number) {
    keepApart();
    this.kernel = kernel;
    this.shared = shared;
    this.start = start;
    this.end = end;
    this.#call = kernel;
  }

  /** @throws what the kernel throws; INVALID_ARGUMENT where it is async. */
  run(): void {
    if (this.#left > 0) this.#prepare();
    const value = callApart(this.#call, this.start, this.end, this.shared);
    if (value !== undefined) refuseAsync(this.kernel, value);
  }

  #prepare(): void {
    this.#left -= 1;
    if (this.#left === WARM_UP_CALLS) {
      this.#call = bind(this.kernel, this.shared, [this.start, this.end]);
    } else if (this.#left < WARM_UP_CALLS) warmUp(this.#call, this.kernel);
  }

  /** The same with another `shared` of the same kind. */
  runOn(shared: unknown): void {
    const value = callApart(this.kernel, this.start, this.end, shared);
    if (value !== undefined) refuseAsync(this.kernel, value);
  }
}

/** By their data: so a call lives as long as what it works on. */
const calls = new WeakMap<object, KernelCall>();

/** The call for a kernel on this very `shared`; the last kernel of each is remembered. */
export function kernelCall(kernel: AnyFunction, shared: unknown): KernelCall {
  if (typeof shared !== 'object' || shared === null) return new KernelCall(kernel, shared);
  let call = calls.get(shared);
  if (call?.kernel !== kernel) calls.set(shared, (call = new KernelCall(kernel, shared)));
  return call;
}

/** Calls a kernel without being inlined together with it. */
function callApart(kernel: AnyFunction, start: number, end: number, shared: unknown): unknown {
  return kernel(start, end, shared);
}

const strangers: readonly AnyFunction[] = [
  (start: unknown) => start,
  (_: unknown, end: unknown) => end,
  (_: unknown, __: unknown, shared: unknown) => shared,
];
/** V8 takes notes of what a place calls only after some hundred calls. */
const STRANGER_CALLS = 300;
let areKeptApart = false;

/** Shows `callApart` more functions than V8 keeps apart. Costs some 20 µs, once. */
function keepApart(): void {
  if (areKeptApart) return;
  areKeptApart = true;
  for (let i = 0; i < STRANGER_CALLS; i += 1) for (const stranger of strangers) callApart(stranger, i, i, i);
}

let bound = 0;

/** A caller of its own. The number keeps V8 from sharing code, and what it learnt, between equal sources. */
function bind(kernel: AnyFunction, shared: unknown, range?: readonly [number, number]): AnyFunction {
  const given = range === undefined ? 'start, end' : range.join(', ');
  const source = `'use strict';
return (start, end, same, turns) => {
  if (turns === undefined) return kernel(${given}, shared);
  for (let n = 0; n < turns; n += 1);
}; // ${(bound += 1)}`;
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const make = new Function('kernel', 'shared', source) as (k: AnyFunction, s: unknown) => AnyFunction;
    return make(kernel, shared);
  } catch {
    // --disallow-code-generation-from-strings
    return kernel;
  }
}

/** Lets V8 count what it counts before it compiles a caller. Runs nothing of the kernel. */
function warmUp(caller: AnyFunction, kernel: AnyFunction): void {
  if (caller !== kernel) caller(0, 0, undefined, WARM_UP_TURNS);
}

/** @throws INVALID_ARGUMENT where a kernel's result is a promise. */
export function refuseAsync(kernel: AnyFunction, value: unknown): void {
  if (!isThenable(value)) return;
  // Its rejection, if any, is not what went wrong first.
  void Promise.resolve(value).catch(() => {});
  throw fail('INVALID_ARGUMENT', {
    name: `the kernel "${kernel.name}"`,
    actual: 'asynchronous: it returned a promise',
    expected: 'a synchronous function (start, end, shared); run asynchronous work with pool.run()',
  });
}
