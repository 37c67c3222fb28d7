/**
 * Inputs in shared memory. For a comparison with what they were, a clone has to lie in memory of its own. For a fresh process: what is sent there arrives in memory of its own, and a loop over threads would
 * then copy to every thread what it shared in the process that chose it. So the places of shared arrays are sent
 * along, and the arrays moved to shared memory again.
 */

/** Keys from the whole to an array, through arrays and plain objects. */
export type Path = readonly (string | number)[];

type Shareable = ArrayBufferView & { readonly length: number };

/** Places of the typed arrays that lie in shared memory. */
export function sharedPlaces(value: unknown): Path[] {
  return placesOf(value, isShared);
}

const isShared = (view: ArrayBufferView) => view.buffer instanceof SharedArrayBuffer;

/**
 * A clone in memory of its own: structured clones of arrays in shared memory lie in the same memory, and those of Buffers
 * are none.
 *
 * @throws what `structuredClone` throws.
 */
export function cloneOf<T>(value: T): T {
  const from: [T] = [value];
  const clone = structuredClone(from);
  const places = placesOf(from, (view) => isShared(view) || Buffer.isBuffer(view));
  for (const place of places) {
    const view = holderOf(from, place)[place[place.length - 1]!] as Uint8Array;
    const copy = Buffer.isBuffer(view) ? Buffer.from(view) : view.slice();
    holderOf(clone, place)[place[place.length - 1]!] = copy;
  }
  return clone[0];
}

function placesOf(
  value: unknown,
  isMeant: (view: ArrayBufferView) => boolean,
  path: Path = [],
  seen = new Set<object>(),
): Path[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  if (ArrayBuffer.isView(value)) return isMeant(value) ? [path] : [];
  seen.add(value);
  const isPlain =
    Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value) as null);
  if (!isPlain) return [];
  // Long arrays hold values; inputs are few.
  if (Array.isArray(value) && value.length > 0 && typeof value[0] !== 'object') return [];
  return Object.entries(value).flatMap(([key, part]) => placesOf(part, isMeant, [...path, key], seen));
}

function holderOf(whole: object, place: Path): Record<string | number, unknown> {
  let holder = whole as Record<string | number, unknown>;
  for (const key of place.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
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
