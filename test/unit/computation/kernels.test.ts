// Every kernel against plain references, in the addon and in the loops without it, to the bit.
import { describe, expect, it } from 'vitest';
import * as kernels from '../../../dist/computation/kernels/kernels.js';
import * as byteLoops from '../../../dist/computation/kernels/loops/bytes.js';
import * as loops from '../../../dist/computation/kernels/loops/reductions.js';
import { copies } from '../../../dist/computation/kernels/loops/copies.js';
import * as selectionLoops from '../../../dist/computation/kernels/loops/selections.js';
import * as shortLoops from '../../../dist/computation/kernels/loops/short.js';
import * as vectorLoops from '../../../dist/computation/kernels/loops/vectors.js';
import { loadNative } from '../../../dist/native/load.js';
import { randomSource } from '../memory/random.js';

const native = loadNative().kernels!;
const LENGTHS = [0, 1, 2, 7, 8, 9, 31, 127, 128, 129, 255, 256, 511, 700, 1025, 4097, 16_384, 20_011];
const LONG = [65_536, 65_537, 200_003];
const TYPES = [
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
] as const;
type Type = (typeof TYPES)[number];
const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });

/** Values at an offset that no vector is aligned to, of all magnitudes that the type has. */
function filled(Type: Type, length: number, seed = 1, offset = 1) {
  const next = randomSource(seed);
  const values = new Type(length + offset).subarray(offset);
  const isFloat = Type === Float64Array || Type === Float32Array;
  for (let i = 0; i < length; i += 1) {
    values[i] = isFloat ? (next() - 0.5) * 10 ** Math.floor(next() * 6) : Math.floor(next() * 2 ** 32);
  }
  return values;
}

function withOddities(length: number, seed = 3) {
  const values = filled(Float64Array, length, seed) as Float64Array;
  const next = randomSource(seed);
  const odd = [NaN, -NaN, Infinity, -Infinity, -0, 0, Number.MIN_VALUE, -Number.MAX_VALUE];
  for (let k = 0; k < length; k += 3) values[Math.floor(next() * length)] = odd[k % odd.length]!;
  return values;
}

/** Element by element: `toEqual` takes minutes over so many. */
function sameArray(a: ArrayLike<unknown>, b: ArrayLike<unknown>): void {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i += 1) if (!Object.is(a[i], b[i])) expect([i, a[i]]).toEqual([i, b[i]]);
}

const same = (a: unknown, b: unknown, message = '') => expect(a, message).toBe(b); // Object.is

describe.each(TYPES.map((Type) => [Type.name, Type] as const))('reductions of %s', (_, Type) => {
  it.each([...LENGTHS, ...LONG])('give in the addon what the loops give, %i values', (length) => {
    const values = filled(Type, length, length + 1);
    const other = filled(Type, length, length + 2, 0);
    same(native.arrayReduce(0, values), loops.sum(values), 'sum');
    same(native.arrayReduce(2, values), loops.least(values), 'min');
    same(native.arrayReduce(3, values), loops.greatest(values), 'max');
    same(native.arrayReduce(5, values), loops.indexOfLeast(values), 'argmin');
    same(native.arrayReduce(6, values), loops.indexOfGreatest(values), 'argmax');
    same(native.arrayDot(values, other), loops.dot(values, other), 'dot');
    const out = new Float64Array(3);
    native.arrayMoments(values, out);
    const { count, mean, m2 } = loops.moments(values);
    expect([...out]).toEqual([count, mean, m2]);
    const [one, two] = [new Float64Array(length), new Float64Array(length)];
    native.arrayRunningSum(values, one);
    vectorLoops.runningSum(values, two);
    sameArray(one, two);
  });

  it('are near what is exact', () => {
    const values = filled(Type, 20_011, 9);
    const numbers = Array.from(values);
    const exact = numbers.reduce((all: number, value: number) => all + value, 0);
    const scale = numbers.reduce((all: number, value: number) => all + Math.abs(value), 0);
    expect(Math.abs(kernels.sum(values) - exact)).toBeLessThan(1e-12 * scale);
    const { mean, m2 } = kernels.moments(values);
    const center = exact / values.length;
    const distances = numbers.reduce((all: number, value: number) => all + (value - center) ** 2, 0);
    expect(mean).toBeCloseTo(center, 5);
    expect(Math.abs(m2 - distances) / distances).toBeLessThan(1e-9);
  });
});

