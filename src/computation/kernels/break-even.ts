/**
 * Numbers of values from which the call into the addon pays; below, the loops in JavaScript run. A call costs 60 to 300 ns,
 * as much as a hundred to a thousand simple additions. Each is a round number above the crossing that was measured
 * on the machine of `docs/kernels.md` (both sides alone, best of nine turns of 0.7 ms): above it hardly anything is lost,
 * below it the call would cost more than it saves.
 */
export const FROM = {
  sum: 256,
  compensated: 128,
  moments: 128,
  extreme: 160,
  extremeIndex: 224,
  dot: 192,
  scale: 144,
  axpy: 144,
  runningSum: 192,
  histogram: 96,
  groupSum: 160,
  compact: 192,
  filter: 448,
  gather: 384,
  scatter: 144,
  select: 32,
  argsort: 16,
  /** Sorting by parts on one thread: bytes of what is moved, keys of an `argsort` with their indices. */
  partBytes: 2 ** 20,
  /** Bytes, where they are worked on one by one, and in words. */
  combine: 128,
  combineWords: 768,
  countBits: 48,
  countCodePoints: 48,
  crc32c: 48,
  hexEncode: 32,
  hexDecode: 48,
  /** By size of the element, in bytes, and whether it is a float. */
  sort: { 1: 64, 2: 128, 4: 192, 8: 16, float: 16 } as Readonly<Record<number | 'float', number>>,
  /**
   * Values from which a second thread pays, called in a row and after a pause, in which its thread went to sleep: waking it
   * takes 20 to 40 µs. At the least two chunks of 2^16.
   */
  threads: {
    sum: 3 * 2 ** 18,
    compensated: 2 ** 19,
    moments: 3 * 2 ** 18,
    extreme: 2 ** 19,
    extremeIndex: 2 ** 19,
    dot: 2 ** 19,
    scale: 2 ** 19,
    axpy: 2 ** 18,
    prefixSum: 3 * 2 ** 18,
    histogram: 2 ** 18,
    groupSum: 2 ** 18,
    sort: 2 ** 17,
    argsort: 2 ** 17,
  },
} as const;

/** Bytes up to which encoding digits pays: longer strings lie in memory of their own, which V8 makes faster for itself. */
export const HEX_ENCODE_UP_TO = 2 ** 15;

/**
 * Bytes of `out` up to which scattering pays: places beyond the caches are waited for in either language, and the addon
 * is a call more.
 */
export const SCATTER_UP_TO = 2 ** 22;
