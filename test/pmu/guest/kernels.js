/** The vector kernels of this architecture (NEON in the guest) against the loops without the addon, to the bit. */
import * as kernels from '../dist/computation/kernels/kernels.js';
import * as bytes from '../dist/computation/kernels/loops/bytes.js';
import * as loops from '../dist/computation/kernels/loops/reductions.js';
import * as selections from '../dist/computation/kernels/loops/selections.js';
import * as vectors from '../dist/computation/kernels/loops/vectors.js';
import { loadNative } from '../dist/native/load.js';
import { assert, test } from './check.js';

const native = loadNative().kernels;
const LENGTHS = [0, 1, 7, 129, 1025, 20_011];
const TYPES = [
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
];

/** A linear congruential generator (Numerical Recipes, 7.1): the same values in every run. */
function values(Type, length, seed) {
  let state = seed;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  const isFloat = Type === Float32Array || Type === Float64Array;
  // At an offset that no vector is aligned to.
  return new Type(length + 1).subarray(1).map(() => (isFloat ? (next() / 2 ** 31 - 1) * 1000 : next()));
}

function withOddities(length) {
  const odd = [NaN, Infinity, -Infinity, -0, 0, Number.MIN_VALUE, -Number.MAX_VALUE];
  return values(Float64Array, length, 5).map((value, i) => (i % 11 === 3 ? odd[i % odd.length] : value));
}

/** Equal to the bit, NaN and -0 included. */
function same(one, other, what) {
  const [a, b] = [one, other].map((each) => (Object(each) === each ? [...each] : [each]));
  assert.equal(a.length, b.length, what);
  const at = a.findIndex((value, i) => !Object.is(value, b[i]));
  assert.equal(at, -1, `${what}: ${a[at]} for ${b[at]} at ${at} of ${a.length}`);
}

await test('the addon has vector kernels here', () => {
  assert.ok(native, 'no kernels in the addon');
  assert.equal(process.arch, 'arm64');
});

for (const Type of TYPES) {
  await test(`reductions of ${Type.name}`, () => {
    for (const length of LENGTHS) {
      const [one, two] = [values(Type, length, 1), values(Type, length, 2)];
      same(native.arrayReduce(0, one), loops.sum(one), 'sum');
      same(native.arrayReduce(2, one), loops.least(one), 'min');
      same(native.arrayReduce(3, one), loops.greatest(one), 'max');
      same(native.arrayReduce(5, one), loops.indexOfLeast(one), 'argmin');
      same(native.arrayReduce(6, one), loops.indexOfGreatest(one), 'argmax');
      same(native.arrayDot(one, two), loops.dot(one, two), 'dot');
      const moments = new Float64Array(3);
      native.arrayMoments(one, moments);
      const { count, mean, m2 } = loops.moments(one);
      same(moments, [count, mean, m2], 'moments');
      const sums = [new Float64Array(length), new Float64Array(length)];
      native.arrayRunningSum(one, sums[0]);
      vectors.runningSum(one, sums[1]);
      same(...sums, 'prefix sum');
    }
  });
}

await test('NaN, infinities and zeros', () => {
  for (const length of LENGTHS) {
    const odd = withOddities(length);
    same(native.arrayReduce(2, odd), loops.least(odd), 'min');
    same(native.arrayReduce(3, odd), loops.greatest(odd), 'max');
    same(native.arrayReduce(5, odd), loops.indexOfLeast(odd), 'argmin');
    same(native.arrayReduce(6, odd), loops.indexOfGreatest(odd), 'argmax');
    same(native.arrayReduce(1, odd), loops.sumCompensated(odd), 'compensated sum');
    same(kernels.sort(odd.slice()), odd.slice().sort(), 'sort');
    const slots = [new Uint32Array(67), new Uint32Array(67)];
    native.arrayHistogram(odd, -500, 500, slots[0]);
    vectors.histogram(odd, -500, 500, slots[1]);
    same(...slots, 'histogram');
  }
});

await test('orders, selections and bytes', () => {
  for (const Type of TYPES) {
    const data = values(Type, 20_011, 9);
    same(kernels.sort(data.slice()), data.slice().sort(), `sort of ${Type.name}`);
    const order = kernels.argsort(data);
    same(kernels.gather(data, order), data.slice().sort(), `argsort of ${Type.name}`);
    const [limit] = data;
    const found = [];
    data.forEach((value, i) => value < limit && found.push(i));
    same(kernels.filterIndices(data, '<', limit), found, `filter of ${Type.name}`);
    const kept = new Type(data.length);
    const count = selections.compact(data, '<', limit, kept);
    same(kernels.compact(data, '<', limit), kept.subarray(0, count), `compact of ${Type.name}`);
  }
  const data = values(Uint8Array, 20_011, 3);
  const other = values(Uint8Array, 20_011, 4);
  same(kernels.crc32c(data), bytes.crc32c(data, 0), 'CRC-32C');
  same(kernels.xxh64(data), bytes.xxh64(data, 0n), 'xxh64');
  same(kernels.countBits(data), bytes.countBits(data), 'bits');
  const ascii = data.map((byte) => byte & 0x7f);
  same(kernels.countCodePoints(ascii), ascii.length, 'code points');
  const both = new Uint8Array(data.length);
  bytes.COMBINE.xor(data, other, both);
  same(kernels.bitXor(data, other, new Uint8Array(data.length)), both, 'xor');
  same(kernels.hexEncode(data), Buffer.from(data).toString('hex'), 'hex');
  const keys = data.map((byte) => byte % 50);
  const floats = values(Float64Array, 20_011, 6);
  const sums = [new Float64Array(50), new Float64Array(50)];
  vectors.groupSum(keys, floats, ...sums);
  const grouped = kernels.groupSum(keys, floats, 50);
  same(grouped.sums, sums[0], 'sums of groups');
  same(grouped.counts, sums[1], 'counts of groups');
});