describe('reductions of odd values', () => {
  it.each([1, 5, 130, 900, 4096, 20_011])('agree on NaN, infinities and zeros, %i values', (length) => {
    const values = withOddities(length, length);
    for (const isMin of [true, false]) {
      same(native.arrayReduce(isMin ? 2 : 3, values), (isMin ? loops.least : loops.greatest)(values));
      same(
        native.arrayReduce(isMin ? 5 : 6, values),
        (isMin ? loops.indexOfLeast : loops.indexOfGreatest)(values),
      );
    }
    same(native.arrayReduce(0, values), loops.sum(values));
    same(native.arrayReduce(1, values), loops.sumCompensated(values));
    const finite = values.map((value) => (Number.isFinite(value) ? value : -0));
    same(native.arrayReduce(5, finite), finite.indexOf(Math.min(...finite)));
    same(native.arrayReduce(6, finite), finite.indexOf(Math.max(...finite)));
  });

  it('know empty arrays', () => {
    const none = new Float64Array(0);
    expect([
      kernels.sum(none),
      kernels.min(none),
      kernels.max(none),
      kernels.argmin(none),
      kernels.dot(none, none),
    ]).toEqual([0, Infinity, -Infinity, -1, 0]);
    expect(kernels.variance(none)).toBeNaN();
    expect(kernels.mean(none)).toBeNaN();
    expect(kernels.moments(none)).toEqual({ count: 0, mean: 0, m2: 0 });
  });

  it('treat a detached array as empty', () => {
    const values = new Float64Array(1000).fill(1);
    structuredClone(values.buffer, { transfer: [values.buffer] });
    expect(kernels.sum(values)).toBe(0);
    expect(native.arrayReduce(0, values)).toBe(0);
  });

  it.each([...LENGTHS, ...LONG])('compensate, %i values', (length) => {
    const values = filled(Float64Array, length, 5) as Float64Array;
    const single = Float32Array.from(values);
    same(native.arrayReduce(1, values), loops.sumCompensated(values));
    same(native.arrayReduce(1, single), loops.sumCompensated(single));
  });

  it('lose nothing where the compensated sum can help it', () => {
    const values = new Float64Array(3000);
    for (let i = 0; i < 1000; i += 1) values.set([1e100, 1, -1e100], 3 * i);
    expect(kernels.sum(values, { compensated: true })).toBe(1000);
    expect(loops.sumCompensated(values)).toBe(1000);
  });

  it('merge moments of parts into those of the whole', () => {
    const values = filled(Float64Array, 10_000, 8);
    const parts = [values.subarray(0, 10), values.subarray(10, 10), values.subarray(10)];
    const merged = parts.map((part) => kernels.moments(part)).reduce(kernels.mergeMoments);
    const whole = kernels.moments(values);
    expect(merged.count).toBe(10_000);
    expect(Math.abs(merged.m2 / whole.m2 - 1)).toBeLessThan(1e-12);
    expect(kernels.variance(merged, true)).toBeCloseTo(whole.m2 / 9999, 3);
  });
});

describe('element-wise kernels', () => {
  it.each([0, 1, 15, 33, 500, 5_001])('give the bits of a loop, %i values', (length) => {
    for (const Type of [Float64Array, Float32Array]) {
      const x = filled(Type, length, 2) as Float64Array;
      const y = filled(Type, length, 4, 0) as Float64Array;
      const expected = y.map((value, i) => value + 0.1 * x[i]!);
      const scaled = x.map((value) => value * -1.7);
      const copy = x.slice();
      native.arrayAxpy(0.1, x, y);
      sameArray(y, expected);
      native.arrayScale(-1.7, copy);
      sameArray(copy, scaled);
      sameArray(kernels.scale(x.slice(), -1.7), scaled);
    }
  });

  it('sum up in place', () => {
    const values = filled(Float64Array, 1003, 6) as Float64Array;
    const expected = kernels.prefixSum(values);
    expect(kernels.prefixSum(values, values)).toEqual(expected);
  });

  it.each([20, 1_000, 600_000])(
    'add %i values in ascending order where the arrays lie over each other',
    (n) => {
      for (const [Type, options] of [
        [Float64Array, undefined],
        [Float32Array, undefined],
        [Float64Array, { threads: 2 }],
      ] as const) {
        for (const [from, to] of [
          [0, 3],
          [3, 0],
          [2, 2],
        ] as const) {
          const memory = filled(Type, n + 3, 9) as Float64Array;
          const expected = memory.slice();
          for (let i = 0; i < n; i += 1) expected[to + i] = expected[to + i]! + 0.25 * expected[from + i]!;
          kernels.axpy(0.25, memory.subarray(from, from + n), memory.subarray(to, to + n), options);
          sameArray(memory, expected);
        }
      }
    },
  );

  it('refuse overlap, other lengths and other types', () => {
    const memory = new Float64Array(20);
    const [a, b] = [memory.subarray(0, 10), memory.subarray(5, 15)];
    expect(() => kernels.prefixSum(a, b)).toThrow(invalid);
    expect(() => kernels.axpy(1, a, new Float64Array(9))).toThrow(invalid);
    expect(() => kernels.axpy(1, a as never, new Float32Array(10) as never)).toThrow(invalid);
    expect(() => kernels.scale([1] as never, 2)).toThrow(invalid);
    expect(() => kernels.scale(a, '2' as never)).toThrow(invalid);
    expect(() => kernels.sum(new BigInt64Array(2) as never)).toThrow(invalid);
    expect(() => kernels.sum(new Uint8ClampedArray(2) as never)).toThrow(invalid);
    expect(() => kernels.sum(Object.create(Float64Array.prototype) as never)).toThrow();
    expect(() => kernels.dot(a, memory)).toThrow(invalid);
    expect(() => kernels.sum(a, { threads: 0 })).toThrow(invalid);
    expect(() => kernels.sum(Int8Array.of(1) as never, { compensated: true })).toThrow(invalid);
  });
});

