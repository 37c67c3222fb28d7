/** The fallback's argument checks: TypeError for a wrong type, RangeError for a value outside its range. */

import { types } from 'node:util';

const MAX_THREAD_ID = 2 ** 31 - 1;

export function checkInteger(value: unknown, name: string, min: number, max: number): number {
  checkNumber(value, name);
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw new RangeError(`${name} is ${String(value)}; pass an integer from ${min} to ${max}`);
  }
  return value as number;
}

export function checkNumber(value: unknown, name: string): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  return value;
}

export function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean`);
  return value;
}

export function checkString(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`);
  return value;
}

export function checkView(value: unknown, name: string): ArrayBufferView {
  if (!ArrayBuffer.isView(value)) throw new TypeError(`${name} must be a typed array or DataView`);
  return value;
}

export function checkFloat64Array(value: unknown, name: string, minLength: number): Float64Array {
  if (!types.isFloat64Array(value)) throw new TypeError(`${name} must be a Float64Array`);
  if (value.length < minLength) {
    throw new RangeError(
      `${name} has length ${value.length}; it needs ${minLength} (a detached one has none)`,
    );
  }
  return value;
}

export function checkInt32Array(value: unknown, name: string): Int32Array {
  if (!types.isInt32Array(value)) throw new TypeError(`${name} must be an Int32Array`);
  return value;
}

/** The kernel's id of a thread; 0 is the calling one. */
export function checkThreadId(tid: unknown): number {
  return checkInteger(tid, 'tid', 0, MAX_THREAD_ID);
}
