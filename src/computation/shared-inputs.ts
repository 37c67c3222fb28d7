/**
 * Inputs in shared memory, for a fresh process: what is sent there arrives in memory of its own, and a loop over threads would
 * then copy to every thread what it shared in the process that chose it. So the places of shared arrays are sent
 * along, and the arrays moved to shared memory again.
 */

/** Keys from the whole to an array, through arrays and plain objects. */
export type Path = readonly (string | number)[];

type Shareable = ArrayBufferView & { readonly length: number };

/** Places of the typed arrays that lie in shared memory. */
export function sharedPlaces(value: unknown, path: Path = [], seen = new Set<object>()): Path[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  if (ArrayBuffer.isView(value)) return value.buffer instanceof SharedArrayBuffer ? [path] : [];
  seen.add(value);
  const isPlain =
    Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value) as null);
  if (!isPlain) return [];
  // Long arrays hold values; inputs are few.
  if (Array.isArray(value) && value.length > 0 && typeof value[0] !== 'object') return [];
  return Object.entries(value).flatMap(([key, part]) => sharedPlaces(part, [...path, key], seen));
}

/** Moves the arrays at these places to shared memory, each to its own. Changes `whole`. */
export function shareAgain(whole: object, places: readonly Path[]): void {
  for (const place of places) {
    const last = place[place.length - 1]!;
    let holder = whole as Record<string | number, unknown>;
    for (const key of place.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
    const view = holder[last] as Shareable;
    const memory = new SharedArrayBuffer(view.byteLength);
    new Uint8Array(memory).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    const Type = view.constructor as new (buffer: SharedArrayBuffer) => unknown;
    holder[last] = view instanceof Uint8Array ? new Uint8Array(memory) : new Type(memory);
  }
}
