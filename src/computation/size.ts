/** How large an input is, where the caller does not say. */

/** Size of a computation's arguments, by which its dispatcher chooses. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are the caller's
export type SizeOf = (...args: any[]) => number;

/**
 * Size of the first argument: a number is its own size; strings, arrays and typed arrays have a length, maps and
 * sets a size, buffers a byte length. NaN for anything else, which no choice by size can be made on.
 */
export function defaultSize(input: unknown): number {
  if (typeof input === 'number') return input;
  if (typeof input === 'string') return input.length;
  if (typeof input !== 'object' || input === null) return NaN;
  // One property at a time: looking for one that an object lacks walks its whole prototype chain.
  const { length } = input as { length?: unknown };
  if (typeof length === 'number') return length;
  const { size } = input as { size?: unknown };
  if (typeof size === 'number') return size;
  const { byteLength } = input as { byteLength?: unknown };
  return typeof byteLength === 'number' ? byteLength : NaN;
}
