/**
 * Factories that fresh processes load to measure a layout: `compare` calls them once per process and side, outside
 * the timing, and times what they return.
 */
import { pathToFileURL } from 'node:url';
import { isAbsolute, resolve } from 'node:path';
import { fail } from '../errors.js';
import type { MemoryChoice } from '../model/choice.js';
import { patternRunner, summableFields, type AccessPattern } from './access-pattern.js';
import type { StructDescriptor } from './struct/descriptor.js';
import { structFromDescriptor, type StructType } from './struct/struct-type.js';

/** What crosses to the process: plain JSON. */
export interface LayoutTrial {
  readonly types: readonly {
    readonly descriptor: StructDescriptor;
    readonly choice: MemoryChoice;
    readonly records: number;
    readonly pattern: AccessPattern;
  }[];
}

export interface WorkloadTrial {
  readonly descriptor: StructDescriptor;
  readonly choice: MemoryChoice;
  /** The user's module; its export receives the type. */
  readonly module: string;
  readonly export: string;
}

/** The type as it would be with a choice, apart from the registered one. */
export function typeWith(descriptor: StructDescriptor, choice: MemoryChoice): StructType {
  const type = structFromDescriptor(descriptor);
  type.applyChoice(choice, 'measured');
  return type;
}

/** The library's own access pattern over arrays of the types. */
export function layoutTrial({ types }: LayoutTrial): () => number {
  const runners = types.map(({ descriptor, choice, records, pattern }) => {
    const type = typeWith(descriptor, choice);
    const array = type.array(records);
    const cursor = array.cursor() as unknown as { index: number } & Record<string, number>;
    const fields = summableFields(type);
    for (let index = 0; index < records; index += 1) {
      cursor.index = index;
      fields.forEach((name, k) => (cursor[name] = (index + 3 * k) & 63));
    }
    return patternRunner(array, pattern);
  });
  return () => {
    let sum = 0;
    for (const run of runners) sum += run();
    return sum;
  };
}

/**
 * The user's workload with the type in one layout. Loads an instance of the module of its own: two layouts through
 * one function would give V8 two shapes to handle where a service has one.
 */
export async function workloadTrial(trial: WorkloadTrial): Promise<() => unknown> {
  const setup = await loadSetup(trial.module, trial.export, (instances += 1));
  return setup(typeWith(trial.descriptor, trial.choice));
}

let instances = 0;

/** @throws SUBJECT_UNLOADABLE where the module has no such function. */
export async function loadSetup(
  module: string,
  name: string,
  instance?: number,
): Promise<(subject: unknown) => Promise<() => unknown>> {
  let url = /^(file|data|node):/.test(module)
    ? module
    : pathToFileURL(isAbsolute(module) ? module : resolve(module)).href;
  if (instance !== undefined && url.startsWith('file:')) {
    url += `${url.includes('?') ? '&' : '?'}layout-trial=${instance}`;
  }
  const subject = `${name} of ${module}`;
  let setup: unknown;
  try {
    setup = ((await import(url)) as Record<string, unknown>)[name];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fail(
      'SUBJECT_UNLOADABLE',
      { subject, reason, remedy: 'Check the path of the workload.' },
      { cause },
    );
  }
  if (typeof setup !== 'function') {
    throw fail('SUBJECT_UNLOADABLE', {
      subject,
      reason: `its export "${name}" is no function`,
      remedy: 'Export a function that takes the subject and returns the function to measure.',
    });
  }
  return async (given) => {
    const run: unknown = await (setup as (subject: unknown) => unknown)(given);
    if (typeof run === 'function') return run as () => unknown;
    throw fail('SUBJECT_UNLOADABLE', {
      subject,
      reason: 'it returned no function',
      remedy: 'Return the function to measure: setup(Type) { …; return () => work(); }.',
    });
  };
}
