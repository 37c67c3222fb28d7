/**
 * Bulk kernels of the addon over whole typed arrays, on the calling thread or on the pool of native threads that the
 * process has. The TypeScript fallback has none: callers run the loops of `src/computation/kernels/loops`, which give the
 * same bits. Order of additions, NaN and zeros: `native/core/kernels/arrays.h` and `bulk.h`.
 *
 * Typed arrays of every kind but `Uint8ClampedArray` and `Float16Array`, over an ArrayBuffer or a SharedArrayBuffer, at
 * any offset. Every function checks types and lengths, and throws TypeError or RangeError; a detached array is empty.
 */
export interface ArrayContract {
  /**
   * @param operation 0 sum, 1 compensated sum (floats only), 2 minimum, 3 maximum, 5 index of the minimum, 6 of the
   *   maximum (-1 where there is none)
   * @param values of any type but 64-bit integers
   */
  arrayReduce(operation: number, values: ArrayBufferView): number;
  /** Fills `[count, mean, sum of squared distances from the mean]`. */
  arrayMoments(values: ArrayBufferView, out: Float64Array): void;
  arrayDot(a: ArrayBufferView, b: ArrayBufferView): number;
  /** `x[i] *= a`, of floats. */
  arrayScale(a: number, x: ArrayBufferView): void;
  /** `y[i] += a * x[i]`, of floats of one type. */
  arrayAxpy(a: number, x: ArrayBufferView, y: ArrayBufferView): void;
  arrayRunningSum(values: ArrayBufferView, out: Float64Array): void;
  /** Adds to `slots`: the bins, then what was below, above, and NaN. */
  arrayHistogram(values: ArrayBufferView, low: number, high: number, slots: Uint32Array): void;
  /** Fills both; returns the place of the first key that is not below `sums.length`, or the number of keys. */
  arrayGroupSum(
    keys: ArrayBufferView,
    values: ArrayBufferView,
    sums: Float64Array,
    counts: Float64Array,
  ): number;
  /** In place, in the order of `TypedArray.prototype.sort`. */
  arraySort(values: ArrayBufferView): void;
  arrayArgsort(values: ArrayBufferView, out: Uint32Array): void;
  /** `out[k]` = the value that sorting would put at `ranks[k]`; ranks ascend. Returns how many values are NaN. */
  arraySelect(values: ArrayBufferView, ranks: Uint32Array, out: Float64Array): number;
  /** The values that pass, see `columnFilter`; returns how many. `out` is of the same type and length. */
  arrayCompact(
    values: ArrayBufferView,
    compare: number,
    value: number,
    bounds: BigUint64Array,
    inverted: boolean,
    out: ArrayBufferView,
  ): number;
  /**
   * `out[indices[i]] = values[i]`, ascending; returns the first i whose index is outside of `out`, or the number of values.
   * `out` is of the type of `values`; there are at least as many indices as values.
   */
  arrayScatter(values: ArrayBufferView, indices: Uint32Array, out: ArrayBufferView): number;
  /** `operation`: 0 and, 1 or, 2 exclusive or, 3 and not; over all bytes of `a`. */
  bytesCombine(operation: number, a: ArrayBufferView, b: ArrayBufferView, out: ArrayBufferView): void;
  bytesCountBits(data: ArrayBufferView): number;
  /** Bytes that begin a character of UTF-8. */
  bytesCountCodePoints(data: ArrayBufferView): number;
  bytesCrc32c(data: ArrayBufferView, seed: number): number;
  /** `inout[0]` is the seed, then the hash. */
  bytesXxh64(data: ArrayBufferView, inout: BigUint64Array): void;
  /** Two lower-case digits a byte. */
  bytesHexEncode(data: ArrayBufferView): string;
  /** Fills `out` from twice as many digits; returns how many bytes stand before the first pair that is none. */
  bytesHexDecode(digits: string | ArrayBufferView, out: ArrayBufferView): number;

  // --- On the pool of native threads ------------------------------------------------------------------------

  /**
   * Runs a kernel in chunks of 2^16 values on the calling thread and up to `threads - 1` of the pool, and waits.
   *
   * @param operation those of `arrayReduce` with `values, values`; 4 moments; 7 dot product of `a, b`; 8 `arrayScale` of
   *   `a, x`; 9 `arrayAxpy` of `a, x, y`; 10 histogram of `values, low, high, bins`; 11 group sums of
   *   `keys, values, groups` (at most 512 groups); 12 running sums of `values, out`; 13 `arraySort` of `values`;
   *   14 `arrayArgsort` of `values, out`
   * @returns the result: three numbers (`arrayReduce`: result, index; moments as they are); nothing; slots; sums, counts,
   *   and the place of a key that is no group or -1
   */
  arrayJob(operation: number, threads: number, ...args: readonly (ArrayBufferView | number)[]): Float64Array;

  /**
   * The same without waiting, on up to `threads` threads of the pool. Arrays have to lie in SharedArrayBuffers. The promise
   * keeps them, and the event loop, alive. Where the environment ends first, chunks not begun are left out.
   */
  arrayJobAsync(
    operation: number,
    threads: number,
    ...args: readonly (ArrayBufferView | number)[]
  ): Promise<Float64Array>;

  /** Threads of the pool that live. */
  poolThreads(): number;
}
