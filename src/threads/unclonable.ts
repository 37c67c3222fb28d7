/**
 * Says of what cannot be sent to a thread, or back, where it stands: V8's own error shows the value that it met and neither
 * whose it was nor under which name. The class and name of the error stay.
 */
import { describe, fail } from '../errors.js';

/** Looked at in search of the part that cannot be cloned; no more, as the error can do without. */
const MAX_PARTS = 10_000;

/** Something that was to be sent, and what messages call it. */
export type Sent = readonly [name: string, value: unknown];

/**
 * The error for what could not be sent: `error` itself where it is of another kind, such as what a getter threw.
 *
 * @param of whose it was: a task's label.
 * @param sent in the order in which it was sent; the first stands for the whole where the part is not found.
 * @param transfer what was to be moved.
 */
export function unsendable(
  error: unknown,
  of: string,
  sent: readonly Sent[],
  transfer: readonly unknown[] = [],
): unknown {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (code === 'ERR_INVALID_TRANSFER_OBJECT') return untransferable(error, of, transfer);
  const isMissing = code === 'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST';
  const isUnclonable = isDataCloneError(error);
  if (!isMissing && !isUnclonable) return error;
  const name = `${pathOfCulprit(sent, transfer) ?? sent[0]?.[0] ?? 'something'} of ${of}`;
  if (isUnclonable)
    return new DOMException(`${name} cannot be cloned: ${error.message}`, {
      name: 'DataCloneError',
      cause: error,
    });
  const expected = 'it in the list `transfer` too';
  return fail(
    'INVALID_ARGUMENT',
    { name, actual: 'an object that can only be moved', expected },
    { cause: error },
  );
}

/** As threads throw it, and as `v8.serialize` does, which gives it no name. */
function isDataCloneError(error: unknown): error is Error {
  if (error instanceof DOMException) return error.name === 'DataCloneError';
  return (
    error instanceof Error && error.constructor === Error && error.message.endsWith(' could not be cloned.')
  );
}

function untransferable(error: unknown, of: string, transfer: readonly unknown[]): Error {
  const at = transfer.findIndex((item) => !mayMove(item));
  const isView = ArrayBuffer.isView(transfer[at]);
  return fail(
    'INVALID_ARGUMENT',
    {
      name: `${at < 0 ? 'transfer' : `transfer[${at}]`} of ${of}`,
      actual: at < 0 ? 'a list with something in it that cannot be moved' : describe(transfer[at]),
      expected: isView ? 'the buffer of the array' : 'ArrayBuffers, MessagePorts and the like',
    },
    { cause: error },
  );
}

/** False for what is certainly not: what is, Node alone knows. */
function mayMove(item: unknown): boolean {
  if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item)) return false;
  return !(item instanceof SharedArrayBuffer) && !isPlain(item);
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** `args.list.3.callback`; undefined where it stands behind an accessor, or is not found. */
function pathOfCulprit(sent: readonly Sent[], transfer: readonly unknown[]): string | undefined {
  const seen = new Set<unknown>(transfer);
  const left: Sent[] = [...sent].reverse();
  try {
    for (let parts = 0; left.length > 0 && parts < MAX_PARTS; parts += 1) {
      const [path, value] = left.pop()!;
      if (typeof value === 'function' || typeof value === 'symbol') return path;
      if (typeof value !== 'object' || value === null || seen.has(value)) continue;
      seen.add(value);
      if (isPlain(value)) left.push(...partsOf(path, value).reverse());
      else if (!isClonable(value)) return path;
    }
  } catch {
    // A proxy, say.
  }
  return undefined;
}

/** Without accessors: their code has run once, and its effects need not come twice. */
function partsOf(path: string, value: object): Sent[] {
  return Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(
    ([key, { enumerable, value: part }]) =>
      enumerable === true ? [[`${path}.${key}`, part as unknown] as const] : [],
  );
}

/** Arrays of numbers can be large, and cannot be cloned only where they were moved away. */
function isClonable(value: object): boolean {
  if (ArrayBuffer.isView(value) && value.byteLength > 0) return true;
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
