import { describe, expect, it } from 'vitest';
// The same as `npm run verify:shared-pool`, in small. It throws at the first slot that is handed out twice, refused
// although free, or lost.
import { stress } from '../../../verify/shared-pool/stress.js';

describe('SharedSlabPool under random operations', () => {
  it.each([
    { threads: 2, limit: 24, operations: 300_000, seed: 11 },
    { threads: 4, limit: 24, operations: 300_000, seed: 12 },
    { threads: 4, limit: 700, operations: 200_000, seed: 13 },
  ])('with $threads threads of up to $limit slots', async (options) => {
    const { operations } = await stress(options);
    expect(operations).toBeGreaterThan(0.99 * options.operations);
  });

  it('with threads terminated in the middle', async () => {
    const { operations, terminated } = await stress({
      threads: 3,
      limit: 24,
      operations: 200_000,
      kills: 6,
      seed: 14,
    });
    expect(operations).toBeGreaterThan(100_000);
    expect(terminated).toBe(6);
  });
});
