/** Loads the function behind a task, in whichever thread asks. */
import { describe, fail, OptimizerError } from '../errors.js';
import { outsideCalls } from './outside-calls.js';
import { taskLabel, type AnyFunction, type Task } from './task.js';

const loaded = new Map<string, AnyFunction>();

/** The function of a task that this thread has loaded before; `import()` of a loaded module still costs microseconds. */
export function loadedTask(task: Task): AnyFunction | undefined {
  return loaded.get(`${task.module}#${task.export}`);
}

/**
 * @throws TASK_UNLOADABLE where the module cannot be found, cannot be parsed, throws while it is evaluated, or
 *   has no such function.
 */
export async function loadTask(task: Task): Promise<AnyFunction> {
  const namespace = await loadModule(task);
  const found = namespace[task.export];
  if (typeof found === 'function') {
    loaded.set(`${task.module}#${task.export}`, found as AnyFunction);
    return found as AnyFunction;
  }
  if (!(task.export in namespace)) {
    const functions = Object.keys(namespace).filter((key) => typeof namespace[key] === 'function');
    throw unloadable(
      task,
      `${nameOf(task)} has no export "${task.export}".`,
      functions.length > 0
        ? `It exports ${functions.slice(0, 8).join(', ')}${functions.length > 8 ? ' and more' : ''}.`
        : 'It exports no function.',
    );
  }
  throw unloadable(
    task,
    `the export "${task.export}" is ${describe(found)}.`,
    'Export a function under that name.',
  );
}

/** An export of any kind; undefined where there is none. @throws TASK_UNLOADABLE where the module does not load. */
export async function loadExport(task: Task): Promise<unknown> {
  return (await loadModule(task))[task.export];
}

async function loadModule(task: Task): Promise<Record<string, unknown>> {
  try {
    return (await outsideCalls(() => import(task.module))) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof OptimizerError) throw error;
    throw unloadable(task, ...reasonOf(task, error), error);
  }
}

function reasonOf(task: Task, error: unknown): [reason: string, remedy: string] {
  const { code, message } = error as { code?: string; message?: string };
  if (
    /\.[cm]?tsx?$/.test(task.module) &&
    (code === 'ERR_UNKNOWN_FILE_EXTENSION' || error instanceof SyntaxError)
  ) {
    return [
      `${nameOf(task)} is TypeScript, which this Node does not load.`,
      'Name the compiled .js module, or start Node with a loader that workers inherit, such as `node --import tsx`.',
    ];
  }
  if (code === 'ERR_MODULE_NOT_FOUND' && message?.includes(pathOf(task.module))) {
    return [
      `there is no module ${nameOf(task)}.`,
      'Pass import.meta.url of the module that exports the task.',
    ];
  }
  return [
    `${nameOf(task)} failed while it was loaded: ${message ?? describe(error)}`,
    'Import the module on its own to see the whole error; it is this error’s cause.',
  ];
}

/** A `data:` URL is a whole program. */
function nameOf({ module }: Task): string {
  return module.startsWith('data:') ? 'its data: URL' : module;
}

function pathOf(module: string): string {
  return module.startsWith('file:') ? decodeURIComponent(new URL(module).pathname) : module;
}

function unloadable(task: Task, reason: string, remedy: string, cause?: unknown): OptimizerError {
  return fail('TASK_UNLOADABLE', { task: taskLabel(task), reason, remedy }, { cause });
}
