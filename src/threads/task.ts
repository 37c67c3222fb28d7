/**
 * A task is a module and the name of one of its exports, because that is what a worker can load: functions do
 * not cross threads, and a function's source text loses its closure, its imports and its line numbers.
 */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, fail } from '../errors.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the top type of functions
export type AnyFunction = (...args: any[]) => unknown;

declare const signature: unique symbol;

/** A function that any thread can load. Made by `defineTask`. */
export interface Task<F extends AnyFunction = AnyFunction> {
  /** `file:` or `data:` URL. */
  readonly module: string;
  readonly export: string;
  /** Carries the function's type; never present at run time. */
  readonly [signature]?: F;
}

/** A kernel over part of a range: `start` included, `end` excluded. */
export type RangeFunction<Shared, Partial> = (start: number, end: number, shared: Shared) => Partial;

/**
 * Names an exported function as a task.
 *
 * The export is looked up when a thread first runs the task, so a module may define tasks on its own exports.
 *
 * @param moduleUrl `import.meta.url` of the module that exports the function, or a `file:` or `data:` URL, or
 *   an absolute path.
 * @param exportName name of the export; `default` for a default export.
 * @throws INVALID_ARGUMENT for anything else.
 *
 * @example
 * // hash.js
 * export function hash(text: string): number { … }
 * export const hashTask = defineTask<typeof hash>(import.meta.url, 'hash');
 * // elsewhere
 * const digest = await pool.run(hashTask, 'text');
 */
export function defineTask(moduleUrl: string | URL, exportName: string): Task;
// Apart, so that a function's type is taken from what is written and never guessed from where the task is used.
export function defineTask<F extends AnyFunction>(moduleUrl: string | URL, exportName: string): Task<F>;
export function defineTask(moduleUrl: string | URL, exportName: string): Task {
  const module = moduleUrlOf(moduleUrl);
  if (typeof exportName !== 'string' || exportName === '') {
    throw fail('INVALID_ARGUMENT', {
      name: 'exportName',
      actual: describe(exportName),
      expected: 'the name of an exported function',
    });
  }
  return Object.freeze({ module, export: exportName });
}

function moduleUrlOf(moduleUrl: unknown): string {
  const text = moduleUrl instanceof URL ? moduleUrl.href : moduleUrl;
  if (typeof text === 'string') {
    if (/^(file|data):/.test(text) && URL.canParse(text)) return text;
    if (isAbsolute(text)) return pathToFileURL(text).href;
  }
  throw fail('INVALID_ARGUMENT', {
    name: 'moduleUrl',
    actual: describe(text),
    expected: 'import.meta.url, another file: or data: URL, or an absolute path',
  });
}

/** Checks what a caller passed as a task. @throws INVALID_ARGUMENT */
export function checkTask(task: unknown): asserts task is Task {
  const candidate = task as Partial<Task> | null | undefined;
  if (typeof candidate?.module === 'string' && typeof candidate.export === 'string') return;
  throw fail('INVALID_ARGUMENT', {
    name: 'task',
    actual: describe(task),
    expected: 'a task made by defineTask(import.meta.url, exportName)',
  });
}

/** The task as it is now: what `defineTask` made stays so, any other object may change before it is sent. */
export function fixedTask(task: Task): Task {
  return Object.isFrozen(task) ? task : Object.freeze({ module: task.module, export: task.export });
}

/** How messages name a task: the export and the file's name. */
export function taskLabel(task: Task): string {
  if (task.module.startsWith('data:')) return `task "${task.export}" (data: URL)`;
  return `task "${task.export}" (${task.module.slice(task.module.lastIndexOf('/') + 1)})`;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
