/**
 * The three shapes of a traced function: it calls back, returns a promise, or blocks. Their names begin with
 * `traced`; the CPU profile leaves such frames out of its stacks (see cpu/attribution.ts).
 */
import type { ActivityKind } from '../../model/signals.js';
import type { ActivityTable, Outcome } from './activity-table.js';
import type { AnyFunction, Wrap } from './patches.js';

/** What traced functions of one family share: whether one of them is running, so that nested ones are its parts. */
export interface Family {
  readonly table: ActivityTable;
  depth: number;
}

export interface Traits {
  readonly kind: ActivityKind;
  readonly name: string;
  readonly target?: (args: readonly unknown[]) => string;
  readonly outcome?: (result: unknown) => Outcome;
}

const NO_TARGET = () => '';
const NO_OUTCOME = (): Outcome => ({});

/** For functions whose last argument is called with an error, or null, and a result. */
export function callbackTracer(family: Family, traits: Traits): Wrap {
  const { kind, name, target = NO_TARGET, outcome = NO_OUTCOME } = traits;
  const { table } = family;
  return (original) =>
    function tracedCallback(this: unknown, ...args: unknown[]): unknown {
      const callback = args.at(-1);
      if (!table.recording || family.depth > 0 || typeof callback !== 'function')
        return Reflect.apply(original, this, args);
      const operation = table.begin(kind, name, target(args), tracedCallback);
      args[args.length - 1] = function tracedDone(this: unknown, ...results: unknown[]): unknown {
        table.end(operation, { failed: results[0] instanceof Error, ...outcome(results[1]) });
        return Reflect.apply(callback as AnyFunction, this, results);
      };
      family.depth += 1;
      try {
        return Reflect.apply(original, this, args);
      } catch (error) {
        table.cancel(operation);
        throw error;
      } finally {
        family.depth -= 1;
      }
    };
}

/** For functions that return a promise. The caller gets a promise that settles alike, so none goes unhandled unseen. */
export function promiseTracer(family: Family, traits: Traits): Wrap {
  const { kind, name, target = NO_TARGET, outcome = NO_OUTCOME } = traits;
  const { table } = family;
  return (original) =>
    function tracedPromise(this: unknown, ...args: unknown[]): unknown {
      if (!table.recording || family.depth > 0) return Reflect.apply(original, this, args);
      const operation = table.begin(kind, name, target(args), tracedPromise);
      let result: unknown;
      family.depth += 1;
      try {
        result = Reflect.apply(original, this, args);
      } catch (error) {
        table.cancel(operation);
        throw error;
      } finally {
        family.depth -= 1;
      }
      if (!(result instanceof Promise)) {
        table.cancel(operation);
        return result;
      }
      return result.then(
        (value: unknown) => {
          table.end(operation, outcome(value));
          return value;
        },
        (error: unknown) => {
          table.end(operation, { failed: true });
          throw error;
        },
      );
    };
}

/** For functions that hold the loop until they are done. */
export function blockingTracer(family: Family, traits: Traits): Wrap {
  const { kind, name, target = NO_TARGET, outcome = NO_OUTCOME } = traits;
  const { table } = family;
  return (original) =>
    function tracedBlocking(this: unknown, ...args: unknown[]): unknown {
      if (!table.recording || family.depth > 0) return Reflect.apply(original, this, args);
      const operation = table.begin(kind, name, target(args), tracedBlocking);
      family.depth += 1;
      let failed = true;
      let result: unknown;
      try {
        result = Reflect.apply(original, this, args);
        failed = false;
        return result;
      } finally {
        family.depth -= 1;
        table.end(operation, failed ? { failed } : outcome(result));
      }
    };
}
