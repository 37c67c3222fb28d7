/**
 * Arguments and results as bytes of a slot. Numbers go as they are, small plain data as JSON, and everything else is
 * left to structured clone (`false`): what arrives is always what structured clone would have delivered.
 *
 * JSON text beats `v8.serialize` five times for small objects, as that makes a serializer with a buffer of its own for
 * every value. It is taken only where it loses nothing, which a walk over the value decides first: no undefined, -0, NaN,
 * holes, accessors' surprises, class instances, or an object that stands in two places.
 */

/** What a slot's bytes are. */
export const Payload = {
  UNDEFINED: 0,
  NULL: 1,
  TRUE: 2,
  FALSE: 3,
  /** One number: it lies in the slot's header, see lane-memory.ts. */
  NUMBER: 4,
  NUMBERS: 5,
  JSON: 6,
  /** Structured clone: it comes as a message instead. */
  MESSAGE: 7,
  /** The task threw; the error comes as a message. */
  FAILED: 8,
} as const;

/** Node's own, documented only as what `write` and `toString` come down to; half their cost for short texts. */
interface TextBuffer extends Buffer {
  utf8Write(text: string, offset: number): number;
  utf8Slice(start: number, end: number): string;
}

/** Bytes of one slot, as views of the shared memory. `length` in bytes of text or in numbers. */
export interface SlotBytes {
  readonly numbers: Float64Array;
  readonly bytes: TextBuffer;
}

/** More parts than this make a walk as dear as the message it saves. */
const MAX_OBJECTS = 24;
const MAX_ENTRIES = 64;

/** Kind and length of what was written last; one object, as the hot path allocates nothing. */
export const written: { kind: number; length: number } = { kind: 0, length: 0 };

/** Writes what is no single number and describes it in `written`; false where it has to go as a message. */
export function writePayload(value: unknown, slot: SlotBytes): boolean {
  written.length = 0;
  switch (typeof value) {
    case 'undefined':
      written.kind = Payload.UNDEFINED;
      return true;
    case 'boolean':
      written.kind = value ? Payload.TRUE : Payload.FALSE;
      return true;
    case 'string':
      return value.length <= slot.bytes.length && writeText(JSON.stringify(value), slot);
    case 'object':
      if (value === null) {
        written.kind = Payload.NULL;
        return true;
      }
      if (Array.isArray(value) && writeNumbers(value, slot)) return true;
      return isLossless(value) && writeText(JSON.stringify(value), slot);
    default:
      return false;
  }
}

export function readPayload(kind: number, length: number, { numbers, bytes }: SlotBytes): unknown {
  switch (kind) {
    case Payload.NULL:
      return null;
    case Payload.TRUE:
      return true;
    case Payload.FALSE:
      return false;
    case Payload.NUMBERS:
      return Array.from(numbers.subarray(0, length));
    case Payload.JSON:
      return JSON.parse(bytes.utf8Slice(0, length)) as unknown;
    default:
      return undefined;
  }
}

function writeNumbers(values: readonly unknown[], slot: SlotBytes): boolean {
  const { length } = values;
  if (length === 0 || length > slot.numbers.length || Object.keys(values).length !== length) return false;
  for (let index = 0; index < length; index += 1) {
    const value = values[index];
    if (typeof value !== 'number') return false;
    slot.numbers[index] = value;
  }
  written.kind = Payload.NUMBERS;
  written.length = length;
  return true;
}

function writeText(text: string, slot: SlotBytes): boolean {
  const room = slot.bytes.length;
  if (text.length * 3 > room && (text.length > room || Buffer.byteLength(text) > room)) return false;
  written.kind = Payload.JSON;
  written.length = slot.bytes.utf8Write(text, 0);
  return true;
}

/** Objects that were met, of walks within each other: a getter may send something else meanwhile. */
const seen: object[] = [];
/** Where those of the innermost walk begin. */
let seenFrom = 0;

function isLossless(value: object): boolean {
  const outerFrom = seenFrom;
  seenFrom = seen.length;
  try {
    return walk(value);
  } finally {
    // Kept references would keep the caller's data alive.
    seen.length = seenFrom;
    seenFrom = outerFrom;
  }
}

function walk(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && (value !== 0 || !Object.is(value, -0));
    case 'object':
      return value === null || walkObject(value);
    default:
      return false;
  }
}

function walkObject(value: object): boolean {
  if (seen.length - seenFrom >= MAX_OBJECTS || seen.includes(value, seenFrom)) return false;
  seen.push(value);
  // What it says to JSON need not be what it holds.
  if ((value as { toJSON?: unknown }).toJSON !== undefined) return false;
  if (Array.isArray(value)) {
    // A sparse array, or one with names, has another number of keys.
    if (value.length > MAX_ENTRIES || Object.keys(value).length !== value.length) return false;
    for (const item of value) if (!walk(item)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  const keys = Object.keys(value);
  if (keys.length > MAX_ENTRIES) return false;
  for (const key of keys) if (!walk((value as Record<string, unknown>)[key])) return false;
  return true;
}
