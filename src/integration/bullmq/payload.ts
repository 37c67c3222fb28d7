/**
 * Arguments and results on their way through a queue, as structured clone would carry them between threads.
 *
 * What JSON gives back unchanged travels as JSON, which people and dashboards can read; the rest (Map, Date, typed
 * arrays, cycles, undefined, −0 …) in V8's serialisation format, base64. What is larger than `inlineBytes` goes to a store of its
 * own and the job carries the reference: BullMQ writes a result into the job and into the stream of events,
 * of which it keeps ten thousand.
 */
import { deserialize, serialize } from 'node:v8';
import { fail } from '../../errors.js';
import { unsendable } from '../../threads/unclonable.js';
import type { PayloadStore } from './payload-store.js';

export type Inline = { readonly json: unknown } | { readonly v8: string };
export type Payload = Inline | { readonly ref: string; readonly sizeBytes: number };

/** Deeper nesting than people write: a cycle, or work for the serialiser, which does not recurse in JavaScript. */
const MAX_DEPTH = 64;

/** @throws what V8 does for what cannot be cloned: functions, symbols, shared memory, handles. */
export function encodeInline(value: unknown): Inline {
  if (isJson(value, 0, new Set())) return { json: value };
  return { v8: serialize(value).toString('base64') };
}

export function decodeInline(payload: Inline): unknown {
  return 'v8' in payload ? deserialize(Buffer.from(payload.v8, 'base64')) : payload.json;
}

/** Whether JSON gives the same value back, with no object in it twice. */
function isJson(value: unknown, depth: number, seen: Set<object>): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth >= MAX_DEPTH || seen.has(value)) return false;
  seen.add(value);
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) return false;
    return value.every((item) => isJson(item, depth + 1, seen));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  if (Object.getOwnPropertySymbols(value).length > 0 || Object.hasOwn(value, '__proto__')) return false;
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return false;
  return Object.values(value).every((item) => isJson(item, depth + 1, seen));
}

export interface PayloadLimits {
  /** Larger ones go by reference. */
  readonly inlineBytes: number;
  readonly maxBytes: number;
}

/** What a payload is, for messages and for its name in the store. */
export interface PayloadOwner {
  readonly what: 'Arguments' | 'Results';
  readonly task: string;
  /** Unique among the payloads of the queue. */
  readonly key: string;
  /** How long the store has to keep it. */
  readonly keepMs: number;
}

export class PayloadCodec {
  readonly #limits: PayloadLimits;
  readonly #store: PayloadStore;

  constructor(limits: PayloadLimits, store: PayloadStore) {
    this.#limits = limits;
    this.#store = store;
  }

  /** @throws PAYLOAD_TOO_LARGE, a DataCloneError, and what the store throws. */
  async encode(value: unknown, { what, task, key, keepMs }: PayloadOwner): Promise<Payload> {
    let inline: Inline;
    try {
      inline = encodeInline(value);
    } catch (error) {
      throw unsendable(error, task, [[what === 'Arguments' ? 'args' : 'result', value]]);
    }
    const text = JSON.stringify(inline);
    const sizeBytes = Buffer.byteLength(text);
    if (sizeBytes <= this.#limits.inlineBytes) return inline;
    if (sizeBytes > this.#limits.maxBytes) {
      throw fail('PAYLOAD_TOO_LARGE', {
        what,
        task,
        sizeBytes,
        reason: `the most is ${this.#limits.maxBytes}.`,
        remedy: 'Raise maxPayloadBytes on both sides, or pass where the data lies instead of the data.',
      });
    }
    const refusal = this.#store.refusal;
    if (refusal !== undefined) {
      throw fail('PAYLOAD_TOO_LARGE', {
        what,
        task,
        sizeBytes,
        reason: `only ${this.#limits.inlineBytes} travel with the job, and ${refusal}`,
        remedy: 'Give both sides a payloadFolder that they share, or raise inlineBytes.',
      });
    }
    return { ref: await this.#store.put(key, text, keepMs), sizeBytes };
  }

  /** @throws PAYLOAD_LOST */
  async decode(payload: Payload, { what, task }: Pick<PayloadOwner, 'what' | 'task'>): Promise<unknown> {
    if (!('ref' in payload)) return decodeInline(payload);
    const text = await this.#store.get(payload.ref);
    if (text === undefined) throw fail('PAYLOAD_LOST', { what, task, reference: payload.ref });
    return decodeInline(JSON.parse(text) as Inline);
  }

  /** Throws away what a payload refers to, if anything. */
  async drop(payload: Payload): Promise<void> {
    if ('ref' in payload) await this.#store.delete(payload.ref);
  }
}
