/**
 * Traversal of a matrix in tiles, so that what is used together stays in a cache: a row-major walk that also reads
 * down columns misses on every element once a column's lines no longer fit.
 *
 * The tile is square and sized so that the lines it touches in all matrices fill half of a cache (Lam, Rothberg &
 * Wolf 1991: the other half is for conflicts and for what else runs). The cache is measured on this host, because
 * machines in clouds advertise caches that they share: the largest working set that random reads still find at
 * about the speed of the second level.
 */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import { effectiveCacheBytes } from '../host/effective-cache.js';

export interface BlockOptions {
  /** Bytes of an element; 8 by default. */
  readonly elementBytes?: number;
  /** Matrices that each tile touches, at tiles of the same size; 2 by default (from one to another). */
  readonly matrices?: number;
  /** Side of a tile in elements, where it is known; else it follows from the caches. */
  readonly tile?: number;
}

/** Rows and columns of a tile: start included, end excluded. */
export type BlockFunction = (
  rowStart: number,
  rowEnd: number,
  columnStart: number,
  columnEnd: number,
) => void;

/**
 * Calls `fn` for every tile, row by row. The loop over the elements is the caller's, so that no call is made per
 * element.
 *
 * @throws INVALID_ARGUMENT; what `fn` throws.
 *
 * @example
 * forEachBlock(rows, columns, (r0, r1, c0, c1) => {
 *   for (let r = r0; r < r1; r++) for (let c = c0; c < c1; c++) out[c * rows + r] = values[r * columns + c];
 * });
 */
export function forEachBlock(
  rows: number,
  columns: number,
  fn: BlockFunction,
  options: BlockOptions = {},
): void {
  for (const [name, value] of Object.entries({ rows, columns })) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'an integer from 0' });
  }
  if (typeof fn !== 'function') {
    throw fail('INVALID_ARGUMENT', { name: 'fn', actual: describe(fn), expected: 'a function' });
  }
  requireOptions('options of forEachBlock', options, { tile: true, elementBytes: true, matrices: true });
  const tile = options.tile ?? sideFor(options);
  if (!(Number.isSafeInteger(tile) && tile >= 1)) {
    throw fail('INVALID_ARGUMENT', { name: 'tile', actual: describe(tile), expected: 'an integer from 1' });
  }
  for (let row = 0; row < rows; row += tile) {
    const rowEnd = Math.min(row + tile, rows);
    for (let column = 0; column < columns; column += tile) {
      fn(row, rowEnd, column, Math.min(column + tile, columns));
    }
  }
}

/**
 * Side of a square tile for this host's first cache level, a multiple of a cache line's elements where it is longer.
 *
 * @throws INVALID_ARGUMENT
 */
export function tileSide(options: Omit<BlockOptions, 'tile'> = {}): number {
  requireOptions('options of tileSide', options, { elementBytes: true, matrices: true });
  return sideFor(options);
}

function sideFor({ elementBytes = 8, matrices = 2 }: BlockOptions): number {
  for (const [name, value] of Object.entries({ elementBytes, matrices })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'an integer from 1' });
  }
  const side = Math.floor(Math.sqrt(effectiveCacheBytes().l1 / 2 / matrices / elementBytes));
  const perLine = Math.max(1, Math.floor(64 / elementBytes));
  return side > perLine ? side - (side % perLine) : Math.max(1, side);
}
