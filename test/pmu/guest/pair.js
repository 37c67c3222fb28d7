/** Instructions per call beside the time of a comparison: exact on the emulated processor. */
import { countPair } from '../dist/validation/pair-counters.js';
import { assert, spin, test } from './check.js';

await test('a side with twice the iterations counts twice the instructions', async () => {
  const side = (label, iterations) => ({ label, asynchronous: false, call: () => spin(iterations) });
  for (let i = 0; i < 50; i += 1) spin(10);
  const costs = await countPair([side('one', 100_000), side('two', 200_000)], [20, 20], () => {});
  const { baseline, candidate } = costs.find(({ name }) => name === 'instructions');
  console.log(`        ${baseline} and ${candidate}`);
  assert.ok(baseline >= 200_000 && baseline < 200_000 * 1.1, `${baseline}`);
  assert.ok(Math.abs(candidate / baseline - 2) < 0.1, `${candidate / baseline}`);
});