describe('options', () => {
  const values = new Float64Array(new SharedArrayBuffer(80));
  const mistakes: [string, () => unknown][] = [
    ['sum', () => kernels.sum(values, { thread: 2 } as never)],
    ['sum', () => kernels.sum(values, { compensate: true } as never)],
    ['mean', () => kernels.mean(values, { thread: 2 } as never)],
    ['min', () => kernels.min(values, { compensated: true } as never)],
    ['dot', () => kernels.dot(values, values, { Threads: 2 } as never)],
    ['sort', () => kernels.sort(values, { thread: 2 } as never)],
    ['histogram', () => kernels.histogram(values, { bins: 2, low: 0, high: 1, hihg: 2 } as never)],
    ['prefixSum', () => kernels.prefixSum(values, undefined, { thread: 2 } as never)],
  ];
  it.each(mistakes)('of %s that are misspelt are refused', (_, call) => {
    expect(call).toThrow(/unknown key/);
  });

  it('name the nearest, and are checked in the background too', async () => {
    const mistake = { thread: 2 } as never;
    expect(() => kernels.sum(values, mistake)).toThrow(/unknown key "thread".*"threads" \(the nearest\)/);
    await expect(kernels.background.sum(values, mistake)).rejects.toThrow(/"threads" \(the nearest\)/);
    await expect(kernels.background.sort(values, mistake)).rejects.toThrow(/unknown key/);
    const options = { bins: 2, low: 0, high: 1, thread: 1 } as never;
    await expect(kernels.background.histogram(values, options)).rejects.toThrow(/unknown key/);
    await expect(kernels.background.sum(values, { compensated: true, threads: 1 })).resolves.toBe(0);
    expect(() => kernels.sum(values, [] as never)).toThrow(/an array of 0/);
  });
});

describe('short arrays', () => {
  // Whatever came before: each type has a copy of the loop.
  it.each([1, 2])('give what the addon gives, after arrays of all types, round %i', (round) => {
    for (const length of [1, 7, 95, 100, 127, 128, 129]) {
      for (const Type of TYPES) {
        const values = filled(Type, length, length + round);
        const other = filled(Type, length, length + 9, 0);
        same(kernels.sum(values), native.arrayReduce(0, values), 'sum');
        same(kernels.min(values), native.arrayReduce(2, values), 'min');
        same(kernels.max(values), native.arrayReduce(3, values), 'max');
        same(kernels.argmin(values), native.arrayReduce(5, values), 'argmin');
        same(kernels.argmax(values), native.arrayReduce(6, values), 'argmax');
        same(kernels.dot(values, other), native.arrayDot(values, other), 'dot');
        const out = new Float64Array(Math.max(3, length));
        native.arrayMoments(values, out);
        const { count, mean, m2 } = kernels.moments(values);
        expect([count, mean, m2]).toEqual([...out.subarray(0, 3)]);
        native.arrayRunningSum(values, out);
        sameArray(kernels.prefixSum(values), out.subarray(0, length));
        const keys = Uint16Array.from({ length }, (_, i) => (i * 31) % 5);
        const [sums, counts] = [new Float64Array(5), new Float64Array(5)];
        native.arrayGroupSum(keys, values, sums, counts);
        expect(kernels.groupSum(keys, values, 5)).toEqual({ sums, counts });
        const slots = new Uint32Array(10);
        native.arrayHistogram(values, -50, 50, slots);
        const {
          counts: bins,
          below,
          above,
          nan,
        } = kernels.histogram(values, { bins: 7, low: -50, high: 50 });
        expect([...bins, below, above, nan]).toEqual([...slots]);
        if (Type !== Float64Array && Type !== Float32Array) continue;
        const floats = values as Float64Array;
        same(kernels.sum(floats, { compensated: true }), native.arrayReduce(1, floats), 'compensated');
      }
    }
  });

  it('have loops that use nothing but their arguments, so that a copy of the source is the same', () => {
    const { scale, axpy, histogram } = vectorLoops;
    const { least, greatest, indexOfLeast, indexOfGreatest } = loops;
    const closed = { scale, axpy, histogram, least, greatest, indexOfLeast, indexOfGreatest };
    const all = { ...shortLoops, ...selectionLoops, ...byteLoops.COMBINE, ...closed };
    let checked = 0;
    for (const [name, loop] of Object.entries(all)) {
      if (typeof loop !== 'function') continue;
      // eslint-disable-next-line @typescript-eslint/no-implied-eval -- as `copies` does
      const copy = new Function(`return ${String(loop)}`)() as (...args: unknown[]) => unknown;
      const four = Array.from({ length: 4 }, (_, i) => Float64Array.of(i, 1, NaN));
      expect(() => copy(...four), name).not.toThrow();
      checked += 1;
    }
    expect(checked).toBeGreaterThan(15);
    // One that is not closed serves itself.
    let outside = 1;
    const [notClosed] = copies(() => (outside += 1), 1);
    expect([notClosed!(), outside]).toEqual([2, 2]);
  });
});

