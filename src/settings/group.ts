import { z } from 'zod';

/** Groups that accept `true` and `false` beside an object; the JSON Schema generator asks. */
const groups = new WeakSet<object>();

export function isGroup(schema: object): boolean {
  return groups.has(schema);
}

/**
 * A group of settings. Naming a group asks for it:
 * - `true` or `{}` asks for `whole`, the group with its defaults;
 * - an object asks for what it names, and missing keys that have a default get it;
 * - `false` asks for `off` where there is such a thing, else for nothing: the group is absent.
 *
 * What leaving it out means is for the caller to add: `.optional()` for nothing, `.prefault(true)` for its defaults.
 */
export function group<S extends z.core.$ZodShape>(
  shape: S,
  whole: z.input<z.ZodObject<S>>,
  off?: z.input<z.ZodObject<S>>,
) {
  const object = z.strictObject(shape);
  const schema = z.preprocess((value) => {
    if (value === true || isEmptyObject(value)) return whole;
    return value === false ? off : value;
  }, object.optional());
  groups.add(schema);
  return schema as unknown as z.ZodType<z.output<typeof object>, z.input<typeof object> | boolean>;
}

/** The whole tree of one optimisation: an empty one, or none, asks for `whole`. */
export function tree<S extends z.core.$ZodShape>(shape: S, whole: z.input<z.ZodObject<S>>) {
  const object = z.strictObject(shape);
  const schema = z.preprocess(
    (value) => (value === undefined || isEmptyObject(value) ? whole : value),
    object,
  );
  return schema as unknown as z.ZodType<z.output<typeof object>, z.input<typeof object>>;
}

function isEmptyObject(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}
