import { expect, it } from 'vitest';
import { closingLines } from '../../../dist/cli/optimize.js';
import { profile } from '../report/sample.js';

const storage = 'data/optimization';
const inconclusive = profile({ status: 'inconclusive', choice: null });

it('suggests four times the budget and a quieter machine where nothing was decided', () => {
  expect(closingLines([inconclusive], { storage })).toMatch(/--budget 4m\).*does nothing else/);
  expect(closingLines([inconclusive, inconclusive], { storage })).toContain('--budget 8m');
  expect(closingLines([inconclusive, inconclusive], { storage, budgetMs: 10_000 })).toContain('--budget 1m');
});

it('suggests nothing where something was decided', () => {
  const decided = profile({ status: 'no_improvement', choice: null });
  expect(closingLines([inconclusive, decided], { storage })).not.toContain('--budget');
  expect(closingLines([profile()], { storage })).toContain('Put in force');
  expect(closingLines([], { storage })).toBe('Nothing was optimised.');
});
