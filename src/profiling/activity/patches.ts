/**
 * Functions of Node's modules replaced while a profile runs, and put back afterwards.
 *
 * A replaced function keeps its name, length and own properties. ES modules that import it by name see the
 * replacement too, through `syncBuiltinESMExports`. A module that took the function out of its module before the
 * profile began has the original, and its operations are not seen, unless a forwarder was there before it
 * (`forwarders.ts`): then the forwarder is led to the replacement and back. Where somebody replaced our
 * replacement, it stays in place and passes through.
 */
import { syncBuiltinESMExports } from 'node:module';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Wrap = (original: AnyFunction) => AnyFunction;

/** Where a forwarder leads. */
export interface Forwarding {
  target: AnyFunction;
}

const forwardings = new WeakMap<AnyFunction, Forwarding>();

/** Gives a replacement the name, length and own properties of what it stands for. */
export function replaced(original: AnyFunction, wrapper: AnyFunction, forwarding?: Forwarding): AnyFunction {
  const own: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(original);
  delete own['prototype'];
  Object.defineProperties(wrapper, own);
  if (forwarding !== undefined) forwardings.set(wrapper, forwarding);
  return wrapper;
}

interface Patch {
  readonly object: Record<PropertyKey, unknown>;
  readonly key: string;
  readonly wrapper: AnyFunction;
  /** Undefined where the property was inherited, and is deleted again. */
  readonly descriptor: PropertyDescriptor | undefined;
}

interface Diversion {
  readonly forwarding: Forwarding;
  readonly wrapper: AnyFunction;
  readonly before: AnyFunction;
}

export class Patches {
  readonly #patches: Patch[] = [];
  readonly #diversions: Diversion[] = [];

  /** Replaces `object[key]` where it is a function; leaves alone what is missing or cannot be replaced. */
  wrap(object: unknown, key: string, make: Wrap): void {
    const target = object as Record<PropertyKey, unknown> | undefined | null;
    const original = target?.[key];
    if (target == null || typeof original !== 'function') return;
    const forwarding = forwardings.get(original as AnyFunction);
    if (forwarding !== undefined) {
      const before = forwarding.target;
      forwarding.target = make(before);
      this.#diversions.push({ forwarding, wrapper: forwarding.target, before });
      return;
    }
    const descriptor = Object.getOwnPropertyDescriptor(target, key);
    if (descriptor?.configurable === false || descriptor?.get !== undefined) return;
    if (descriptor === undefined && !Object.isExtensible(target)) return;
    const wrapper = replaced(original as AnyFunction, make(original as AnyFunction));
    Object.defineProperty(target, key, {
      configurable: true,
      writable: true,
      enumerable: descriptor?.enumerable ?? false,
      value: wrapper,
    });
    this.#patches.push({ object: target, key, wrapper, descriptor });
  }

  wrapAll(object: unknown, keys: readonly string[], make: (key: string) => Wrap): void {
    for (const key of keys) this.wrap(object, key, make(key));
  }

  /** Makes the replacements visible to ES modules that import by name. */
  publish(): void {
    syncBuiltinESMExports();
  }

  restore(): void {
    for (const { forwarding, wrapper, before } of this.#diversions.splice(0).reverse())
      if (forwarding.target === wrapper) forwarding.target = before;
    for (const { object, key, wrapper, descriptor } of this.#patches.splice(0).reverse()) {
      if (object[key] !== wrapper) continue;
      if (descriptor === undefined) Reflect.deleteProperty(object, key);
      else Object.defineProperty(object, key, descriptor);
    }
    syncBuiltinESMExports();
  }
}

export type { AnyFunction, Wrap };
