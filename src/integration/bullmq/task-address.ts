/**
 * How a queue names a task: the module's path below a root folder, since a `file:` URL of one machine means nothing
 * on another. Each side has its own root, by default the folder of the nearest package.json.
 *
 * A consumer runs what the queue names, so it keeps to modules below its root that are its program's own: nothing
 * above, nothing in node_modules, no `data:` URL, and with `only` nothing but the modules listed. Links are followed
 * before that is checked.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, fail } from '../../errors.js';
import { defineTask, taskLabel, type AnyFunction, type Task } from '../../threads/task.js';

export interface TaskAddress {
  /** With `/` between folders. */
  readonly module: string;
  readonly export: string;
}

/** The folder of the nearest package.json at or above the working directory, else the working directory. */
export function defaultRoot(from = process.cwd()): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return realpathSync(folder);
    if (folder === dirname(folder)) return from;
  }
}

/** @throws INVALID_ARGUMENT for a folder that is not there. */
export function checkRoot(root: string | undefined): string {
  if (root === undefined) return defaultRoot();
  try {
    return realpathSync(resolve(root));
  } catch {
    throw fail('INVALID_ARGUMENT', {
      name: 'root',
      actual: describe(root),
      expected: 'a folder that exists',
    });
  }
}

/** @throws INVALID_ARGUMENT where other machines could not find the module. */
export function addressOfTask(task: Task, root: string): TaskAddress {
  if (task.module.startsWith('file:')) {
    const path = realPath(fileURLToPath(task.module));
    const module = relative(root, path).split(sep).join('/');
    if (isOwn(module)) return { module, export: task.export };
  }
  throw fail('INVALID_ARGUMENT', {
    name: 'task',
    actual: `${taskLabel(task)}, which is not below ${root}`,
    expected: 'a task whose module lies below the root and outside node_modules, or another root',
  });
}

/** @throws TASK_REFUSED */
export function taskAt(
  address: TaskAddress,
  root: string,
  only: ReadonlySet<string> | undefined,
): Task<AnyFunction> {
  const module = String(address.module);
  const refuse = (reason: string, remedy: string) =>
    fail('TASK_REFUSED', { task: `task "${String(address.export)}" (${module})`, reason, remedy });
  const path = realPath(resolve(root, module));
  const found = relative(root, path).split(sep).join('/');
  if (!isOwn(module) || !isOwn(found)) {
    throw refuse(
      'its module is not one of the program below the root.',
      'Start the consumer with the root of the tasks.',
    );
  }
  if (only !== undefined && !only.has(found)) {
    throw refuse('its module is not among those that are allowed.', 'Name it with --only, or in `only`.');
  }
  return defineTask<AnyFunction>(pathToFileURL(path).href, String(address.export));
}

/** Paths of `only`, relative to the root or absolute, in the form that addresses have. @throws INVALID_ARGUMENT */
export function allowedModules(
  only: readonly string[] | undefined,
  root: string,
): ReadonlySet<string> | undefined {
  if (only === undefined || only.length === 0) return undefined;
  return new Set(
    only.map((entry) => {
      const path = resolve(root, entry);
      const module = relative(root, realPath(path)).split(sep).join('/');
      if (existsSync(path) && isOwn(module)) return module;
      throw fail('INVALID_ARGUMENT', {
        name: 'only',
        actual: describe(entry),
        expected: `modules that exist below ${root} and outside node_modules`,
      });
    }),
  );
}

function isOwn(module: string): boolean {
  if (module === '' || module.includes('\\') || /^(?:\/|[a-zA-Z]+:)/.test(module)) return false;
  return !module.split('/').some((part) => part === '..' || part === 'node_modules');
}

/** A module that is not there is the pool's to report. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
