/** How a recording type's shared memory is laid out: the rows given away, the thread of each, then the counts. */

/** Threads with a row of their own; later ones count in the last. */
export const MAX_ROWS = 64;
/** 32-bit words before the counts; even, so that the counts are aligned. */
export const HEAD_WORDS = 1 + MAX_ROWS + 1;

/** For each thread and field, reads and writes as doubles. */
export function recordingBytes(fields: number): number {
  return 4 * HEAD_WORDS + 8 * MAX_ROWS * fields * 2;
}
