/**
 * Carries a thrown value from a worker to its caller. Structured clone alone keeps only the built-in error
 * names: it turns a custom class into `Error` and drops `code` and every other property. This keeps the class
 * (built-in classes and this library's as they are; others as a class of the same name that extends the nearest
 * one known here), message, cause, aggregated errors, clonable own properties and the stack of both sides.
 */
import * as catalogue from '../errors.js';

export type WireError =
  | {
      readonly kind: 'error';
      /** Constructor names, the error's own first. */
      readonly classes: readonly string[];
      readonly message: string;
      readonly stack: string;
      readonly cause?: WireError;
      readonly errors?: readonly WireError[];
      readonly properties: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'value'; readonly value: unknown };

const MAX_DEPTH = 8;

/** Never throws, whatever was thrown, and what it gives can be cloned. */
export function packError(thrown: unknown, depth = 0): WireError {
  try {
    return thrown instanceof Error ? packInstance(thrown, depth) : packValue(thrown);
  } catch (error) {
    // An error with throwing accessors, say.
    return { kind: 'value', value: `a value that cannot be read (${reasonOf(error)})` };
  }
}

/** What an accessor throws may itself be no text. */
function reasonOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'for a reason that cannot be read either';
  }
}

function packInstance(error: Error, depth: number): WireError {
  const classes: string[] = [];
  for (
    let prototype = Object.getPrototypeOf(error) as object | null;
    prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    // A prototype that was made by hand may have none.
    const made = prototype.constructor as { readonly name?: unknown } | null | undefined;
    classes.push(textOf(made?.name) || 'Error');
  }
  const properties: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error)) {
    if (key === 'errors' || key === 'cause') continue;
    const copy = clonable(value);
    if (copy !== undefined) properties[key] = copy.value;
  }
  // `name` may be set on the instance or on the prototype, and need not be the class's name.
  const name = textOf(error.name);
  if (name !== classes[0] && name !== '') properties['name'] = name;
  const deeper = depth < MAX_DEPTH;
  return {
    kind: 'error',
    classes,
    message: textOf(error.message),
    stack: stackOf(error),
    ...(deeper && 'cause' in error && { cause: packError(error.cause, depth + 1) }),
    ...(deeper &&
      error instanceof AggregateError &&
      Array.isArray(error.errors) && {
        errors: error.errors.map((inner) => packError(inner, depth + 1)),
      }),
    properties,
  };
}

/** Whatever a program may have put where a text belongs. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? '' : catalogue.describe(value);
}

/** V8 makes the text when it is first read, out of the name and message that the error has then. */
function stackOf(error: Error): string {
  try {
    return textOf(error.stack);
  } catch {
    return '';
  }
}

function packValue(thrown: unknown): WireError {
  const copy = clonable(thrown);
  return { kind: 'value', value: copy === undefined ? catalogue.describe(thrown) : copy.value };
}

function clonable(value: unknown): { value: unknown } | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object') return { value };
  try {
    return { value: structuredClone(value) };
  } catch {
    return undefined;
  }
}

/**
 * The value that was thrown, rebuilt in the caller's thread.
 *
 * @param thread name of the thread that threw, for the stack.
 * @param callerStack frames of the call that gave the work away, without their first line.
 */
export function unpackError(wire: WireError, thread: string, callerStack: string): unknown {
  if (wire.kind === 'value') return wire.value;
  const error = instanceOf(wire);
  const define = (key: string, value: unknown, enumerable = false) =>
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  for (const [key, value] of Object.entries(wire.properties)) define(key, value, key !== 'name');
  if (wire.cause !== undefined) define('cause', unpackError(wire.cause, thread, ''));
  if (wire.errors !== undefined) {
    define(
      'errors',
      wire.errors.map((inner) => unpackError(inner, thread, '')),
    );
  }
  try {
    define('stack', callerStack === '' ? wire.stack : joinStacks(wire.stack, thread, callerStack));
  } catch {
    // V8 first makes the stack that is replaced, by the program's `Error.prepareStackTrace` where it has one: it threw.
  }
  return error;
}

function instanceOf({ classes, message, properties }: Extract<WireError, { kind: 'error' }>): Error {
  // Its accessors work on what its own constructor made, nothing else.
  if (classes[0] === 'DOMException') return new DOMException(message, String(properties['name']));
  const error = new Error(message);
  Object.setPrototypeOf(error, classOf(classes).prototype as object);
  return error;
}

function joinStacks(stack: string, thread: string, callerStack: string): string {
  return `${stack}\n    at <thread ${thread}>\n${callerStack}`;
}

type ErrorClass = abstract new (...args: never[]) => Error;
const lookalikes = new Map<string, ErrorClass>();

function classOf(names: readonly string[]): ErrorClass {
  const own = knownClass(names[0]);
  if (own !== undefined) return own;
  const key = names.join('<');
  let made = lookalikes.get(key);
  if (made === undefined) {
    const base = names.slice(1).map(knownClass).find(Boolean) ?? Error;
    made = class extends (base as new () => Error) {};
    Object.defineProperty(made, 'name', { value: names[0] });
    lookalikes.set(key, made);
  }
  return made;
}

function knownClass(name: string | undefined): ErrorClass | undefined {
  if (name === undefined) return undefined;
  const candidate =
    (catalogue as Record<string, unknown>)[name] ?? (globalThis as Record<string, unknown>)[name];
  if (typeof candidate !== 'function') return undefined;
  const isError = candidate === Error || (candidate.prototype as unknown) instanceof Error;
  return isError ? (candidate as ErrorClass) : undefined;
}
