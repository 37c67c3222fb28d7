const SIDE = 1400;

/** A table kept row by row and summed column by column. */
export function sumColumns({ order }) {
  const table = new Float64Array(SIDE * SIDE).fill(1);
  if (order === 'sequential') {
    return () => {
      let sum = 0;
      for (let row = 0; row < SIDE; row += 1)
        for (let column = 0; column < SIDE; column += 1) sum += table[row * SIDE + column];
      return sum;
    };
  }
  return () => {
    let sum = 0;
    for (let column = 0; column < SIDE; column += 1)
      for (let row = 0; row < SIDE; row += 1) sum += table[row * SIDE + column];
    return sum;
  };
}
