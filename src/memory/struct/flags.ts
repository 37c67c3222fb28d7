/**
 * Bit flags: named booleans in one integer. A cursor gives them as an object of booleans beside the raw `bits`, so that
 * both `order.state.paid = true` and `order.state.bits & MASK` work on the same memory.
 *
 * Rejected: a `bigint` of 64 flags. Bit operations on bigints allocate; two fields of 32 flags do not.
 */
import { describe, fail } from '../../errors.js';
import { isBitOf, requireFlagName } from './descriptor.js';
import { scalarBytes, typeOf, type FieldType, type SmallestUnsigned } from './field-types.js';

/** What records hold for flags. Bits without a name are left out of it. */
export type FlagsValue<Name extends string> = { -readonly [K in Name]: boolean };

/** What a cursor gives for flags: a boolean by name, and all bits as one number. */
export type FlagsAccessor<Name extends string> = FlagsValue<Name> & {
  /** The whole integer, bits without a name included. */
  bits: number;
  toObject(): FlagsValue<Name>;
  /** Writes the flags that are given; others stay. `bits` is written first. @throws INVALID_ARGUMENT for other names. */
  assign(values: Partial<FlagsValue<Name>> & { readonly bits?: number }): FlagsAccessor<Name>;
};

type FlagsType<Name extends string> = FieldType<
  FlagsValue<Name>,
  FlagsAccessor<Name>,
  { readonly bits: SmallestUnsigned }
>;
type Storage = 'u8' | 'u16' | 'u32';

/**
 * Named bits of one integer: `flagsOf('paid', 'shipped')` takes the bits from the lowest,
 * `flagsOf({ paid: 0x01, shipped: 0x80 })` the masks that are given, each a single bit, as C's constants are.
 *
 * @param storage `'u8'`, `'u16'` or `'u32'`, after an object of masks; default the smallest that holds them
 * @throws INVALID_ARGUMENT for more than 32 flags, masks of no or several bits, equal masks; INVALID_SCHEMA for names
 *   that cannot be properties
 *
 * @example
 * const Order = struct('Order', { id: u32, state: flagsOf('paid', 'shipped', 'returned') });
 * const order = Order.array(10).cursor(3);
 * order.state.paid = true;
 * order.state.bits;                                 // 1
 * order.assign({ state: { shipped: true } });       // paid stays
 * order.toObject().state;                           // { paid: true, shipped: true, returned: false }
 */
export function flagsOf<const Names extends readonly string[]>(...names: Names): FlagsType<Names[number]>;
export function flagsOf<const Masks extends Readonly<Record<string, number>>>(
  masks: Masks,
  storage?: Storage,
): FlagsType<keyof Masks & string>;
export function flagsOf(...given: readonly unknown[]): FlagsType<string> {
  const [first, storage] = given;
  const masksGiven = typeof first === 'object' && first !== null;
  const pairs: [unknown, unknown][] = masksGiven
    ? Object.entries(first)
    : given.map((name, index) => [name, index < 32 ? 2 ** index : undefined]);
  for (const [name] of pairs) requireFlagName('flags', name);
  const masks = pairs.map(([, mask]) => mask);
  const names = pairs.map(([name]) => name);
  const largest = Math.max(...masks.map(Number));
  const smallest: Storage = largest < 2 ** 8 ? 'u8' : largest < 2 ** 16 ? 'u16' : 'u32';
  const scalar = (masksGiven ? (storage ?? smallest) : smallest) as Storage;
  const isStorage = ['u8', 'u16', 'u32'].includes(scalar);
  if (
    pairs.length === 0 ||
    new Set(names).size < names.length ||
    new Set(masks).size < masks.length ||
    !isStorage ||
    !masks.every((mask) => isBitOf(mask, scalar))
  ) {
    throw fail('INVALID_ARGUMENT', {
      name: 'flags',
      actual: describe(JSON.stringify(given).slice(0, 80)),
      expected: isStorage
        ? `1 to ${8 * scalarBytes(scalar)} different names, each with a bit of its own within ${scalar}`
        : 'u8, u16 or u32 for storage',
    });
  }
  return typeOf({ kind: 'flags', scalar, bits: Object.fromEntries(pairs) as Record<string, number> });
}
