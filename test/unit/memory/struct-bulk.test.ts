import { describe, expect, it } from 'vitest';
import { loadNative } from '../../../dist/native/load.js';
import { columnOf } from '../../../dist/memory/struct/column.js';
import * as loops from '../../../dist/memory/struct/column-loops.js';
import { moveRecords, planMoves } from '../../../dist/memory/struct/record-moves.js';
import {
  array,
  bool,
  enumOf,
  f32,
  f64,
  i16,
  i32,
  i64,
  i8,
  u16,
  u32,
  u64,
  u8,
  utf8,
} from '../../../dist/memory/struct/field-types.js';
import { struct } from '../../../dist/memory/struct/struct-type.js';
import { Region } from '../../../dist/memory/regions.js';
import { randomSource } from './random.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });
const ORDERS = ['aos', 'soa', 'aosoa'] as const;
const COUNTS = [0, 1, 17, 127, 128, 129, 600, 1500];
const COMPARES = ['<', '<=', '>', '>=', '==', '!='] as const;

const Inner = struct('Inner', { x: f32, y: f32 });
const Numbers = struct('Numbers', {
  a: u8,
  b: i8,
  c: u16,
  d: i16,
  e: u32,
  f: i32,
  g: f32,
  h: f64,
  i: u64,
  j: i64,
  on: bool,
  side: enumOf('buy', 'sell', 'hold'),
  name: utf8(6),
  at: Inner,
  history: array(u16, 3),
  legs: array(Inner, 2),
});
const SMALL = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'at.x'] as const;

function filled(order: (typeof ORDERS)[number], count: number, seed = 1) {
  const next = randomSource(seed);
  const whole = (size: number) => Math.floor(next() * size);
  return Numbers.array(count, { order }).fromObjects(
    Array.from({ length: count }, (_, k) => ({
      a: whole(256),
      b: whole(256) - 128,
      c: whole(65_536),
      d: whole(65_536) - 32_768,
      e: whole(2 ** 32),
      f: whole(2 ** 32) - 2 ** 31,
      g: next() * 1000 - 500,
      h: next() * 1e9 - 5e8,
      i: BigInt(whole(2 ** 32)) * BigInt(whole(2 ** 32)),
      j: -BigInt(whole(2 ** 31)) * BigInt(whole(2 ** 32)),
      on: k % 3 === 0,
      side: (['buy', 'sell', 'hold'] as const)[whole(3)]!,
      name: `n${whole(1000)}`,
      at: { x: next(), y: -next() },
      history: [whole(9), whole(9), whole(9)],
      legs: [
        { x: next(), y: 1 },
        { x: 2, y: next() },
      ],
    })),
  );
}

/** The documented order of additions, as simply as it can be written. */
function plainSum(values: readonly number[]): number {
  if (values.length < 128) return values.reduce((sum, value) => sum + value, 0);
  const lanes = new Array<number>(32).fill(0);
  values.forEach((value, k) => (lanes[k % 32]! += value));
  for (let half = 16; half >= 1; half /= 2) for (let k = 0; k < half; k += 1) lanes[k]! += lanes[k + half]!;
  return lanes[0]!;
}

const kernels = loadNative().kernels;

