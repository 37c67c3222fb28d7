/** What TypeScript infers from a schema. Checked by `npm run types`; the values are checked beside, at run time. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  array,
  bool,
  enumOf,
  f32,
  f64,
  flagsOf,
  handle32,
  handle64,
  i16,
  i32,
  i64,
  i8,
  pointer,
  struct,
  u16,
  u32,
  u64,
  u8,
  utf8,
  type Cursor,
} from '../../../dist/index.js';
import type { ArrayAccessor, CompositeArrayAccessor } from '../../../dist/memory/struct/field-types.js';

const Leg = struct('Leg', { price: f64, side: enumOf('buy', 'sell') });
const Order = struct('Order', {
  a: u8,
  b: u16,
  c: u32,
  d: i8,
  e: i16,
  f: i32,
  g: f32,
  h: f64,
  i: u64,
  j: i64,
  on: bool,
  side: enumOf('buy', 'sell'),
  late: enumOf({ open: 5, closed: 6 }),
  zero: enumOf({ none: 0, some: 1 }),
  symbol: utf8(4),
  state: flagsOf('paid', 'sent'),
  marks: flagsOf({ low: 1, high: 128 }, 'u16'),
  address: pointer,
  slot: handle32,
  far: handle64,
  leg: Leg,
  history: array(f64, 3),
  legs: array(Leg, 2),
  grid: array(array(u8, 2), 2),
  lamps: array(flagsOf('red'), 2),
});
const orders = Order.array(2, { order: 'soa' });
const order = orders.cursor();
type Record = ReturnType<typeof order.toObject>;

describe('inference', () => {
  it('gives each field type its value in a record', () => {
    expectTypeOf<Record['a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'slot']>().toEqualTypeOf<number>();
    expectTypeOf<Record['i' | 'j' | 'address' | 'far']>().toEqualTypeOf<bigint>();
    expectTypeOf<Record['on']>().toEqualTypeOf<boolean>();
    expectTypeOf<Record['side']>().toEqualTypeOf<'buy' | 'sell'>();
    expectTypeOf<Record['late']>().toEqualTypeOf<'open' | 'closed' | undefined>();
    expectTypeOf<Record['zero']>().toEqualTypeOf<'none' | 'some'>();
    expectTypeOf<Record['symbol']>().toEqualTypeOf<string>();
    expectTypeOf<Record['state']>().toEqualTypeOf<{ paid: boolean; sent: boolean }>();
    expectTypeOf<Record['marks']>().toEqualTypeOf<{ low: boolean; high: boolean }>();
    expectTypeOf<Record['leg']>().toEqualTypeOf<{ price: number; side: 'buy' | 'sell' }>();
    expectTypeOf<Record['history']>().toEqualTypeOf<number[]>();
    expectTypeOf<Record['legs']>().toEqualTypeOf<{ price: number; side: 'buy' | 'sell' }[]>();
    expectTypeOf<Record['grid']>().toEqualTypeOf<number[][]>();
    expectTypeOf<Record['lamps']>().toEqualTypeOf<{ red: boolean }[]>();
    expect(Object.keys(order.toObject())).toEqual(Object.keys(orders.get(0)));
  });

  it('gives cursors accessors for what is more than a scalar', () => {
    expectTypeOf(order).toEqualTypeOf<
      Cursor<typeof Order extends { array(n: number): { cursor(): Cursor<infer F> } } ? F : never>
    >();
    expectTypeOf(order.index).toEqualTypeOf<number>();
    expectTypeOf(order.a).toEqualTypeOf<number>();
    expectTypeOf(order.late).toEqualTypeOf<'open' | 'closed' | undefined>();
    expectTypeOf(order.state.paid).toEqualTypeOf<boolean>();
    expectTypeOf(order.state.bits).toEqualTypeOf<number>();
    expectTypeOf(order.leg.side).toEqualTypeOf<'buy' | 'sell'>();
    expectTypeOf(order.history).toEqualTypeOf<ArrayAccessor<number>>();
    expectTypeOf(order.legs).toExtend<
      CompositeArrayAccessor<{ price: number; side: 'buy' | 'sell' }, unknown>
    >();
    expectTypeOf(order.legs.at(0).price).toEqualTypeOf<number>();
    expectTypeOf(order.grid.at(1).get(0)).toEqualTypeOf<number>();
    expectTypeOf(order.lamps.at(1).red).toEqualTypeOf<boolean>();
    expectTypeOf(order.lamps.at(1).bits).toEqualTypeOf<number>();
    expect(order.grid.at(1).get(0)).toBe(0);
  });

  it('gives columns typed arrays of their kind', () => {
    const { columns } = orders;
    expectTypeOf(columns.a).toEqualTypeOf<Uint8Array>();
    expectTypeOf(columns.h).toEqualTypeOf<Float64Array>();
    expectTypeOf(columns.i).toEqualTypeOf<BigUint64Array>();
    expectTypeOf(columns.on).toEqualTypeOf<Uint8Array>();
    expectTypeOf(columns.leg.price).toEqualTypeOf<Float64Array>();
    expectTypeOf(columns.legs.price).toEqualTypeOf<Float64Array>();
    expectTypeOf(columns.history).toEqualTypeOf<Float64Array>();
    expectTypeOf(columns.symbol).toEqualTypeOf<Uint8Array>();
    expectTypeOf(columns.state.bits).toEqualTypeOf<Uint8Array | Uint16Array | Uint32Array>();
    expect(columns.legs.price).toBeInstanceOf(Float64Array);
    expect(columns.state.bits).toBeInstanceOf(Uint8Array);
  });

  it('gives reductions the field’s kind of number, and refuses other fields', () => {
    expectTypeOf(orders.sum('h')).toEqualTypeOf<number>();
    expectTypeOf(orders.sum('i')).toEqualTypeOf<bigint>();
    expectTypeOf(orders.max('i')).toEqualTypeOf<bigint | undefined>();
    // @ts-expect-error: not a field
    expect(() => orders.sum('nothing')).toThrow();
    // @ts-expect-error: an array within the record
    expect(() => orders.sum('history')).toThrow();
  });

  it('gives compiled loops their record, context and result', () => {
    const run = orders.compileLoop((p, { by }: { by: number }, index) => {
      expectTypeOf(p.h).toEqualTypeOf<number>();
      expectTypeOf(p.index).toEqualTypeOf<number>();
      expectTypeOf(p.leg.side).toEqualTypeOf<'buy' | 'sell'>();
      expectTypeOf(index).toEqualTypeOf<number>();
      p.h += by;
    }, { otherwise: 'cursor' }); // prettier-ignore
    expectTypeOf(run({ by: 1 })).toEqualTypeOf<void>();
    expectTypeOf(run.compiled).toEqualTypeOf<boolean>();
    // @ts-expect-error: the function takes a context
    expect(() => run()).toThrow();
    // @ts-expect-error: of another type
    expect(() => run.at(new Uint32Array(0), { by: '1' })).not.toThrow();
    // @ts-expect-error: a list of indices is a typed array of whole numbers
    expect(() => run.at(new Float64Array(0), { by: 1 })).toThrow();
    const total = orders.compileReduce((sum, p) => sum + p.h, 0);
    expectTypeOf(total()).toEqualTypeOf<number>();
    expectTypeOf(orders.compileReduce((sum, p) => sum + p.i, 0n)()).toEqualTypeOf<bigint>();
    // @ts-expect-error: not a field
    expect(() => orders.compileLoop((p) => void p.nothing)).toThrow();
    // @ts-expect-error: the loop moves the record
    expect(() => orders.compileLoop((p) => void (p.index = 1))).toThrow();
    expect(total()).toBe(2);
  });

  it('lets a part of a nested struct and of flags be assigned, and refuses what they do not have', () => {
    order.assign({ leg: { price: 4 }, state: { paid: true } });
    expect(order.toObject()).toMatchObject({
      leg: { price: 4, side: 'buy' },
      state: { paid: true, sent: false },
    });
    // @ts-expect-error: no field of the nested struct
    order.assign({ leg: { prize: 4 } });
    expect(order.leg.toObject()).toEqual({ price: 4, side: 'buy' });
    // @ts-expect-error: no flag of the field
    expect(() => order.assign({ state: { lost: true } })).toThrow();
  });

  it('refuses values of another type', () => {
    // @ts-expect-error: no name of the enum
    expect(() => (order.side = 'keep')).toThrow();
    // @ts-expect-error: a number for text
    expect(() => orders.set(0, { symbol: 4 })).toThrow();
    // @ts-expect-error: no flag of the field
    expect(() => order.state.assign({ lost: true })).toThrow();
    // @ts-expect-error: a number for a 64-bit integer
    expect(() => (order.address = 4)).toThrow();
    const plain = Leg.fromObjects([{ price: 1 }]);
    // @ts-expect-error: records of Leg have no such field
    expect(plain.get(0).quantity).toBeUndefined();
  });
});
