// Kernels on columns of struct arrays: where the library's own records lie, with an offset into memory they share.
import { afterAll, describe, expect, it } from 'vitest';
import { f64, i32, kernels, struct, u8 } from '../../../dist/index.js';

const Trade = struct('KernelTrade', { price: f64, volume: i32, venue: u8 });
const LENGTH = 5000;
const trades = Trade.array(LENGTH, { order: 'soa' });
const records = Array.from({ length: LENGTH }, (_, i) => ({
  price: ((i * 7919) % 1000) / 8,
  volume: ((i * 31) % 201) - 100,
  venue: i % 5,
}));
trades.fromObjects(records);
const { price, volume, venue } = trades.columns;
afterAll(() => trades.close());

describe('kernels on columns', () => {
  it('reduce them', () => {
    expect(kernels.sum(price)).toBe(records.reduce((sum, each) => sum + each.price, 0));
    expect(kernels.sum(volume)).toBe(records.reduce((sum, each) => sum + each.volume, 0));
    expect(kernels.max(price)).toBe(Math.max(...records.map((each) => each.price)));
    expect(kernels.argmin(volume)).toBe(records.findIndex((each) => each.volume === -100));
  });

  it('group one by another', () => {
    const sums = [0, 0, 0, 0, 0];
    for (const each of records) sums[each.venue]! += each.price;
    expect([...kernels.groupSum(venue, price, 5).sums]).toEqual(sums);
  });

  it('sort one, and gather the others in its order, without touching what lies beside it', () => {
    const order = kernels.argsort(price);
    const sorted = records.map((_, i) => i).sort((a, b) => records[a]!.price - records[b]!.price || a - b);
    expect([...order]).toEqual(sorted);
    expect([...kernels.gather(volume, order)]).toEqual(sorted.map((i) => records[i]!.volume));
    expect(trades.toObjects()).toEqual(records);
  });

  it('change one in place, and that column alone', () => {
    kernels.scale(price, 2);
    expect(trades.get(17)).toEqual({ ...records[17]!, price: records[17]!.price * 2 });
    kernels.scale(price, 0.5);
    expect(trades.toObjects()).toEqual(records);
  });
});