describe.each(ORDERS)('bulk operations, order %s', (order) => {
  it.each(COUNTS)('of %i records equal plain loops, in JavaScript and natively', (count) => {
    const all = filled(order, count, count);
    const out = new Uint32Array(count);
    const expected = new Uint32Array(count);
    for (const field of SMALL) {
      const column = columnOf(all, field);
      const values = Array.from({ length: count }, (_, k) => {
        const record = all.get(k);
        return field === 'at.x' ? record.at.x : record[field];
      });
      const isFloat = ['g', 'h', 'at.x'].includes(field);
      const sum = isFloat ? plainSum(values) : values.reduce((total, value) => total + value, 0);
      expect(all.sum(field as 'a')).toBe(sum);
      expect(loops.sum(column)).toBe(sum);
      expect(all.min(field as 'a')).toBe(count === 0 ? undefined : Math.min(...values));
      expect(all.max(field as 'a')).toBe(count === 0 ? undefined : Math.max(...values));
      expect(loops.extreme(column, true)).toBe(Math.min(...values));
      if (kernels !== undefined) {
        expect(kernels.columnReduce(0, column.view, column.shape)).toBe(sum);
        expect(kernels.columnReduce(1, column.view, column.shape)).toBe(Math.min(...values));
        expect(kernels.columnReduce(2, column.view, column.shape)).toBe(Math.max(...values));
      }
      for (const compare of COMPARES) {
        for (const against of [values[0] ?? 0, 100.5, -1, NaN, Infinity, 2 ** 40]) {
          const wanted = loops.filter(column, compare, against, expected);
          expect(all.filterIndex(field as 'a', compare, against, out)).toBe(wanted);
          expect(out.subarray(0, wanted)).toEqual(expected.subarray(0, wanted));
        }
      }
    }
    const h = columnOf(all, 'h');
    for (const other of ['h', 'g', 'f', 'c'] as const) {
      const products = all.toObjects().map((record) => record.h * record[other]);
      expect(all.dot('h', other)).toBe(plainSum(products));
      const column = columnOf(all, other);
      if (kernels !== undefined) {
        expect(kernels.columnDot(h.view, h.shape, column.view, column.shape)).toBe(plainSum(products));
      }
    }
  });

  it('of 64-bit integers are exact', () => {
    for (const count of [0, 5, 63, 64, 1000]) {
      const all = filled(order, count, 3);
      const records = all.toObjects();
      for (const field of ['i', 'j'] as const) {
        const values = records.map((record) => record[field]);
        expect(all.sum(field)).toBe(values.reduce((sum, value) => sum + value, 0n));
        expect(loops.sumWide(columnOf(all, field))).toBe(all.sum(field));
        const sorted = values.toSorted((a, b) => (a < b ? -1 : 1));
        expect(all.min(field)).toBe(sorted[0]);
        expect(all.max(field)).toBe(sorted.at(-1));
        const out = new Uint32Array(count);
        const against = values[0] ?? 0n;
        for (const compare of COMPARES) {
          const found = all.filterIndex(field, compare, against, out);
          expect(found).toBe(loops.filter(columnOf(all, field), compare, against, new Uint32Array(count)));
        }
      }
    }
  });

  it('filter by name and by boolean', () => {
    const all = filled(order, 700);
    const out = new Uint32Array(700);
    const records = all.toObjects();
    expect(all.filterIndex('side', '==', 'sell', out)).toBe(
      records.filter(({ side }) => side === 'sell').length,
    );
    expect(all.filterIndex('on', '==', true, out)).toBe(234);
    expect(all.filterIndex('on', '!=', true, out)).toBe(466);
  });

  it('gather by index and refuse what is outside', () => {
    const all = filled(order, 2000);
    for (const count of [10, 1500]) {
      const indices = Uint32Array.from({ length: count }, (_, k) => (k * 7919) % 2000);
      expect([...all.gather('h', indices)]).toEqual(Array.from(indices, (index) => all.get(index).h));
      expect(all.gather('i', indices)).toBeInstanceOf(BigUint64Array);
      indices[7] = 2000;
      expect(() => all.gather('h', indices)).toThrow(/indices\[7\]/);
    }
    expect(() => all.gather('h', [0.5])).toThrow(code('INVALID_ARGUMENT'));
    expect(() => all.gather('h', [-1])).toThrow(code('INVALID_ARGUMENT'));
    expect(() => all.gather('h', [1], new Float32Array(4) as never)).toThrow(code('INVALID_ARGUMENT'));
  });

  it('fill all, some and nested fields', () => {
    const all = filled(order, 100);
    const before = all.toObjects();
    all.fill({ h: 2.5, name: 'x', at: { x: 1, y: 2 }, side: 'hold', on: true }, 10, 90);
    all.toObjects().forEach((record, k) => {
      const inside = k >= 10 && k < 90;
      expect(record).toEqual(
        inside ? { ...before[k], h: 2.5, name: 'x', at: { x: 1, y: 2 }, side: 'hold', on: true } : before[k],
      );
    });
    expect(() => all.fill({ name: 'too long' })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => all.fill({ h: 1 }, 5, 101)).toThrow(code('INVALID_ARGUMENT'));
  });

  it.each(ORDERS)('copy to order %s', (to) => {
    for (const count of [0, 1, 15, 16, 33, 500]) {
      const all = filled(order, count);
      const longer = filled(to, count + 20, 9);
      const kept = longer.toObjects().slice(count);
      expect(all.transposeTo(longer).toObjects()).toEqual([...all.toObjects(), ...kept]);
      const plain = Numbers.array(count, { order: to });
      moveRecords(
        new Uint8Array(all.buffer, all.offsetBytes, all.sizeBytes),
        new Uint8Array(plain.buffer, plain.offsetBytes, plain.sizeBytes),
        count,
        planMoves(all, plain)!,
      );
      expect(plain.toObjects()).toEqual(all.toObjects());
    }
  });
});

