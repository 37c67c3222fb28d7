/** Three workloads of different character that `measureNoise` compares with themselves. Each returns what it times. */

/** Arithmetic in registers. */
export function arithmetic(): () => number {
  return () => {
    let state = 12345;
    for (let i = 0; i < 1000; i += 1) state = (Math.imul(state, 1103515245) + 12345) | 0;
    return state;
  };
}

/** Small objects that soon become garbage. */
export function allocating(): () => number {
  return () => {
    const kept: { id: number; name: string; tags: number[] }[] = [];
    for (let i = 0; i < 100; i += 1) kept.push({ id: i, name: `n${i}`, tags: [i, i + 1] });
    return kept.length;
  };
}

/** Dependent loads scattered over 8 MiB, more than most caches next to a core hold. */
export function memoryBound(): () => number {
  const size = 1 << 21;
  const next = new Int32Array(size);
  for (let i = 0; i < size; i += 1) next[i] = (Math.imul(i, 1664525) + 1013904223) & (size - 1);
  return () => {
    let at = 0;
    let sum = 0;
    for (let i = 0; i < 1000; i += 1) {
      at = next[(at + i) & (size - 1)]!;
      sum = (sum + at) | 0;
    }
    return sum;
  };
}
