import { expect, it } from 'vitest';
import { splitCall } from '../../../dist/settings/call.js';
import { parseComputationSettings } from '../../../dist/settings/parse.js';

it('separates options, data and settings, and leaves data untouched', async () => {
  const variants = { binary_search: () => 1, linear_scan: () => 2 };
  const inputs = [[{ order_id: 1 }]];
  const call = splitCall('computation', {
    name: 'find_order',
    variants,
    inputs,
    budget_ms: 900,
    performance_tuning: { search: 'grid' },
  });
  expect(call.options).toEqual({ budgetMs: 900 });
  expect(call.data['variants']).toBe(variants);
  expect(call.data['inputs']).toBe(inputs);
  expect(call.data['name']).toBe('find_order');
  expect((await parseComputationSettings(call.settings)).performanceTuning.search).toBe('grid');
});

it('knows whose data is whose: a job is no key of a memory optimisation', () => {
  expect(splitCall('thread', { job: 1 }).data).toEqual({ job: 1 });
  expect(splitCall('memory', { job: 1 }).settings).toHaveProperty('job');
});

it('without an argument there is nothing', () => {
  expect(splitCall('memory', undefined)).toEqual({ options: {}, data: {}, settings: {} });
});

it.each([
  [null, /is null/],
  [[], /array/],
  [{ subject: '' }, /"subject" is ""/],
  [{ budgetMs: NaN }, /"budgetMs" is NaN/],
  [{ budgetMs: -1 }, /"budgetMs" is -1/],
  [{ budgetMs: 20, budget_ms: 20 }, /given twice/],
  [{ signal: 'stop' }, /"signal" is "stop"/],
])('refuses %j', (argument, pattern) => {
  expect(() => splitCall('memory', argument)).toThrow(pattern);
});

it('hands prototype keys and getters on to the settings parser, which refuses them', async () => {
  const polluting = splitCall('computation', JSON.parse('{"__proto__":{"x":1}}')).settings;
  await expect(parseComputationSettings(polluting)).rejects.toMatchObject({ code: 'UNKNOWN_SETTING' });
  const getter = splitCall('computation', {
    get parallelization(): never {
      throw new Error('was read');
    },
  }).settings;
  await expect(parseComputationSettings(getter)).rejects.toThrow(/a getter/);
});