describe('bulk operations', () => {
  it('keep NaN and zero as documented', () => {
    const all = struct('F', { x: f64 }).array(2000, { order: 'soa' });
    all.columns.x.fill(-0);
    expect([all.min('x'), all.max('x'), all.sum('x')]).toEqual([0, 0, 0]);
    all.columns.x[1999] = NaN;
    expect([all.min('x'), all.max('x'), all.sum('x')]).toEqual([NaN, NaN, NaN]);
    const few = struct('F', { x: f64 })
      .array(2)
      .fromObjects([{ x: NaN }, { x: 1 }]);
    expect([few.min('x'), few.max('x')]).toEqual([NaN, NaN]);
  });

  it('sum integers beyond 2^53 exactly and round once', () => {
    const all = struct('U', { x: u32 }).array(3_000_001, { order: 'soa' });
    all.columns.x.fill(2 ** 32 - 1);
    const exact = Number(3_000_001n * (2n ** 32n - 1n));
    expect(all.sum('x')).toBe(exact);
    expect(loops.sum(columnOf(all, 'x'))).toBe(exact);
  });

  it('work between layouts of one schema, and refuse others', () => {
    const fields = { a: u8, b: f64, c: u16 };
    const [one, other] = [struct('S', fields), struct('S', fields, { packing: 'declared' })];
    const from = one
      .array(40)
      .fromObjects(Array.from({ length: 40 }, (_, k) => ({ a: k, b: k / 3, c: 2 * k })));
    expect(from.transposeTo(other.array(40) as never).toObjects()).toEqual(from.toObjects());
    expect(() => from.transposeTo(one.array(39))).toThrow(code('INVALID_ARGUMENT'));
    expect(() => from.transposeTo(struct('S', { a: u8 }).array(40) as never)).toThrow(
      code('INVALID_ARGUMENT'),
    );
    expect(() => from.transposeTo({} as never)).toThrow(code('INVALID_ARGUMENT'));
  });

  it('copy any range between any orders, also within one array, as a copy of the records would', () => {
    const next = randomSource(7);
    const below = (n: number) => Math.floor(next() * n);
    for (let turn = 0; turn < 150; turn += 1) {
      const shared = below(2) === 0;
      const [order, into] = [ORDERS[below(3)]!, ORDERS[below(3)]!];
      const from = filled(order, 1 + below(200), turn);
      const isSame = below(3) === 0;
      const target = isSame ? from : Numbers.array(1 + below(200), { order: into, shared });
      if (!isSame) filled(into, target.length, turn + 500).transposeTo(target);
      const count = below(1 + Math.min(from.length, target.length));
      const aligned = below(2) === 0 ? ~15 : ~0;
      const start = below(1 + from.length - count) & aligned;
      const to = below(1 + target.length - count) & aligned;
      const expected = target.toObjects();
      expected.splice(to, count, ...from.toObjects().slice(start, start + count));
      expect(from.copyRange(target, to, start, start + count)).toBe(target);
      expect(target.toObjects(), `turn ${turn}: ${order} ${isSame ? 'within' : into}`).toEqual(expected);
    }
  });

  it('copy ranges between arrays that lie on each other in one region', () => {
    const region = new Region({ sizeBytes: 65_536 });
    for (const [order, into] of [
      ['aos', 'soa'],
      ['soa', 'soa'],
      ['soa', 'aos'],
      ['aosoa', 'aosoa'],
      ['aos', 'aos'],
    ] as const) {
      const from = Numbers.array(100, { order, region });
      const target = Numbers.array(90, { order: into, region, offsetBytes: 256 });
      filled(order, 100, 3).transposeTo(from);
      const expected = from.toObjects().slice(7, 87);
      from.copyRange(target, 4, 7, 87);
      const copied = Array.from({ length: 80 }, (_, k) => target.get(4 + k));
      expect(copied, `${order} to ${into}`).toEqual(expected);
    }
    region.close();
  });

  it('refuse ranges outside of either array', () => {
    const [from, target] = [filled('aos', 9), filled('soa', 5)];
    expect(() => from.copyRange(target, 0)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => from.copyRange(target, 1, 0, 5)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => from.copyRange(target, -1, 0, 2)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => from.copyRange(target, 0, 8, 10)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => from.copyRange(target, 0, 3, 2)).toThrow(code('INVALID_ARGUMENT'));
    expect(from.copyRange(target, 5, 9, 9)).toBe(target);
    target.close();
    expect(() => from.copyRange(target, 0, 0, 0)).toThrow(code('CLOSED'));
  });

  it('copy records of thousands of scattered elements', () => {
    const Many = struct('Many', { points: array(Inner, 3000) });
    const from = Many.array(2).fromObjects([{ points: [{ x: 1, y: 2 }] }, { points: [{ x: 3, y: 4 }] }]);
    expect(from.transposeTo(Many.array(2, { order: 'soa' })).toObjects()).toEqual(from.toObjects());
  });

  it.each([
    ['a field that is none', (all: any) => all.sum('z')],
    ['text', (all: any) => all.sum('name')],
    ['a fixed array', (all: any) => all.min('history')],
    ['an element within an array', (all: any) => all.max('legs.x')],
    ['a struct', (all: any) => all.dot('at', 'h')],
    ['a field that objects inherit', (all: any) => all.sum('constructor')],
    ['the sum of names', (all: any) => all.sum('side')],
    ['the greatest of names', (all: any) => all.max('side')],
    ['a product with names', (all: any) => all.dot('a', 'side')],
    ['a product of bigints', (all: any) => all.dot('i', 'h')],
    ['an unknown comparison', (all: any) => all.filterIndex('h', '=', 1, new Uint32Array(9))],
    ['a value of another type', (all: any) => all.filterIndex('h', '<', '1', new Uint32Array(9))],
    ['a number for a bigint', (all: any) => all.filterIndex('i', '<', 1, new Uint32Array(9))],
    ['an unknown name', (all: any) => all.filterIndex('side', '==', 'x', new Uint32Array(9))],
    ['an order of names', (all: any) => all.filterIndex('side', '<', 'buy', new Uint32Array(9))],
    ['too little room', (all: any) => all.filterIndex('h', '<', 1, new Uint32Array(8))],
    ['room of another type', (all: any) => all.filterIndex('h', '<', 1, new Int32Array(9))],
    ['indices of another type', (all: any) => all.gather('h', new Int32Array(2))],
  ])('refuse %s', (_, misuse) => {
    expect(() => misuse(filled('soa', 9))).toThrow(code('INVALID_ARGUMENT'));
  });

  it('throw CLOSED after close', () => {
    const all = filled('soa', 3);
    all.sum('h');
    all.close();
    expect(() => all.sum('h')).toThrow(code('CLOSED'));
    expect(() => all.fill({})).toThrow(code('CLOSED'));
    expect(() => all.transposeTo(filled('soa', 3))).toThrow(code('CLOSED'));
  });
});
