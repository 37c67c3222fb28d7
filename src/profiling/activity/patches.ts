/**
 * Functions of Node's modules replaced while a profile runs, and put back afterwards.
 *
 * A replaced function keeps its name, length and own properties. ES modules that import it by name see the
 * replacement too, through `syncBuiltinESMExports`. A CommonJS module that took the function out of its module
 * before the profile began keeps the original, and its operations are not seen. Replacements placed before the
 * program loads would see them too, but would stay in the path of every call while no profile runs; that is not
 * done. Where somebody replaced our replacement, it stays in place and passes through.
 */
import { syncBuiltinESMExports } from 'node:module';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Wrap = (original: AnyFunction) => AnyFunction;

interface Patch {
  readonly object: Record<PropertyKey, unknown>;
  readonly key: string;
  readonly wrapper: AnyFunction;
  /** Undefined where the property was inherited, and is deleted again. */
  readonly descriptor: PropertyDescriptor | undefined;
}

export class Patches {
  readonly #patches: Patch[] = [];

  /** Replaces `object[key]` where it is a function; leaves alone what is missing or cannot be replaced. */
  wrap(object: unknown, key: string, make: Wrap): void {
    const target = object as Record<PropertyKey, unknown> | undefined | null;
    const original = target?.[key];
    if (target == null || typeof original !== 'function') return;
    const descriptor = Object.getOwnPropertyDescriptor(target, key);
    if (descriptor?.configurable === false || descriptor?.get !== undefined) return;
    if (descriptor === undefined && !Object.isExtensible(target)) return;
    const wrapper = make(original as AnyFunction);
    const own: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(original);
    delete own['prototype'];
    Object.defineProperties(wrapper, own);
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
    for (const { object, key, wrapper, descriptor } of this.#patches.splice(0).reverse()) {
      if (object[key] !== wrapper) continue;
      if (descriptor === undefined) Reflect.deleteProperty(object, key);
      else Object.defineProperty(object, key, descriptor);
    }
    syncBuiltinESMExports();
  }
}

export type { AnyFunction, Wrap };