describe('histograms', () => {
  it.each(LENGTHS)('count alike with and without the addon, %i values', (length) => {
    for (const bins of [1, 7, 64, 1024, 1025, 5000]) {
      for (const values of [withOddities(length, 7), filled(Int16Array, length, 7)]) {
        const [one, two] = [new Uint32Array(bins + 3), new Uint32Array(bins + 3)];
        native.arrayHistogram(values, -1000, 1000.5, one);
        vectorLoops.histogram(values, -1000, 1000.5, two);
        sameArray(one, two);
        expect(one.reduce((all, count) => all + count, 0)).toBe(length);
      }
    }
  });

  it('have the upper end in the last bin, and tell what is outside', () => {
    const values = Float64Array.of(0, 1, 9.5, 10, 11, -1, NaN);
    const { counts, ...rest } = kernels.histogram(values, { bins: 10, low: 0, high: 10 });
    expect([...counts]).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
    expect(rest).toEqual({ below: 1, above: 1, nan: 1 });
  });

  it.each([
    { bins: 0, low: 0, high: 1 },
    { bins: 4, low: 1, high: 1 },
    { bins: 4, low: NaN, high: 1 },
    { bins: 4, low: -1e308, high: 1e308 },
    { bins: 4, low: 0, high: 1e-320 },
  ])('refuse %o', (options) => {
    expect(() => kernels.histogram(new Float64Array(5), options)).toThrow(invalid);
  });
});

describe('group sums', () => {
  it.each([0, 1, 800, 5000, 70_001])('are the same with and without the addon, %i values', (length) => {
    const next = randomSource(11);
    const values = filled(Float64Array, length, 12);
    for (const groups of [1, 5, 512, 513, 3000]) {
      for (const Keys of [Uint8Array, Uint16Array, Uint32Array, Int32Array]) {
        const keys = new Keys(length).map(() => Math.floor(next() * Math.min(groups, 256)));
        const results = [native, undefined].map((addon) => {
          const [sums, counts] = [new Float64Array(groups).fill(7), new Float64Array(groups).fill(7)];
          const run = addon ? addon.arrayGroupSum(keys, values, sums, counts) : undefined;
          const done = run ?? vectorLoops.groupSum(keys, values, sums, counts);
          expect(done).toBe(length);
          return { sums, counts };
        });
        sameArray(results[0]!.sums, results[1]!.sums);
        sameArray(results[0]!.counts, results[1]!.counts);
      }
    }
  });

  it.each([10, 10_000])('name the first key that is no group, %i values', (length) => {
    const keys = new Int32Array(length);
    keys[7] = -1;
    keys[9] = 4;
    expect(() => kernels.groupSum(keys, new Float64Array(length), 4)).toThrow(/keys\[7\] is -1/);
    keys[7] = 0;
    expect(() => kernels.groupSum(keys, new Float64Array(length), 4)).toThrow(/keys\[9\] is 4/);
  });
});

