// Native kernels over 100,000 values against the plain loop. Whole numbers, so that every order of additions agrees.
import * as kernels from '../../dist/computation/kernels/kernels.js';

const COUNT = 100_000;

function setup() {
  const values = Float64Array.from({ length: COUNT }, (_, i) => (i * 7919) % 1000);
  const words = Uint32Array.from({ length: COUNT }, (_, i) => Math.imul(i, 2654435761));
  return {
    values,
    others: Float64Array.from({ length: COUNT }, (_, i) => i % 97),
    keys: Uint32Array.from({ length: COUNT }, (_, i) => (i * 31) % 100),
    out: new Float64Array(COUNT),
    indices: new Uint32Array(COUNT),
    words,
    sorted: new Uint32Array(COUNT),
  };
}

/** @type {import('../../dist/validation/bench.js').BenchCase[]} */
export default [
  {
    name: 'kernels: sum of 100,000 f64',
    setup,
    variants: {
      loop: ({ values }) => {
        let sum = 0;
        for (let i = 0; i < values.length; i += 1) sum += values[i];
        return sum;
      },
      'kernels.sum': ({ values }) => kernels.sum(values),
    },
  },
  {
    name: 'kernels: dot product of 100,000 f64',
    setup,
    variants: {
      loop: ({ values, others }) => {
        let sum = 0;
        for (let i = 0; i < values.length; i += 1) sum += values[i] * others[i];
        return sum;
      },
      'kernels.dot': ({ values, others }) => kernels.dot(values, others),
    },
  },
  {
    name: 'kernels: prefix sums of 100,000 f64',
    setup,
    variants: {
      loop: ({ values, out }) => {
        let sum = 0;
        for (let i = 0; i < values.length; i += 1) {
          sum += values[i];
          out[i] = sum;
        }
        return out[COUNT - 1];
      },
      'kernels.prefixSum': ({ values, out }) => kernels.prefixSum(values, out)[COUNT - 1],
    },
  },
  {
    name: 'kernels: histogram of 100,000 f64',
    setup,
    variants: {
      loop: ({ values }) => {
        const counts = new Uint32Array(64);
        const scale = 64 / 1000;
        for (let i = 0; i < values.length; i += 1) counts[(values[i] * scale) | 0] += 1;
        return counts[9];
      },
      'kernels.histogram': ({ values }) =>
        kernels.histogram(values, { bins: 64, low: 0, high: 1000 }).counts[9],
    },
  },
  {
    name: 'kernels: values above the median of 100,000 f64',
    setup,
    variants: {
      loop: ({ values, out }) => {
        let count = 0;
        for (let i = 0; i < values.length; i += 1) {
          out[count] = values[i];
          count += values[i] > 500 ? 1 : 0;
        }
        return count;
      },
      'kernels.compact': ({ values, out }) => kernels.compact(values, '>', 500, out).length,
    },
  },
  {
    name: 'kernels: sums of 100 groups of 100,000 f64',
    setup,
    variants: {
      loop: ({ values, keys }) => {
        const sums = new Float64Array(100);
        const counts = new Float64Array(100);
        for (let i = 0; i < values.length; i += 1) {
          sums[keys[i]] += values[i];
          counts[keys[i]] += 1;
        }
        return sums[7] / counts[7];
      },
      'kernels.groupSum': ({ values, keys }) => {
        const { sums, counts } = kernels.groupSum(keys, values, 100);
        return sums[7] / counts[7];
      },
    },
  },
  {
    name: 'kernels: sort of 100,000 u32',
    setup,
    variants: {
      'sort()': ({ words, sorted }) => {
        sorted.set(words);
        return sorted.sort()[COUNT >> 1];
      },
      'kernels.sort': ({ words, sorted }) => {
        sorted.set(words);
        return kernels.sort(sorted)[COUNT >> 1];
      },
    },
  },
];
