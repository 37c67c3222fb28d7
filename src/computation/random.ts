/**
 * Random numbers that a seed repeats: the order of rounds, sampled configurations, drawn sizes. mulberry32: one
 * word of state and good enough for choosing; nothing here is secret. `Math.random` cannot be seeded, and a search
 * that cannot be repeated cannot be debugged.
 */
export type Random = () => number;

/** Numbers from 0 to below 1. The same seed gives the same numbers. @param seed taken modulo 2^32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The items in random order (Fisher–Yates), in place. */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
