/**
 * The function that chooses by size and calls. It must cost a comparison and a call.
 *
 * V8 keeps what it learns about calls per piece of source text. If all computations shared one dispatcher's code,
 * its call sites would see every variant of every computation, none would be inlined, and each call would cost 40
 * to 130 ns more (measured with nine computations). So each dispatcher gets code of its own, which makes it 1.0 ns
 * for one range and 2.0 to 4.5 ns for two in the median process (bench/dispatch.js). Where code generation is
 * forbidden (--disallow-code-generation-from-strings), a shared one without rest arrays serves.
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

/** What the fast path knows: one range, or the first two of several. */
interface FastPath {
  readonly dispatch: AnyFunction;
  readonly set: (
    only: AnyFunction | undefined,
    firstMax: number,
    first: AnyFunction | undefined,
    secondMax: number,
    second: AnyFunction | undefined,
  ) => void;
}

/** Serves every call that the fast path cannot. */
type Later = (args: readonly unknown[]) => unknown;

/**
 * @param size called with the arguments of each call, unless there is one range only.
 * @param load gives the ranges at the first call that finds none.
 */
export function makeDispatch(size: SizeOf, load: () => readonly Range[]): Dispatcher {
  let ranges: readonly Range[] = [];
  const later: Later = (args) => {
    if (ranges.length === 0) {
      use(load());
      return fast.dispatch(...args) as unknown;
    }
    const n = size(...args);
    return (ranges.find(({ maxSize }) => n <= maxSize) ?? ranges[ranges.length - 1]!).run(...args) as unknown;
  };
  const fast = generated(size, later) ?? shared(size, later);
  const use = (next: readonly Range[]) => {
    ranges = next;
    const [first, second] = next;
    const only = next.length === 1 ? first!.run : undefined;
    fast.set(only, first?.maxSize ?? NaN, first?.run, second?.maxSize ?? NaN, second?.run);
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
    let only, firstMax = NaN, first, secondMax = NaN, second;
    const dispatch = (...args) => {
      if (only !== undefined) return only(...args);
      if (first === undefined) return later(args);
      ${sizeOf}
      if (n <= firstMax) return first(...args);
      if (n <= secondMax) return second(...args);
      return later(args);
    };
    const set = (a, b, c, d, e) => { only = a; firstMax = b; first = c; secondMax = d; second = e; };
    return { dispatch, set };`;
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
export function shared(size: SizeOf, later: Later): FastPath {
  let only: AnyFunction | undefined;
  let firstMax = NaN;
  let first: AnyFunction | undefined;
  let secondMax = NaN;
  let second: AnyFunction | undefined;

  function pick(n: number): AnyFunction | undefined {
    return n <= firstMax ? first : n <= secondMax ? second : undefined;
  }

  function dispatch(a: unknown, b: unknown, c: unknown): unknown {
    const count = arguments.length;
    if (count > 3 || count === 0) {
      // eslint-disable-next-line prefer-rest-params -- a rest parameter would cost the short calls an array
      const args = [...arguments] as unknown[];
      const run = only ?? (first && pick(size(...args)));
      return run ? run(...args) : later(args);
    }
    if (count === 1) {
      const run = only ?? (first && pick(size(a)));
      return run ? run(a) : later([a]);
    }
    if (count === 2) {
      const run = only ?? (first && pick(size(a, b)));
      return run ? run(a, b) : later([a, b]);
    }
    const run = only ?? (first && pick(size(a, b, c)));
    return run ? run(a, b, c) : later([a, b, c]);
  }

  return {
    dispatch: dispatch as AnyFunction,
    set: (...next) => {
      [only, firstMax, first, secondMax, second] = next;
    },
  };
}
