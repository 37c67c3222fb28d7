/**
 * What a range kernel works on: memory that all threads share, and plain values beside it. A typed array over an
 * ordinary buffer is refused, because each thread would get a copy and everything written to it would be lost.
 */
import { describe, fail } from '../errors.js';
import { sharedFormOf, type SHARED_FORM, type SharedForm } from '../model/shared-form.js';

/** Typed arrays over SharedArrayBuffers, SharedArrayBuffers, shared struct arrays, and plain values; also nested. */
export type SharedData =
  | ArrayBufferView
  | SharedArrayBuffer
  | { readonly [SHARED_FORM]: SharedForm }
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | readonly SharedData[]
  | { readonly [key: string]: SharedData };

/** Everything that workers hold of one `shared`: containers, views and plain values in a fixed order, with their paths. */
export type Leaves = readonly (readonly [path: string, value: unknown])[];

/**
 * Makes the plain objects and arrays of a thread's own copy of `shared` read-only: what a kernel wrote to them would be lost
 * with the copy, so it has to be an error. Code that is not strict writes in vain.
 *
 * Rejected: copying them back, as threads that write to the same place would have no order.
 */
export function freezeCopies(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  if (ArrayBuffer.isView(value) || value instanceof SharedArrayBuffer || !isPlain(value)) return;
  Object.freeze(value);
  for (const child of Object.values(value)) freezeCopies(child);
}

/** More leaves than this cost more to compare at every call than to send again. */
const MAX_COMPARED_LEAVES = 64;

/**
 * Lists the leaves of `shared`.
 *
 * @throws INVALID_ARGUMENT for data that threads cannot share, with its path.
 */
export function leavesOf(shared: unknown): Leaves {
  const leaves: [string, unknown][] = [];
  collect(shared, 'shared', leaves, 0);
  return leaves;
}

function collect(value: unknown, path: string, leaves: [string, unknown][], depth: number): void {
  if (ArrayBuffer.isView(value)) {
    if (!(value.buffer instanceof SharedArrayBuffer)) throw notShared(path, value);
    leaves.push([path, value]);
  } else if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') throw notShared(path, value);
    leaves.push([path, value]);
  } else if (value instanceof SharedArrayBuffer || (!isPlain(value) && sharedFormOf(value) !== undefined)) {
    leaves.push([path, value]);
  } else if (depth < 8 && isPlain(value)) {
    // Told apart from a leaf's by its end: an empty list is no empty object, and neither is nothing.
    leaves.push([`${path}${Array.isArray(value) ? '[]' : '{}'}`, undefined]);
    for (const [key, child] of Object.entries(value)) collect(child, `${path}.${key}`, leaves, depth + 1);
  } else {
    throw notShared(path, value);
  }
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function notShared(path: string, value: unknown): Error {
  return fail('INVALID_ARGUMENT', {
    name: path,
    actual: ArrayBuffer.isView(value) ? `${describe(value)} over an ordinary ArrayBuffer` : describe(value),
    expected:
      'typed arrays over a SharedArrayBuffer, shared struct arrays, and plain values, in plain objects and arrays',
  });
}

/** Whether workers that hold `known` need nothing new to run on `leaves`. */
export function sameLeaves(known: Leaves, leaves: Leaves): boolean {
  if (known.length !== leaves.length || known.length > MAX_COMPARED_LEAVES) return false;
  return known.every(([path, value], index) => {
    const [otherPath, other] = leaves[index]!;
    return path === otherPath && (Object.is(value, other) || sameView(value, other));
  });
}

function sameView(a: unknown, b: unknown): boolean {
  return (
    ArrayBuffer.isView(a) &&
    ArrayBuffer.isView(b) &&
    a.buffer === b.buffer &&
    a.byteOffset === b.byteOffset &&
    a.byteLength === b.byteLength &&
    a.constructor === b.constructor
  );
}