describe('sorting', () => {
  const ALL = [...TYPES, BigInt64Array, BigUint64Array] as const;
  it.each(ALL.map((Type) => [Type.name, Type] as const))('orders %s as its own sort does', (_, Type) => {
    for (const length of [...LENGTHS, 65_537]) {
      const bits = filled(Uint8Array, length * 8, length, 0);
      const values = new Type(bits.buffer.slice(0, length * Type.BYTES_PER_ELEMENT)) as Float64Array;
      const expected = values.slice().sort();
      const sorted = values.slice();
      native.arraySort(sorted);
      for (let i = 0; i < length; i += 1)
        if (!Object.is(sorted[i], expected[i])) same(sorted[i], expected[i]);
      sameArray(kernels.sort(values.slice()), expected);
      const order = new Uint32Array(length);
      native.arrayArgsort(values, order);
      for (let i = 0; i < length; i += 1) {
        const [value, wanted] = [values[order[i]!], expected[i]];
        if (!Object.is(value, wanted)) same(value, wanted);
        const isStable =
          i === 0 || !Object.is(value, expected[i - 1]) || value !== value || order[i - 1]! < order[i]!;
        if (!isStable) throw new Error(`not stable at ${i}`);
      }
      expect(new Set(order).size).toBe(length);
    }
  });

  it('orders every short length of odd values, at every offset', () => {
    for (let length = 0; length <= 66; length += 1) {
      for (const Type of [Float64Array, Float32Array]) {
        const odd = withOddities(length, length + 1);
        const values = new Type(length + 3).subarray(length % 4);
        values.set(odd.subarray(0, values.length));
        const from = values.slice();
        const expected = from.slice().sort();
        native.arraySort(values);
        sameArray(values, expected);
        const order = new Uint32Array(from.length);
        native.arrayArgsort(from, order);
        sameArray(
          kernels.gather(from, order).map((value) => value),
          expected,
        );
        const sums = new Float64Array(from.length);
        const again = new Float64Array(from.length);
        native.arrayRunningSum(from, sums);
        vectorLoops.runningSum(from, again);
        sameArray(sums, again);
      }
    }
  });

  it('merges ascending runs, of any number and length', () => {
    for (const length of [60, 1023, 1024, 5000, 70_000]) {
      for (const cuts of [
        [],
        [0.5],
        [0.01],
        [0.3, 0.6, 0.9],
        [0.2, 0.4, 0.6, 0.8],
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
      ]) {
        const values = withOddities(length, cuts.length + 1);
        const ends = [...cuts.map((cut) => Math.floor(cut * length)), length];
        ends.forEach((end, i) => values.subarray(ends[i - 1] ?? 0, end).sort());
        const sorted = values.slice().sort();
        sameArray(kernels.sort(values.slice()), sorted);
        const order = kernels.argsort(values);
        sameArray(kernels.gather(values, order), sorted);
        expect(
          order.every(
            (place, i) =>
              i === 0 ||
              !Object.is(sorted[i], sorted[i - 1]) ||
              Number.isNaN(sorted[i]) ||
              order[i - 1]! < place,
          ),
        ).toBe(true);
      }
    }
  });

  it('leaves few distinct, sorted and reversed values in order', () => {
    for (const make of [
      (i: number) => i % 3,
      (i: number) => i,
      (i: number) => -i,
      () => 5,
      (i: number) => i << 16,
    ]) {
      const values = Float64Array.from({ length: 3000 }, (_, i) => make(i));
      expect(kernels.sort(values.slice())).toEqual(values.slice().sort());
    }
  });

  it('puts -0 before 0 and NaN last, also without the addon', () => {
    for (const length of [6, 600]) {
      const values = Float64Array.from({ length }, (_, i) => [NaN, 0, -0, -Infinity, 0, -0][i % 6]!);
      const expected = values.slice().sort();
      const order = kernels.argsort(values);
      expect(kernels.gather(values, order)).toEqual(expected);
      expect(kernels.sort(values)).toEqual(expected);
    }
  });

  it('works in shared memory', () => {
    const values = new Float64Array(new SharedArrayBuffer(8000)).map((_, i) => Math.sin(i));
    const expected = Float64Array.from(values).sort();
    kernels.sort(values);
    expect(Float64Array.from(values)).toEqual(expected);
  });
});

