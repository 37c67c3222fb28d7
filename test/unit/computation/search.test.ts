import { expect, it } from 'vitest';
import { Race } from '../../../dist/computation/race.js';
import { seededRandom } from '../../../dist/computation/random.js';
import { search } from '../../../dist/computation/search.js';

it.each(['random', 'grid', 'successive_halving'] as const)(
  '%s spends no time on a race in which all threw',
  async (strategy) => {
    let nowMs = 0;
    const now = () => {
      nowMs += 0.01;
      return nowMs;
    };
    const thrower = (name: string) => ({
      name,
      warmUp: async () => {},
      sample: (): number => {
        throw new Error('socket hang up');
      },
    });
    const race = new Race([thrower('a'), thrower('b')], {
      random: seededRandom(1),
      now,
      breathe: async () => {},
    });
    let draws = 0;
    const progress = () => {
      draws += 1;
    };
    await search([race], { strategy, budgetMs: 1_000, random: seededRandom(2), now, progress });
    expect(race.failures.map(({ variant }) => variant).sort()).toEqual(['a', 'b']);
    expect(race.rounds).toBe(1);
    expect(draws).toBeLessThan(2);
  },
);
