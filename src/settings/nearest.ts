import { createRequire } from 'node:module';
import type * as Levenshtein from 'fastest-levenshtein';

const require = createRequire(import.meta.url);

/**
 * The candidate that differs from `word` in the fewest edits (Levenshtein distance, case ignored), or undefined
 * where none is close: more than two edits and more than 40 % of the longer word.
 * The distance package is loaded at the first mistake, never before.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 100) return undefined;
  const { distance } = require('fastest-levenshtein') as typeof Levenshtein;
  let best: string | undefined;
  let fewest = Infinity;
  for (const candidate of candidates) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest && edits <= Math.max(2, 0.4 * Math.max(word.length, candidate.length))) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}