describe('order statistics', () => {
  it.each([1, 2, 100, 600, 5000, 70_001])('stand where sorting puts them, %i values', (length) => {
    for (const Type of TYPES) {
      for (const values of [filled(Type, length, 21), filled(Type, length, 22).map((value) => value % 3)]) {
        const sorted = values.slice().sort();
        const places = [0, 0.001, 0.25, 0.5, 0.5, 0.501, 0.9, 1].map((p) => Math.floor(p * (length - 1)));
        const many = Array.from({ length: 40 }, (_, k) => Math.floor((k * (length - 1)) / 40));
        for (const ranks of [places, many, [length >> 1]]) {
          const found = kernels.select(values, ranks);
          ranks.forEach((rank, k) => same(found[k], sorted[rank]));
        }
      }
    }
  });

  it('interpolate', () => {
    expect(() => kernels.select(Float64Array.of(1), 0 as never)).toThrow(/ranks is 0/);
    expect(kernels.quantiles(Float64Array.of(4, 1, 3, 2), [0.5, 0, 1, 0.25])).toEqual([2.5, 1, 4, 1.75]);
    expect(kernels.quantiles(new Float64Array(0), [0.5])).toEqual([NaN]);
    const values = filled(Float64Array, 5000, 1);
    values[77] = NaN;
    expect(kernels.quantiles(values, [0.5])).toEqual([NaN]);
    expect(() => kernels.quantiles(values, [1.1])).toThrow(invalid);
    expect(() => kernels.select(values, [5, 4])).toThrow(invalid);
    expect(() => kernels.select(values, [5000])).toThrow(invalid);
    expect(() => kernels.select(values, [5, , 7] as number[])).toThrow(invalid);
    expect(() => kernels.quantiles(values, [0.1, , 0.2] as number[])).toThrow(invalid);
    const shrinking = new Float64Array(100);
    const late = Object.defineProperty([0, 1], 1, {
      get: () => {
        structuredClone(shrinking.buffer, { transfer: [shrinking.buffer] });
        return 99;
      },
    });
    expect(() => kernels.select(shrinking, late)).toThrow(invalid);
  });

  it('interpolate between infinities and over all numbers as far as there is anything between them', () => {
    const { MAX_VALUE: most } = Number;
    const quantile = (values: number[], at: number) => kernels.quantiles(Float64Array.from(values), [at])[0];
    expect(quantile([-most, most], 0.5)).toBe(0);
    expect(quantile([-most, most], 0.75)! / most).toBeCloseTo(0.5, 14);
    expect(quantile([1, Infinity, Infinity], 0.75)).toBe(Infinity);
    expect(quantile([-Infinity, 5], 0.5)).toBe(-Infinity);
    expect(quantile([5, Infinity], 0.5)).toBe(Infinity);
  });
});

describe('arguments that are none', () => {
  const values = Float64Array.of(3, 1, 2);
  const places = Uint32Array.of(0, 1);
  const calls: [string, (argument: any) => unknown][] = [
    ['prefixSum', (x) => kernels.prefixSum(x)],
    ['argsort', (x) => kernels.argsort(x)],
    ['filterIndices', (x) => kernels.filterIndices(x, '>', 1)],
    ['compact', (x) => kernels.compact(x, '>', 1)],
    ['gather', (x) => kernels.gather(x, places)],
    ['gather, indices', (x) => kernels.gather(values, x)],
    ['mergeMoments', (x) => kernels.mergeMoments(kernels.moments(values), x)],
    ['variance', (x) => kernels.variance(x)],
  ];
  it.each(calls)('are named by %s', (_, call) => {
    const shapes = [undefined, null, 3, 'abc', [1, 2], { length: -1 }, { length: 1e10 }];
    for (const argument of [...shapes, new DataView(new ArrayBuffer(8))]) {
      expect(() => call(argument)).toThrow(invalid);
    }
  });

  it('are named in the background too', async () => {
    await expect(kernels.background.argsort(null as never)).rejects.toEqual(invalid);
    await expect(kernels.background.prefixSum({ length: -1 } as never)).rejects.toEqual(invalid);
  });

  it('do not include Buffers, whose selections are Buffers', () => {
    const compacted = kernels.compact(Buffer.from('banana'), '>', 97);
    expect([Buffer.isBuffer(compacted), compacted.toString()]).toEqual([true, 'bnn']);
    const gathered = kernels.gather(Buffer.from('abc'), Uint32Array.of(2, 0));
    expect([Buffer.isBuffer(gathered), gathered.toString()]).toEqual([true, 'ca']);
  });
});

