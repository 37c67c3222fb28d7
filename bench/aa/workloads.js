// Work whose amount is a parameter: `work` of 1.03 is 3 % more than 1. Inner loops are long enough that what a
// call costs besides does not dilute that.

/** Arithmetic in registers. */
export function arithmetic(work) {
  const steps = Math.round(4000 * work);
  return () => {
    let state = 12345;
    for (let i = 0; i < steps; i += 1) state = (Math.imul(state, 1103515245) + 12345) | 0;
    return state;
  };
}

/** Small objects, most of which become garbage at once. */
export function allocating(work) {
  const count = Math.round(400 * work);
  const kept = new Array(16).fill(null);
  return () => {
    for (let i = 0; i < count; i += 1) kept[i & 15] = { id: i, name: 'n', tags: [i, i + 1] };
    return kept[0].id;
  };
}

/** Scattered loads, each depending on the one before, over 8 MiB. */
export function memoryBound(work) {
  const hops = Math.round(2000 * work);
  const size = 1 << 21;
  const next = new Int32Array(size);
  for (let i = 0; i < size; i += 1) next[i] = (Math.imul(i, 1664525) + 1013904223) & (size - 1);
  return () => {
    let at = 0;
    let sum = 0;
    for (let i = 0; i < hops; i += 1) {
      at = next[(at + i) & (size - 1)];
      sum = (sum + at) | 0;
    }
    return sum;
  };
}

export const WORKLOADS = ['arithmetic', 'allocating', 'memoryBound'];
