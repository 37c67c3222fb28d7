/**
 * Async stores that tasks find in their thread as their caller had them. Like a task, a store is a module and an export:
 * the worker loads the module, and runs the task within *its* instance of the exported AsyncLocalStorage.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, fail } from '../errors.js';
import { defineTask } from './task.js';

export interface CarriedStore {
  readonly module: string;
  readonly export: string;
  /** The caller's instance. */
  readonly storage: AsyncLocalStorage<unknown>;
}

/**
 * Names an exported AsyncLocalStorage whose value goes along with tasks, by structured clone.
 *
 * @param moduleUrl `import.meta.url` of the module that exports it.
 * @throws INVALID_ARGUMENT
 *
 * @example
 * // request.js
 * export const request = new AsyncLocalStorage();
 * // elsewhere
 * const pool = new ThreadPool({ stores: [carriedStore(requestModuleUrl, 'request', request)] });
 * request.run({ id: 7 }, () => pool.run(task));   // in the task: request.getStore().id === 7
 */
export function carriedStore<T>(
  moduleUrl: string | URL,
  exportName: string,
  storage: AsyncLocalStorage<T>,
): CarriedStore {
  if (!(storage instanceof AsyncLocalStorage)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'storage',
      actual: describe(storage),
      expected: 'an AsyncLocalStorage',
    });
  }
  const { module, export: name } = defineTask(moduleUrl, exportName);
  return Object.freeze({ module, export: name, storage: storage });
}

/** @throws INVALID_ARGUMENT */
export function checkStores(stores: unknown): readonly CarriedStore[] {
  const isStore = (store: unknown) => {
    const { module, export: name, storage } = (store ?? {}) as Partial<CarriedStore>;
    return typeof module === 'string' && typeof name === 'string' && storage instanceof AsyncLocalStorage;
  };
  if (Array.isArray(stores) && stores.every(isStore)) return [...(stores as CarriedStore[])];
  throw fail('INVALID_ARGUMENT', {
    name: 'stores',
    actual: describe(stores),
    expected: 'an array of what carriedStore(import.meta.url, exportName, storage) gives',
  });
}
