/**
 * Runs what outlives the call that first needs it (threads, timers, loaded modules) outside of that call's async context: Node
 * would keep the call's async stores with it, often for as long as the process lives, and listeners would find them.
 *
 * Method: the context in which this module was loaded, which is mostly that of no call. Node has no way to ask for none.
 */
import { AsyncResource } from 'node:async_hooks';

const context = new AsyncResource('system-optimizer.threads', { requireManualDestroy: true });

export function outsideCalls<T>(run: () => T): T {
  return context.runInAsyncScope(run);
}
