/**
 * Waits of a set length. By themselves they are nothing; where a function awaits several in turn, they take as long
 * as the calls to other services that they often stand for.
 */
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import type { ActivityTable } from './activity-table.js';
import type { AnyFunction, Patches, Wrap } from './patches.js';
import { promiseTracer } from './traced.js';

/** Shorter ones only let the loop come round. */
const LEAST_MS = 2;

export function installTimerTrace(table: ActivityTable, patches: Patches): void {
  const wrap: Wrap = (original) =>
    function tracedTimer(this: unknown, ...args: unknown[]): unknown {
      const [callback, delay] = args;
      if (!table.recording || typeof callback !== 'function' || !(Number(delay) >= LEAST_MS))
        return Reflect.apply(original, this, args);
      const operation = table.begin('timer', 'setTimeout', '', tracedTimer);
      args[0] = function tracedTimeout(this: unknown, ...rest: unknown[]): unknown {
        table.end(operation);
        return Reflect.apply(callback as AnyFunction, this, rest);
      };
      return Reflect.apply(original, this, args);
    };
  patches.wrap(globalThis, 'setTimeout', wrap);
  patches.wrap(timers, 'setTimeout', wrap);
  const traits = { kind: 'timer', name: 'timers.promises.setTimeout' } as const;
  patches.wrap(timersPromises, 'setTimeout', promiseTracer({ table, depth: 0 }, traits));
}
