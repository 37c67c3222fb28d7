/**
 * Inputs in shared memory. For a comparison with what they were, a clone has to lie in memory of its own. For a fresh
 * process: what is sent there arrives in memory of its own, and a loop over threads would then copy to every thread what it
 * shared in the process that chose it. So the places of shared arrays are sent along, and the arrays moved to shared memory
 * again.
 */

/** Keys from the whole to an array, through arrays and plain objects. */
export type Path = readonly (string | number)[];

type Shareable = ArrayBufferView & { readonly length: number };

type Holder = Record<string | number, unknown>;

/** Places of the typed arrays that lie in shared memory. */
export function sharedPlaces(value: unknown, path: Path = [], seen = new Set<object>()): Path[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  if (ArrayBuffer.isView(value)) return isShared(value) ? [path] : [];
  seen.add(value);
  if (!mayHoldViews(value)) return [];
  return Object.entries(value).flatMap(([key, part]) => sharedPlaces(part, [...path, key], seen));
}

const isShared = (view: ArrayBufferView) => view.buffer instanceof SharedArrayBuffer;

/** Whether an object is looked into: arrays, but for long ones of values, and plain objects. Inputs are few. */
function mayHoldViews(value: object): boolean {
  if (Array.isArray(value)) return value.length === 0 || typeof value[0] === 'object';
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * A clone in memory of its own: structured clones of arrays in shared memory lie in the same memory, and those of Buffers
 * are none.
 *
 * @param withClasses gives what became a plain object its class again: enough to be compared with and to be put back from
 *   property by property, not to be called, for what is private is not in it.
 * @throws what `structuredClone` throws.
 */
export function cloneOf<T>(value: T, withClasses = false): T {
  const clone: [T] = structuredClone([value]);
  settle([value], clone, withClasses, new Set());
  return clone[0];
}

/** Replaces in a clone what is not as it was. Without paths: an array of records has as many places as values. */
function settle(from: object, clone: object, withClasses: boolean, seen: Set<object>): void {
  seen.add(from);
  for (const key of Object.keys(from)) {
    const part = (from as Holder)[key];
    if (typeof part !== 'object' || part === null) continue;
    if (ArrayBuffer.isView(part)) {
      if (Buffer.isBuffer(part)) (clone as Holder)[key] = Buffer.from(part);
      else if (isShared(part) && 'slice' in part) (clone as Holder)[key] = (part as Uint8Array).slice();
      continue;
    }
    if (seen.has(part)) continue;
    const copy = (clone as Holder)[key] as object;
    const isInstance = withClasses && becamePlain(part, copy);
    if (isInstance) Object.setPrototypeOf(copy, Object.getPrototypeOf(part) as object | null);
    if (isInstance || mayHoldViews(part)) settle(part, copy, withClasses, seen);
  }
}

function becamePlain(value: object, clone: object): boolean {
  return (
    Object.getPrototypeOf(clone) === Object.prototype && Object.getPrototypeOf(value) !== Object.prototype
  );
}

function holderOf(whole: object, place: Path): Holder {
  let holder = whole as Holder;
  for (const key of place.slice(0, -1)) holder = holder[key] as Holder;
  return holder;
}

/** Moves the arrays at these places to shared memory, each to its own. Changes `whole`. */
export function shareAgain(whole: object, places: readonly Path[]): void {
  for (const place of places) {
    const last = place[place.length - 1]!;
    const holder = holderOf(whole, place);
    const view = holder[last] as Shareable;
    const memory = new SharedArrayBuffer(view.byteLength);
    new Uint8Array(memory).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    const Type = view.constructor as new (buffer: SharedArrayBuffer) => unknown;
    holder[last] = view instanceof Uint8Array ? new Uint8Array(memory) : new Type(memory);
  }
}
