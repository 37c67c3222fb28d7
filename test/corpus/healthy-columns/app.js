/** Small enough for the first cache, so that the order does not matter. */
export function sumBoard({ order }) {
  const board = new Float64Array(24 * 24).fill(1);
  const cell = order === 'sequential' ? (i) => i : (i) => (i % 24) * 24 + Math.trunc(i / 24);
  const cells = Int32Array.from({ length: board.length }, (_, i) => cell(i));
  return () => {
    let sum = 0;
    for (let round = 0; round < 200; round += 1)
      for (let i = 0; i < cells.length; i += 1) sum += board[cells[i]];
    return sum;
  };
}
