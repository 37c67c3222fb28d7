/**
 * The function that chooses by size and calls. It must cost a comparison and a call.
 *
 * V8 keeps what it learns about calls per piece of source text. If all computations shared one dispatcher's code,
 * its call sites would see every variant of every computation, none would be inlined, and each call would cost 40
 * to 130 ns more (measured with nine computations). So each dispatcher gets code of its own, which makes it 1.1 ns
 * for one range and 2.0 to 4.9 ns for several in the median process (bench/dispatch.js). Where code generation is
 * forbidden (--disallow-code-generation-from-strings), a shared one without rest arrays serves.
 *
 * Rejected: passing arguments by number in the generated code as well, with a branch for each count: 9 ns more.
 */
import { defaultSize, type SizeOf } from './size.js';
import type { AnyFunction } from './variants.js';

export interface Range {
  /** Greatest size that it serves; Infinity for the last. */
  readonly maxSize: number;
  readonly run: AnyFunction;
}

export interface Dispatcher {
  /** The same function for life. */
  readonly dispatch: AnyFunction;
  /** Ranges in ascending order, for all later calls. */
  readonly use: (ranges: readonly Range[]) => void;
  /** What `load` gives now, for all later calls. Before the first call it costs nothing: that one loads. */
  readonly reload: () => void;
}

type FastPath = Pick<Dispatcher, 'dispatch' | 'use'>;

/** Serves every call that the fast path cannot: the first, those of no size, and those of further ranges. */
type Later = (args: readonly unknown[]) => unknown;

/** Ranges that are compared in place. One that is not costs 25 ns. */
const FAST_RANGES = [1, 2, 3, 4];

/**
 * @param size called with the arguments of each call, unless there is one range only.
 * @param load gives the ranges at the first call that finds none.
 */
export function makeDispatch(size: SizeOf, load: () => readonly Range[]): Dispatcher {
  let ranges: readonly Range[] = [];
  const later: Later = (args) => {
    if (ranges.length === 0) use(load());
    const last = ranges[ranges.length - 1]!;
    if (ranges.length === 1) return last.run(...args) as unknown;
    const n = size(...args);
    return (ranges.find(({ maxSize }) => n <= maxSize) ?? last).run(...args) as unknown;
  };
  const fast = generated(size, later) ?? shared(size, later);
  const use = (next: readonly Range[]) => {
    ranges = next;
    fast.use(next);
  };
  const reload = () => {
    if (ranges.length > 0) use(load());
  };
  return { dispatch: fast.dispatch, use, reload };
}

let made = 0;

/** Undefined where code generation is forbidden. */
function generated(size: SizeOf, later: Later): FastPath | undefined {
  made += 1;
  // What nearly all inputs are is measured in place, for the same reason; the rest is left to defaultSize.
  const sizeOf =
    size === defaultSize
      ? `const input = args[0];
         let n = NaN;
         if (typeof input === 'number') n = input;
         else if (input !== undefined && input !== null && typeof input !== 'function') {
           n = input.length;
           if (typeof n !== 'number') n = size(input);
         }`
      : `const n = size(...args);`;
  // The number makes the text unique: equal texts share what V8 learned.
  const source = `/* dispatcher ${made} */
    let only, ${FAST_RANGES.map((i) => `max${i} = NaN, run${i}`).join(', ')};
    const dispatch = (...args) => {
      if (only !== undefined) return only(...args);
      if (run1 === undefined) return later(args);
      ${sizeOf}
      ${FAST_RANGES.map((i) => `if (n <= max${i}) return run${i}(...args);`).join('\n')}
      return later(args);
    };
    const use = (ranges) => {
      only = ranges.length === 1 ? ranges[0].run : undefined;
      ${FAST_RANGES.map((i) => `max${i} = ranges[${i - 1}]?.maxSize ?? NaN; run${i} = ranges[${i - 1}]?.run;`).join('\n')}
    };
    return { dispatch, use };`;
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a constant text; nothing of a caller's is in it
    const make = new Function('size', 'later', source) as (size: SizeOf, later: Later) => FastPath;
    return make(size, later);
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

/** The same without generated code. Arguments are passed by number: a shared call site with a rest array is slow. */
function shared(size: SizeOf, later: Later): FastPath {
  let only: AnyFunction | undefined;
  let ranges: readonly Range[] = [];

  function pick(n: number): AnyFunction | undefined {
    for (const range of ranges) if (n <= range.maxSize) return range.run;
    return undefined;
  }

  function dispatch(a: unknown, b: unknown, c: unknown): unknown {
    const count = arguments.length;
    const isLoaded = ranges.length > 0;
    if (count > 3 || count === 0) {
      // eslint-disable-next-line prefer-rest-params -- a rest parameter would cost the short calls an array
      return later([...arguments]);
    }
    if (count === 1) {
      const run = only ?? (isLoaded ? pick(size(a)) : undefined);
      return run ? run(a) : later([a]);
    }
    if (count === 2) {
      const run = only ?? (isLoaded ? pick(size(a, b)) : undefined);
      return run ? run(a, b) : later([a, b]);
    }
    const run = only ?? (isLoaded ? pick(size(a, b, c)) : undefined);
    return run ? run(a, b, c) : later([a, b, c]);
  }

  return {
    dispatch: dispatch as AnyFunction,
    use: (next) => {
      ranges = next;
      only = next.length === 1 ? next[0]!.run : undefined;
    },
  };
}
