/** Whether two variants computed the same thing, and where they first differ. */
import { isDeepStrictEqual } from 'node:util';
import { describe } from '../errors.js';

/**
 * Describes the first difference between two results; null where they are equal or hold nothing that can be
 * compared (functions, promises).
 *
 * Objects are compared by content and constructor name rather than by prototype: the sides may hold separate
 * instances of one module, whose classes are equal and not identical.
 *
 * @param relativeTolerance numbers that differ by no more than this share of the greater are equal.
 */
export function firstDifference(a: unknown, b: unknown, relativeTolerance = 0): string | null {
  try {
    return differenceAt('result', a, b, relativeTolerance, new Set());
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return 'the results are nested too deeply to be compared';
  }
}

function differenceAt(
  path: string,
  a: unknown,
  b: unknown,
  tolerance: number,
  open: Set<unknown>,
): string | null {
  if (Object.is(a, b)) return null;
  if (typeof a === 'number' && typeof b === 'number') {
    // 0 and -0 are told apart by Object.is alone; no caller means that.
    if (a === b) return null;
    const share = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
    if (share <= tolerance) return null;
    const size = Number.isFinite(share) ? ` (a relative difference of ${share.toExponential(1)})` : '';
    return `${path} is ${a} against ${b}${size}`;
  }
  if (typeof a === 'function' && typeof b === 'function') return null;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return `${path} is ${describe(a)} against ${describe(b)}`;
  }
  const kind = constructorName(a);
  if (kind !== constructorName(b)) return `${path} is ${describe(a)} against ${describe(b)}`;
  if (kind === 'Promise' || kind === 'WeakMap' || kind === 'WeakSet') return null;
  // A cycle: this pair is being compared further up already.
  if (open.has(a)) return null;
  open.add(a);
  try {
    return contentDifference(path, kind, a, b, tolerance, open);
  } finally {
    open.delete(a);
  }
}

function contentDifference(
  path: string,
  kind: string,
  a: object,
  b: object,
  tolerance: number,
  open: Set<unknown>,
): string | null {
  // Equal whatever the order of their entries; the order only helps to say where they differ.
  if ((a instanceof Map || a instanceof Set) && isDeepStrictEqual(a, b)) return null;
  if (a instanceof Map && b instanceof Map) {
    return differenceAt(`${path} (as entries)`, [...a], [...b], tolerance, open);
  }
  if (a instanceof Set && b instanceof Set) {
    return differenceAt(`${path} (as values)`, [...a], [...b], tolerance, open);
  }
  if (a instanceof Date || a instanceof RegExp || a instanceof Error) {
    const [first, second] = [String(a), (b as Date).toString()];
    return first === second ? null : `${path} is ${first} against ${second}`;
  }
  if (a instanceof ArrayBuffer || a instanceof DataView || kind === 'SharedArrayBuffer') {
    const bytes = (value: object) =>
      value instanceof DataView
        ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
        : new Uint8Array(value as ArrayBuffer);
    return differenceAt(path, bytes(a), bytes(b), tolerance, open);
  }
  if (Array.isArray(a) || ArrayBuffer.isView(a)) {
    return sequenceDifference(path, a as ArrayLike<unknown>, b as ArrayLike<unknown>, tolerance, open);
  }
  const keys = Object.keys(a);
  const others = Object.keys(b);
  if (keys.length === 0 && others.length === 0) return hiddenDifference(path, a, b);
  for (const key of others) {
    if (!Object.hasOwn(a, key)) return `${path}.${key} exists in the candidate only`;
  }
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return `${path}.${key} exists in the baseline only`;
    const fieldOf = (value: object) => (value as Record<string, unknown>)[key];
    const found = differenceAt(`${path}.${key}`, fieldOf(a), fieldOf(b), tolerance, open);
    if (found !== null) return found;
  }
  return null;
}

/** Of what shows no properties, what it says of itself: URLs, search parameters, boxed values. Nothing where it says nothing. */
function hiddenDifference(path: string, a: object, b: object): string | null {
  const textOf = (value: object) => {
    const { toString } = value as { toString?: () => unknown };
    if (typeof toString !== 'function' || toString === Object.prototype.toString) return '';
    try {
      return String(toString.call(value));
    } catch {
      return ''; // It takes another kind of object.
    }
  };
  const [first, second] = [textOf(a), textOf(b)];
  return first === second ? null : `${path} is ${describe(first)} against ${describe(second)}`;
}

function sequenceDifference(
  path: string,
  a: ArrayLike<unknown>,
  b: ArrayLike<unknown>,
  tolerance: number,
  open: Set<unknown>,
): string | null {
  if (a.length !== b.length) return `${path} has ${a.length} elements against ${b.length}`;
  for (let i = 0; i < a.length; i += 1) {
    if (Object.is(a[i], b[i])) continue; // Without the text of its place, for nearly all are.
    const found = differenceAt(`${path}[${i}]`, a[i], b[i], tolerance, open);
    if (found !== null) return found;
  }
  return null;
}

function constructorName(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  return typeof name === 'string' ? name : 'null';
}
