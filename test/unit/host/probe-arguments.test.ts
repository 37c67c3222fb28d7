import { expect, it } from 'vitest';
import { probeHost } from '../../../dist/host/probe.js';

it.each([
  [5],
  [null],
  [{ budgetMs: '1000' }],
  [{ budgetMs: NaN }],
  [{ budgetMs: -1 }],
  [{ budgetMs: 2 ** 40 }],
  [{ budgetMs: 100, signal: 5 }],
  [{ budget: 1000 }],
  [[1000]],
])('refuses %j as options', async (options) => {
  await expect(probeHost(options as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
