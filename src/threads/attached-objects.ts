/**
 * Objects over shared memory, such as struct arrays, within what kernels share: what is sent is `shared` with the plain
 * form of each in its place, and a list of where they were and what makes them anew.
 */
import { sharedFormOf } from '../model/shared-form.js';
import { loadTask } from './load-task.js';
import type { AnyFunction } from './task.js';

export interface AttachedObject {
  readonly path: readonly string[];
  readonly module: string;
  readonly export: string;
}

export interface Detached {
  readonly plain: unknown;
  readonly attached: readonly AttachedObject[];
}

/** `shared` must have passed `leavesOf`. The very same where nothing in it needs a form. */
export function detach(shared: unknown): Detached {
  const attached: AttachedObject[] = [];
  const plainOf = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
    if (value instanceof SharedArrayBuffer) return value;
    const form = sharedFormOf(value);
    if (form !== undefined) {
      attached.push({ path, module: form.module, export: form.export });
      return form.data;
    }
    const entries = Object.entries(value).map(
      ([key, child]) => [key, plainOf(child, [...path, key])] as const,
    );
    return Array.isArray(value) ? entries.map(([, child]) => child) : Object.fromEntries(entries);
  };
  const plain = plainOf(shared, []);
  return { plain: attached.length === 0 ? shared : plain, attached };
}

const makers = new Map<string, AnyFunction>();

/** To be awaited before `attach`. @throws TASK_UNLOADABLE */
export async function loadMakers(attached: readonly AttachedObject[]): Promise<void> {
  for (const { module, export: name } of attached) {
    const key = `${module}#${name}`;
    if (!makers.has(key)) makers.set(key, await loadTask({ module, export: name }));
  }
}

/** Makes the objects anew, within `plain`, which is the caller's own copy. */
export function attach({ plain, attached }: Detached): unknown {
  let root = plain;
  for (const { path, module, export: name } of attached) {
    const make = makers.get(`${module}#${name}`)!;
    const last = path.at(-1);
    if (last === undefined) {
      root = make(root);
      continue;
    }
    let holder = root as Record<string, unknown>;
    for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
    holder[last] = make(holder[last]);
  }
  return root;
}
