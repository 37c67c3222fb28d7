/**
 * Calls a function and leaves the arguments of one call in so many behind.
 *
 * Written out by number of arguments: a rest array that is kept in one call of a thousand is made in all of them. With
 * code of its own for each function, for what V8 learns of calls is kept by source text (see dispatch.ts).
 */
import type { AnyFunction } from './variants.js';

let made = 0;

/** @param keep gets the arguments of every `every`th call, before it is made. */
export function sampleCalls(
  run: AnyFunction,
  every: number,
  keep: (args: readonly unknown[]) => void,
): AnyFunction {
  made += 1;
  const callWith = (args: string) => `{
      calls += 1;
      if (calls < every) return run(${args});
      calls = 0;
      keep([${args}]);
      return run(${args});
    }`;
  const source = `'use strict'; /* ${made} */
    let calls = 0;
    return function (a, b, c) {
      const count = arguments.length;
      if (count === 1) ${callWith('a')}
      if (count === 2) ${callWith('a, b')}
      if (count === 3) ${callWith('a, b, c')}
      return other(...arguments);
    };`;
  let calls = 0;
  const other: AnyFunction = (...args: unknown[]): unknown => {
    calls += 1;
    if (calls >= every) {
      calls = 0;
      keep(args);
    }
    return run(...args) as unknown;
  };
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a constant text; nothing of a caller's is in it
    const make = new Function('run', 'every', 'keep', 'other', source) as (...all: unknown[]) => AnyFunction;
    return make(run, every, keep, other);
  } catch (error) {
    if (error instanceof EvalError) return other;
    throw error;
  }
}
