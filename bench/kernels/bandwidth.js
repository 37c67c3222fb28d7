// What bounds sums and dot products beyond the caches: bytes a second of the kernel beside those of a loop that only reads.
import * as kernels from '../../dist/computation/kernels/kernels.js';
import { loadNative } from '../../dist/native/load.js';
import { median, pair, QUICK, table } from './pairs.js';

const native = loadNative();

/** GB/s of reading `values` in order: the faster of the host probe's scalar loop and a vector kernel that only takes minima. */
function plainRead(values) {
  const bytes = values.byteLength;
  const probed = median(
    Array.from({ length: 5 }, () => native.probeBandwidth(values, bytes, QUICK ? 5e6 : 30e6)),
  );
  const words = new Int32Array(values.buffer, values.byteOffset, bytes / 4);
  const { one } = pair(
    () => native.kernels.arrayReduce(2, words),
    () => native.kernels.arrayReduce(2, words),
  );
  return Math.max(probed / 1e9, bytes / one / 1e3);
}

export function runBandwidth() {
  const rows = [];
  for (const n of [1e4, 1e5, 1e6, 8e6]) {
    const [v, w] = [new Float64Array(n).fill(1.5), new Float64Array(n).fill(2.5)];
    const both = new Float64Array(2 * n).fill(3.5);
    for (const [name, run, bytes, read] of [
      ['sum', () => kernels.sum(v), 8 * n, plainRead(v)],
      ['dot', () => kernels.dot(v, w), 16 * n, plainRead(both)],
    ]) {
      const rate = bytes / pair(run, run).one / 1e3;
      rows.push(
        `${name} | ${n} | ${rate.toFixed(1)} | ${read.toFixed(1)} | ${((100 * rate) / read).toFixed(0)} %`,
      );
    }
  }
  table(
    'Memory, in GB/s',
    ['kernel', 'values', 'kernel reads', 'plain read of as many bytes', 'share'],
    rows,
  );
}
