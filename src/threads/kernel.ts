import { fail } from '../errors.js';
import { isThenable, type AnyFunction } from './task.js';

/** Calls a range kernel, on a worker or on the caller. @throws what the kernel throws; INVALID_ARGUMENT where it is async. */
export function callKernel(kernel: AnyFunction, start: number, end: number, shared: unknown): unknown {
  const value = kernel(start, end, shared);
  if (isThenable(value)) {
    // Its rejection, if any, is not what went wrong first.
    void Promise.resolve(value).catch(() => {});
    throw fail('INVALID_ARGUMENT', {
      name: `the kernel "${kernel.name}"`,
      actual: 'asynchronous: it returned a promise',
      expected: 'a synchronous function (start, end, shared); run asynchronous work with pool.run()',
    });
  }
  return value;
}