describe('selections', () => {
  const COMPARES = ['<', '<=', '>', '>=', '==', '!='] as const;
  const holds = (a: number | bigint, compare: string, b: number | bigint) =>
    ({ '<': a < b, '<=': a <= b, '>': a > b, '>=': a >= b, '==': a == b, '!=': a != b })[compare];

  it.each([0, 5, 300, 700])('are what the test says, %i values', (length) => {
    for (const Type of TYPES) {
      const values = filled(Type, length, 31) as Float64Array;
      for (const against of [0, 100, -5.5, NaN, Infinity, values[1] ?? 1]) {
        for (const compare of COMPARES) {
          const expected = [...values.keys()].filter((i) => holds(values[i]!, compare, against));
          sameArray(kernels.filterIndices(values, compare, against), expected);
          sameArray(
            kernels.compact(values, compare, against),
            expected.map((i) => values[i]),
          );
        }
      }
    }
    const wide = new BigInt64Array(length).map((_, i) => BigInt(i * 7919) - 4000n);
    expect([...kernels.compact(wide, '>', 3n)]).toEqual([...wide].filter((value) => value > 3n));
  });

  it('refuse what does not fit', () => {
    const values = new Float64Array(10);
    expect(() => kernels.compact(values, '>', 1n)).toThrow(invalid);
    expect(() => kernels.compact(values, '~' as never, 1)).toThrow(invalid);
    expect(() => kernels.compact(values, '>', 1, values)).toThrow(invalid);
    expect(() => kernels.compact(values, '>', 1, new Float64Array(9))).toThrow(invalid);
    expect(() => kernels.filterIndices(values, '>', 1, new Uint32Array(3))).toThrow(invalid);
    expect(() => kernels.gather(values, Uint32Array.of(1, 10))).toThrow(invalid);
  });
});

describe('scattering', () => {
  it.each([10, 1_000])('writes %i values in ascending order where the arrays lie over each other', (n) => {
    const memory = Uint32Array.from({ length: n + 5 }, (_, i) => (i * 7) % n);
    const expected = memory.slice();
    const plain = (all: Uint32Array) =>
      [all.subarray(0, n), all.subarray(2, n + 2), all.subarray(5)] as const;
    const [values, indices, out] = plain(expected);
    for (let i = 0; i < n; i += 1) out[indices[i]!] = values[i]!;
    kernels.scatter(...plain(memory));
    expect(memory).toEqual(expected);
  });

  it.each([...LENGTHS])('puts every value where its index says, %i values', (length) => {
    const next = randomSource(length + 1);
    for (const Type of [...TYPES, BigInt64Array]) {
      const values = filled(Uint8Array, length * 8, 51, 0).buffer.slice(0, length * Type.BYTES_PER_ELEMENT);
      const from = new Type(values) as Float64Array;
      const indices = new Uint32Array(length + 1).subarray(1).map(() => Math.floor(next() * (length + 3)));
      const expected = new Type(length + 3) as Float64Array;
      for (let i = 0; i < length; i += 1) expected[indices[i]!] = from[i]!;
      const [one, two] = [new Type(length + 3), new Type(length + 3)] as Float64Array[];
      expect(native.arrayScatter(from, indices, one!)).toBe(length);
      expect(kernels.scatter(from, indices, two!)).toBe(two);
      sameArray(one!, expected);
      sameArray(two!, expected);
    }
  });

  it('undoes gathering', () => {
    const values = filled(Float64Array, 3000, 52) as Float64Array;
    const order = kernels.argsort(values);
    const back = kernels.scatter(kernels.gather(values, order), order, new Float64Array(3000));
    sameArray(back, values);
  });

  it.each([10, 1000])('names the first index that is outside, %i values', (length) => {
    const [values, out] = [new Float64Array(length).fill(1), new Float64Array(5)];
    const indices = new Uint32Array(length);
    indices[6] = 5;
    indices[8] = 9;
    expect(() => kernels.scatter(values, indices, out)).toThrow(/indices\[6\] is 5/);
    expect(() => kernels.scatter(values, indices, values)).toThrow(invalid);
    expect(() => kernels.scatter(indices, indices.slice(), indices)).toThrow(/out is the memory of values/);
    expect(() => kernels.scatter(indices.slice(), indices, indices)).toThrow(/out is the memory of indices/);
    expect(() => kernels.scatter(values, new Uint32Array(2), out)).toThrow(invalid);
    expect(() => kernels.scatter(values, indices, new Float32Array(5) as never)).toThrow(invalid);
    expect(() => kernels.scatter(values, indices, new Float64Array(0))).toThrow(/out is empty/);
  });
});

