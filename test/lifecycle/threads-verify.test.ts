import { expect, it } from 'vitest';
import { stress } from '../verify/threads.js';

it.each([1, 2])('settles every task once, among cancels and deaths (seed %i)', async (seed) => {
  const outcomes: Record<string, number> = await stress({
    tasks: 30_000,
    seed,
    threads: 3,
    deathRate: 0.0005,
  });
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(30_000);
  expect(outcomes['ABORTED']).toBeGreaterThan(0);
  expect(outcomes['WORKER_DIED']).toBeGreaterThan(0);
});
