import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testCause } from '../../../dist/facade/cause-experiment.js';

const module = join(import.meta.dirname, '../../fixtures/experiment/table.js');
const options = { maxProcesses: 12 };

describe('testCause', () => {
  it('finds a cause that the work goes without, with its place and the measured ratio', async () => {
    const { finding, comparison, conclusion } = await testCause(
      'cache-unfriendly-access',
      { module, export: 'sumInOrder' },
      options,
    );
    expect(comparison).toMatchObject({
      verdict: 'faster',
      baseline: 'in the order of now',
      candidate: 'in the order of memory',
    });
    expect(finding).toMatchObject({
      cause: 'cache-unfriendly-access',
      severity: 'high',
      location: { function: 'sumInOrder', file: module, line: 4 },
      evidence: [{ metric: 'experiment.ratio', value: comparison.ratio, threshold: 0.95 }],
      expectedGain: 1 - comparison.ratio,
    });
    expect(comparison.ratio).toBeLessThan(0.5);
    expect(conclusion).toBe(finding!.title);
  });

  it('has no finding where both ways take as long', async () => {
    const { finding, conclusion } = await testCause(
      'false-sharing',
      { module, export: 'sumEitherWay' },
      options,
    );
    expect(finding).toBeNull();
    expect(conclusion).toMatch(/^(Ruled out: without it the work takes|The measurement could not decide)/);
  });

  it('refuses a cause without an experiment', async () => {
    await expect(testCause('heap-leak' as never, { module, export: 'sumInOrder' })).rejects.toThrow(
      /cause is "heap-leak".*false-sharing, cache-unfriendly-access, lock-contention/s,
    );
  });
});
