import { OptimizerError } from '../errors.js';
import type { Subject } from '../model/subject.js';
import type { SystemOptimizer } from '../system-optimizer.js';
import { loadModule, messageOf, unloadable } from './load-module.js';

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
  const { path, exports } = await loadModule(file, '--subjects');
  const register = exports['default'];
  const before = optimizer.subjects.length;
  if (typeof register === 'function' && !isSubject(register)) {
    try {
      await (register as (optimizer: SystemOptimizer) => unknown)(optimizer);
    } catch (cause) {
      if (cause instanceof OptimizerError) throw cause;
      throw unloadable(
        path,
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
      path,
      'it registers and exports no subject',
      'Export struct types, pools, computations, jobs or workloads, or export default a function that registers them.',
    );
  }
  return optimizer.subjects;
}

function isSubject(value: unknown): value is Subject {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const { kind, name } = value as { kind?: unknown; name?: unknown };
  return typeof kind === 'string' && KINDS.includes(kind) && typeof name === 'string' && name !== '';
}
