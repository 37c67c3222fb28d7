/**
 * How an object over shared memory goes to other threads: objects lose their class on the way, so each says by which
 * function another thread makes it anew over the same memory. Rooms that make such objects and rooms that send them
 * need not know each other.
 */

/** A property of objects that have a shared form. */
export const SHARED_FORM: unique symbol = Symbol.for('system-optimizer.sharedForm');

export interface SharedForm {
  /** URL of the module whose export takes `data` and gives the object. */
  readonly module: string;
  readonly export: string;
  /** Plain values and SharedArrayBuffers. */
  readonly data: unknown;
}

/** The form of an object that has one. @throws what the object throws where its memory is not shared. */
export function sharedFormOf(value: object): SharedForm | undefined {
  return (value as { readonly [SHARED_FORM]?: SharedForm })[SHARED_FORM];
}
