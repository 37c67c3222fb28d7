import { describe, expect, it } from 'vitest';
import { runExperiment } from '../../../dist/validation/experiment.js';
import { resolveOptions } from '../../../dist/validation/options.js';

/** An experiment whose replicates are given. */
async function outcomeOf(ratios: readonly number[], more: Record<string, unknown> = {}, options = {}) {
  let closed = 0;
  const { comparison } = await runExperiment(
    {
      form: 'fresh-processes',
      labels: ['old', 'new'],
      replicateName: 'processes',
      unit: 'ns',
      warnings: [],
      replicate: async (index) => ({
        logRatio: Math.log(ratios[index]!),
        pairs: 10,
        baselineCost: 100,
        candidateCost: 100 * ratios[index]!,
        costs: [
          { name: 'allocated', unit: 'bytes', baseline: 64, candidate: 32 },
          { name: 'gc pause', unit: 'ns', baseline: 0, candidate: index },
        ],
        flags: [],
        ...more,
      }),
      close: async () => void (closed += 1),
    },
    resolveOptions({ maxProcesses: ratios.length, ...options }, 'other'),
  );
  expect(closed).toBe(1);
  return comparison;
}

const steady = (ratio: number, count = 30) =>
  Array.from({ length: count }, (_, i) => ratio * (1 + (i % 2 ? 1 : -1) * 0.002));

describe('runExperiment', () => {
  it('stops at the first look that is clear, after four replicates at the earliest', async () => {
    const clear = await outcomeOf(steady(0.5));
    expect(clear).toMatchObject({ verdict: 'faster', processes: 4, pairs: 40 });
    const same = await outcomeOf(steady(1));
    expect(same).toMatchObject({ verdict: 'equivalent', processes: 4 });
  });

  it('goes on to the cap where nothing becomes clear', async () => {
    const noisy = Array.from({ length: 9 }, (_, i) => (i % 2 ? 1.1 : 0.9));
    const result = await outcomeOf(noisy);
    expect(result).toMatchObject({ verdict: 'inconclusive', processes: 9 });
    const needed = result.replicatesNeeded!.map(({ replicates }) => replicates);
    expect(needed[3]).toBeLessThan(needed[2]!);
  });

  it('calls a cost exact only where every replicate gave the same', async () => {
    const { costs } = await outcomeOf(steady(0.9));
    expect(costs[0]).toMatchObject({
      name: 'allocated',
      baseline: 64,
      candidate: 32,
      ratio: 0.5,
      exact: true,
    });
    expect(costs[0]!.interval).toEqual([0.5, 0.5]);
    expect(costs[1]).toMatchObject({ name: 'gc pause', baseline: 0, exact: false });
    expect(costs[1]).not.toHaveProperty('ratio');
  });

  it('warns where processes fall into groups, and not for one outlier', async () => {
    const groups = await outcomeOf([0.2, 5, 0.21, 5.1, 0.2, 4.9]);
    expect(groups.warnings.join()).toMatch(/falls into groups \(0\.2 to 5\.1\)/);
    const outlier = await outcomeOf([1, 1.3, 1.01, 0.99, 1, 1.01]);
    expect(outlier.warnings).toEqual([]);
  });

  it.each([
    ['timer-too-coarse', /clock of this host is too coarse/],
    ['bimodal', /two groups/],
    ['not-steady', /did not become steady/],
    ['failed-requests', /requests of a block failed/],
    ['dead-code:1', /^new costs no more than an empty call/],
  ])('turns the flag %s into a warning', async (flag, expected) => {
    const { warnings } = await outcomeOf(steady(0.9), { flags: [flag] });
    expect(warnings).toEqual([expect.stringMatching(expected)]);
  });

  it('ends what it started when a replicate throws', async () => {
    let closed = false;
    const failing = runExperiment(
      {
        form: 'commands',
        labels: ['a', 'b'],
        replicateName: 'runs',
        unit: 'ms',
        warnings: [],
        replicate: async () => {
          throw new Error('broken');
        },
        close: async () => void (closed = true),
      },
      resolveOptions({}, 'other'),
    );
    await expect(failing).rejects.toThrow('broken');
    expect(closed).toBe(true);
  });
});
