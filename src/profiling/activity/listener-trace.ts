/**
 * Counts the listeners of emitters and event targets where they are added, once there are more of them than a
 * program has by design. Twenty listeners that grow to two hundred in a few seconds are a leak long before the
 * memory that they keep tells: the closure of a listener is smaller than what a request leaves behind for a moment.
 *
 * Rejected: Node's own warning at eleven, which many programs switch off, and which says nothing about growth.
 */
/* eslint-disable @typescript-eslint/no-this-alias -- a replaced function has its caller's `this`. */
import { EventEmitter, getEventListeners } from 'node:events';
import { captureSite, type CallSite } from './call-site.js';
import type { AnyFunction, Patches } from './patches.js';

const FROM = 16;
/** Adds between two counts of one event. */
const STRIDE = 8;
const MAX_RECORDS = 256;

export interface ListenerRecord {
  readonly emitter: string;
  readonly event: string;
  readonly first: number;
  peak: number;
  last: number;
  site: CallSite | null;
}

interface Counted extends ListenerRecord {
  readonly target: WeakRef<object>;
  readonly type: string | symbol;
  untilNext: number;
}

type Events = Record<string | symbol, unknown> | undefined;

export class ListenerTrace {
  readonly #counted = new WeakMap<object, Map<string | symbol, Counted>>();
  readonly #records: Counted[] = [];
  #adds = new WeakMap<object, Map<string, number>>();
  #isRecording = true;

  install(patches: Patches): void {
    const prototype = EventEmitter.prototype as unknown as Record<string, unknown>;
    // `once` adds through `on`, and `on` is `addListener`: one replacement for each name that a caller may use.
    for (const key of ['addListener', 'on', 'once', 'prependListener', 'prependOnceListener'])
      patches.wrap(prototype, key, (original) => this.#onEmitter(original));
    patches.wrap(EventTarget.prototype, 'addEventListener', (original) => this.#onTarget(original));
  }

  stop(): ListenerRecord[] {
    this.#isRecording = false;
    return this.#records.map(({ target, type, emitter, event, first, peak, last, site }) => {
      const alive = target.deref();
      const now = alive === undefined ? 0 : countOf(alive, type);
      return {
        emitter,
        event,
        first,
        peak: Math.max(peak, now),
        last: alive === undefined ? last : now,
        site,
      };
    });
  }

  #onEmitter(original: AnyFunction): AnyFunction {
    const trace = this;
    return function tracedListener(this: unknown, ...args: unknown[]): unknown {
      const result = Reflect.apply(original, this, args);
      const listeners = (this as { _events?: Events } | null)?._events?.[args[0] as string];
      if (Array.isArray(listeners) && listeners.length >= FROM && trace.#isRecording)
        trace.#count(this as object, args[0] as string | symbol, listeners.length, tracedListener);
      return result;
    };
  }

  /** The listeners of a target cannot be counted cheaply, so its adds are, and its listeners now and then. */
  #onTarget(original: AnyFunction): AnyFunction {
    const trace = this;
    return function tracedTarget(this: unknown, ...args: unknown[]): unknown {
      const result = Reflect.apply(original, this, args);
      const [type] = args;
      if (!trace.#isRecording || typeof type !== 'string' || !(this instanceof EventTarget)) return result;
      let adds = trace.#adds.get(this);
      if (adds === undefined) trace.#adds.set(this, (adds = new Map<string, number>()));
      const count = (adds.get(type) ?? 0) + 1;
      adds.set(type, count);
      if (count % FROM !== 0) return result;
      const now = countOf(this, type);
      if (now >= FROM) trace.#count(this, type, now, tracedTarget);
      return result;
    };
  }

  #count(target: object, type: string | symbol, now: number, below: AnyFunction): void {
    let events = this.#counted.get(target);
    if (events === undefined) this.#counted.set(target, (events = new Map<string | symbol, Counted>()));
    let counted = events.get(type);
    if (counted === undefined) {
      if (this.#records.length >= MAX_RECORDS) return;
      counted = {
        emitter: target.constructor?.name || 'EventEmitter',
        event: String(type),
        first: now,
        peak: now,
        last: now,
        site: captureSite(below),
        target: new WeakRef(target),
        type,
        untilNext: STRIDE,
      };
      events.set(type, counted);
      this.#records.push(counted);
      return;
    }
    counted.last = now;
    counted.peak = Math.max(counted.peak, now);
    counted.untilNext -= 1;
    if (counted.untilNext > 0) return;
    // The stack is for the report; it need not be taken more often the more there are.
    counted.untilNext = Math.max(STRIDE, now);
    counted.site = captureSite(below) ?? counted.site;
  }
}

function countOf(target: object, type: string | symbol): number {
  if (target instanceof EventTarget) return getEventListeners(target, String(type)).length;
  const listeners = (target as { _events?: Events })._events?.[type];
  return Array.isArray(listeners) ? listeners.length : listeners === undefined ? 0 : 1;
}
