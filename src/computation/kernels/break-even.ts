/**
 * Numbers of values from which the call into the addon pays; below, the loops in JavaScript run. A call costs 60 to 300 ns,
 * as much as a hundred to a thousand simple additions. Each is a round number above the crossing that was measured
 * on the machine of `docs/kernels.md`, between 100 and 10,000 values: above it hardly anything is lost, below it the call
 * would cost more than it saves.
 */
export const FROM = {
  sum: 400,
  compensated: 200,
  moments: 128,
  extreme: 256,
  extremeIndex: 640,
  dot: 400,
  scale: 128,
  axpy: 200,
  runningSum: 400,
  histogram: 256,
  groupSum: 700,
  compact: 256,
  filter: 256,
  gather: 128,
  select: 512,
  argsort: 48,
  /** Bytes. */
  combine: 1024,
  countBits: 256,
  countCodePoints: 64,
  crc32c: 48,
  /** By size of the element, in bytes. */
  sort: { 1: 192, 2: 256, 4: 512, 8: 512 } as Readonly<Record<number, number>>,
  scatter: 128,
  /** Bytes. */
  hexEncode: 64,
  hexDecode: 64,
  /** Values from which a second thread pays, at the least two chunks of 2^16. */
  threads: {
    sum: 2 ** 17,
    compensated: 2 ** 17,
    moments: 2 ** 17,
    extreme: 2 ** 17,
    extremeIndex: 2 ** 17,
    dot: 2 ** 17,
    scale: 2 ** 17,
    axpy: 2 ** 17,
    prefixSum: 2 ** 17,
    histogram: 2 ** 17,
    groupSum: 2 ** 17,
    sort: 2 ** 17,
    argsort: 2 ** 17,
  },
} as const;
