// The reduced form of `npm run verify:selection`: synthetic noise, so that the figures follow from the seed.
import { expect, it } from 'vitest';
import { seededRandom } from '../../../dist/computation/random.js';
import { HELD_OUT, selectionQuality } from '../../verify/selection-quality.js';

/** Times: 5 % from piece to piece of 0.02 ms, a drift that all share, and one piece in forty held up several-fold. */
function syntheticNoise(seed: number): Float64Array {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let drift = 0;
  return Float64Array.from({ length: 80_000 }, () => {
    drift = 0.999 * drift + 0.002 * normal();
    return Math.exp(drift + 0.05 * normal() + (random() < 1 / 40 ? 2 * random() : 0));
  });
}

it('choices lose next to nothing, cost little, and ties are called ties', async () => {
  const result = await selectionQuality({ runs: 6, seed: 5, noise: syntheticNoise(5) });
  expect(result.rows).toHaveLength(12);
  expect(result.meanRegret).toBeLessThan(0.002);
  expect(result.worseShare).toBeLessThan(0.01);
  expect(result.costShare).toBeLessThan(0.4);
  expect(result.tiesCalled).toBeGreaterThan(0.95);
});

it('does the same on computations that it was not tuned on', async () => {
  const result = await selectionQuality({
    runs: 6,
    seed: 5,
    noise: syntheticNoise(5),
    computations: HELD_OUT,
  });
  expect(result.rows).toHaveLength(8);
  expect(result.meanRegret).toBeLessThan(0.002);
  expect(result.worseShare).toBeLessThan(0.01);
  expect(result.costShare).toBeLessThan(0.4);
  expect(result.tiesCalled).toBeGreaterThan(0.95);
});

it('would notice choices without measurement', async () => {
  const random = seededRandom(1);
  const useless = Float64Array.from({ length: 40_000 }, () => Math.exp(20 * (random() - 0.5)));
  const result = await selectionQuality({ runs: 3, seed: 5, noise: useless });
  expect(result.meanRegret).toBeGreaterThan(0.02);
});
