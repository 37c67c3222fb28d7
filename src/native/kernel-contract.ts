/**
 * Bulk kernels of the addon over columns. The TypeScript fallback has none: callers run the JavaScript loops of
 * `src/memory/struct/column-loops.ts`, which give the same bits.
 *
 * A column is a typed array and its shape: `[first, count, stride, block]` in elements. Value i is at
 * `first + i * stride`, or where `block` is not 0 at `first + (i >> 4) * block + (i & 15) * stride`.
 *
 * Every function checks that all of a column lies in its array, and throws TypeError or RangeError otherwise.
 */
export interface KernelContract {
  /**
   * @param reduction 0 sum, 1 minimum, 2 maximum; see `native/core/kernels/kernels.h` for order, NaN and zeros
   * @param column of any type but 64-bit integers
   */
  columnReduce(reduction: number, column: ArrayBufferView, shape: Int32Array): number;

  /** Of 64-bit integers: the sum is `out[1] * 2^32 + out[0]`, both exact; minimum and maximum are `out[0]`'s bits. */
  columnReduceWide(reduction: number, column: ArrayBufferView, shape: Int32Array, out: BigInt64Array): void;

  /** Of two columns of equal length, of any types but 64-bit integers. */
  columnDot(a: ArrayBufferView, shapeOfA: Int32Array, b: ArrayBufferView, shapeOfB: Int32Array): number;

  /**
   * Writes the indices of values that pass into `out`, ascending; returns how many.
   * @param compare for floats, against `value`: 0 `<`, 1 `<=`, 2 `>`, 3 `>=`, 4 `==`, 5 `!=`
   * @param bounds for integers: the least and the largest that pass, as bits of the column's type; a third element
   *   is a mask through which values are looked at, all bits without one
   * @param inverted for integers: those outside of the bounds pass instead
   * @param out as long as the column at least
   */
  columnFilter(
    column: ArrayBufferView,
    shape: Int32Array,
    compare: number,
    value: number,
    bounds: BigUint64Array,
    inverted: boolean,
    out: Uint32Array,
  ): number;

  /** `out[k] = value at indices[k]`; returns the first k whose index is outside of the column, or `count`. */
  columnGather(
    column: ArrayBufferView,
    shape: Int32Array,
    indices: Uint32Array,
    out: ArrayBufferView,
    count: number,
  ): number;

  /**
   * Copies runs of bytes of `count` records from one array into another.
   * @param moves seven numbers each, in bytes: offset, stride and block in `from`, the same in `to`, length of the run
   */
  moveRecords(from: ArrayBufferView, to: ArrayBufferView, count: number, moves: Float64Array): void;

  /** The instruction set in use: `baseline` (SSE2 or NEON), `avx2` or `avx512`. */
  kernelIsa(): string;
}
