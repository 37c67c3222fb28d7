import { fail } from '../errors.js';
import { isThenable, type AnyFunction } from './task.js';

/** Calls a range kernel, on a worker or on the caller. @throws what the kernel throws; INVALID_ARGUMENT where it is async. */
export function callKernel(kernel: AnyFunction, start: number, end: number, shared: unknown): unknown {
  const value = kernel(start, end, shared);
  refuseAsync(kernel, value);
  return value;
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
