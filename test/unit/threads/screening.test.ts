import { describe, expect, it } from 'vitest';
import { screen } from '../../../dist/threads/screening.js';

const choice = (threads: number) =>
  ({ kind: 'thread', threads, schedule: 'stealing', grain: null, affinity: 'none' }) as const;
const busy = (ms: number) => async () => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};
const quiet = { budgetMs: 200, throwIfAborted: () => {}, onRound: () => {} };

describe('screen', () => {
  it('puts what is far faster first', async () => {
    const standings = await screen({
      ...quiet,
      present: { choice: choice(1), run: busy(2) },
      rivals: [
        { choice: choice(2), run: busy(8) },
        { choice: choice(3), run: busy(0.2) },
        { choice: choice(4), run: busy(6) },
      ],
    });
    expect(standings[0]!.choice.threads).toBe(3);
    expect(standings[0]!.ratio).toBeLessThan(1);
    expect(standings).toHaveLength(3);
  });
  it('runs three rounds whatever the budget', async () => {
    const standings = await screen({
      ...quiet,
      budgetMs: 0,
      present: { choice: choice(1), run: busy(0.1) },
      rivals: [{ choice: choice(2), run: busy(0.1) }],
    });
    expect(standings[0]!.rounds).toBe(3);
  });
  it('stops where it is told to', async () => {
    let rounds = 0;
    const screening = screen({
      ...quiet,
      throwIfAborted: () => {
        if (rounds > 1) throw new Error('stop');
      },
      onRound: () => (rounds += 1),
      present: { choice: choice(1), run: busy(0.1) },
      rivals: [{ choice: choice(2), run: busy(0.1) }],
    });
    await expect(screening).rejects.toThrow('stop');
  });
});