describe('hexadecimal digits', () => {
  const SIZES = [...Array.from({ length: 67 }, (_, i) => i), 255, 256, 257, 4096, 70_003];

  it('are those of Node at every length and offset, in text and in bytes', () => {
    for (const length of SIZES) {
      for (const offset of [0, 1, 3]) {
        const data = filled(Uint8Array, length, length, offset) as Uint8Array;
        const text = Buffer.from(data).toString('hex');
        expect(native.bytesHexEncode(data)).toBe(text);
        expect(kernels.hexEncode(data)).toBe(text);
        const mixed = text.replace(/[a-f]/g, (digit, i: number) =>
          i % 3 === 0 ? digit.toUpperCase() : digit,
        );
        for (const digits of [mixed, Buffer.from(mixed)]) {
          const out = new Uint8Array(length);
          expect(native.bytesHexDecode(digits, out)).toBe(length);
          sameArray(out, data);
          sameArray(kernels.hexDecode(digits), data);
        }
      }
    }
  });

  it('are refused where one is none, whatever it is, with its place', () => {
    for (const length of [1, 5, 40, 700]) {
      const good = 'a7'.repeat(length);
      for (const wrong of ['g', 'G', '/', ':', '@', '`', ' ', '\0', 'ſ', 'š', 'á', '＀', '😀'.slice(0, 1)]) {
        for (const place of [0, length, 2 * length - 1]) {
          const text = good.slice(0, place) + wrong + good.slice(place + 1);
          const pair = place - (place % 2);
          expect(() => kernels.hexDecode(text)).toThrow(new RegExp(`digits\\[${pair}\\]`));
          if (wrong.charCodeAt(0) < 256) {
            const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
            expect(() => kernels.hexDecode(bytes)).toThrow(new RegExp(`digits\\[${pair}\\]`));
          }
        }
      }
    }
  });

  it('are refused where they are odd in number or out is too short', () => {
    expect(() => kernels.hexDecode('abc')).toThrow(/3 characters/);
    expect(() => kernels.hexDecode(5 as never)).toThrow(invalid);
    expect(() => kernels.hexDecode('abcd', new Uint8Array(1))).toThrow(invalid);
    const bytes = Buffer.from('abcd');
    expect(() => kernels.hexDecode(bytes, bytes)).toThrow(invalid);
    expect(() => kernels.hexEncode('x' as never)).toThrow(invalid);
    const out = new Uint8Array(300).fill(9);
    expect(kernels.hexDecode('0aFf', out)).toEqual(Uint8Array.of(10, 255));
    expect(out[2]).toBe(9);
  });

  it('lie in any view', () => {
    const view = new DataView(Uint8Array.of(1, 2, 3, 254).buffer, 1);
    expect(kernels.hexEncode(view)).toBe('0203fe');
    expect(kernels.hexEncode(Float64Array.from({ length: 20 }, () => 1))).toBe('000000000000f03f'.repeat(20));
  });
});

describe('bytes', () => {
  it.each([0, 1, 7, 31, 63, 64, 65, 200, 2049, 70_003])('agree with loops, %i bytes', (length) => {
    const a = filled(Uint8Array, length, 41, 3) as Uint8Array;
    const b = filled(Uint8Array, length, 42, 1) as Uint8Array;
    for (const [code, operation] of (['and', 'or', 'xor', 'andNot'] as const).entries()) {
      const [one, two] = [new Uint8Array(length), new Uint8Array(length)];
      native.bytesCombine(code, a, b, one);
      byteLoops.COMBINE[operation](a, b, two);
      sameArray(one, two);
    }
    expect(native.bytesCountBits(a)).toBe(byteLoops.countBits(a));
    expect(native.bytesCountCodePoints(a)).toBe(byteLoops.countCodePoints(a));
    expect(native.bytesCrc32c(a, 99)).toBe(byteLoops.crc32c(a, 99));
    expect(kernels.xxh64(a, 5n)).toBe(byteLoops.xxh64(a, 5n));
  });

  it('give the published values', () => {
    const digits = Buffer.from('123456789');
    expect([kernels.crc32c(digits), byteLoops.crc32c(digits, 0)]).toEqual([0xe3069283, 0xe3069283]);
    expect(kernels.crc32c(Buffer.alloc(32))).toBe(0x8a9136aa); // RFC 3720, B.4
    expect(kernels.crc32c(digits.subarray(4), kernels.crc32c(digits.subarray(0, 4)))).toBe(0xe3069283);
    expect(kernels.xxh64(Buffer.alloc(0))).toBe(0xef46db3751d8e999n);
    expect(kernels.xxh64(Buffer.from('abc'))).toBe(0x44bc2cf5ad770999n);
    expect(kernels.countCodePoints(Buffer.from('žluťoučký 🐎'.repeat(50)))).toBe(11 * 50);
  });

  it('combine in place, and refuse other sizes and overlap', () => {
    const a = Uint32Array.of(5, 6);
    expect([...kernels.bitAndNot(a, Uint32Array.of(1, 2), a)]).toEqual([4, 4]);
    const memory = new Uint8Array(40);
    const [first, second] = [memory.subarray(0, 20), memory.subarray(10, 30)];
    expect(() => kernels.bitOr(first, first, second)).toThrow(invalid);
    expect(() => kernels.bitOr(first, memory, first)).toThrow(invalid);
    expect(() => kernels.crc32c('x' as never)).toThrow(invalid);
    expect(() => kernels.crc32c(first, -1)).toThrow(invalid);
    expect(() => kernels.xxh64(first, 1 as never)).toThrow(invalid);
  });
});
