import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, OptimizerError } from '../errors.js';
import type { Subject } from '../model/subject.js';
import type { SystemOptimizer } from '../system-optimizer.js';
import { UsageError } from './exit-code.js';

const KINDS: readonly string[] = ['struct', 'pool', 'computation', 'job', 'workload'];

/**
 * Loads a module of subjects and registers them: with its default export, `register(optimizer)`, or else every
 * export that is a subject.
 *
 * @throws UsageError where there is no such file; SUBJECT_UNLOADABLE where the module throws, or exports no subject.
 */
export async function registerSubjects(
  file: string,
  optimizer: SystemOptimizer,
): Promise<readonly Subject[]> {
  const path = resolve(file);
  const unloadable = (reason: string, remedy: string, cause?: unknown) =>
    fail('SUBJECT_UNLOADABLE', { subject: path, reason, remedy }, cause === undefined ? {} : { cause });
  if (!existsSync(path)) {
    throw new UsageError(`There is no file ${path}.`, 'Check the path given with --subjects.');
  }

  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    throw unloadable(messageOf(cause), remedyFor(cause, file, dirname(path)), cause);
  }
  const register = exports['default'];
  const before = optimizer.subjects.length;
  if (typeof register === 'function' && !isSubject(register)) {
    try {
      await (register as (optimizer: SystemOptimizer) => unknown)(optimizer);
    } catch (cause) {
      if (cause instanceof OptimizerError) throw cause;
      throw unloadable(
        `its default export threw: ${messageOf(cause)}`,
        'It is called with the optimizer.',
        cause,
      );
    }
  }
  for (const value of Object.values(exports)) {
    if (isSubject(value)) optimizer.register(value);
  }
  if (optimizer.subjects.length === before) {
    throw unloadable(
      'it registers and exports no subject',
      'Export struct types, pools, computations, jobs or workloads, or export default a function that registers them.',
    );
  }
  return optimizer.subjects;
}

/** A package that the module imports and that is not installed beside it; else it has a fault of its own. */
function remedyFor(cause: unknown, file: string, folder: string): string {
  const missing = /^Cannot find package '([^']+)'/.exec(messageOf(cause))?.[1];
  if (missing === undefined) return `Make \`node ${file}\` run on its own first.`;
  const from = relative(process.cwd(), folder);
  return `Install it there: ${from === '' ? '' : `cd ${from} && `}npm install ${missing}`;
}

function isSubject(value: unknown): value is Subject {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const { kind, name } = value as { kind?: unknown; name?: unknown };
  return typeof kind === 'string' && KINDS.includes(kind) && typeof name === 'string' && name !== '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
