import { describe, expect, it } from 'vitest';
import {
  parseComputationSettings,
  parseMemorySettings,
  parseProfileOptions,
  parseThreadSettings,
} from '../../../dist/settings/parse.js';

describe('groups', () => {
  it('an empty tree asks for everything that needs no program to start', async () => {
    const settings = await parseMemorySettings({});
    expect(Object.keys(settings)).toEqual(['cacheOptimization', 'memoryAllocation']);
    expect(settings).toEqual(await parseMemorySettings(undefined));
    expect(settings).toEqual(await parseMemorySettings({ cacheOptimization: true, memoryAllocation: {} }));
  });

  it('true asks for the defaults of the group, an object for what it names', async () => {
    expect(
      (await parseMemorySettings({ cacheOptimization: { dataAlignment: true } })).cacheOptimization,
    ).toEqual({ dataAlignment: { structPacking: 'minimal_padding', cacheLineOptimization: 64 } });
    const named = await parseMemorySettings({
      memoryAllocation: { poolingStrategy: { arenaAllocation: 'thread_local' } },
    });
    expect(named).toEqual({ memoryAllocation: { poolingStrategy: { arenaAllocation: 'thread_local' } } });
  });

  it('false leaves the group out', async () => {
    expect(await parseMemorySettings({ cacheOptimization: false, runtime: true })).toEqual({
      runtime: { youngGeneration: true, oldGeneration: true },
    });
    expect(await parseThreadSettings({ workloadDistribution: false })).toEqual({});
  });

  it('computation settings are always complete; false means serial and fixed', async () => {
    expect(await parseComputationSettings({})).toEqual({
      algorithmOptimization: { selection: 'race', crossover: true },
      parallelization: { strategy: 'auto' },
      resourceUtilization: { objective: 'time' },
      performanceTuning: { search: 'successive_halving', seed: 1 },
    });
    expect(
      await parseComputationSettings({ parallelization: false, algorithmOptimization: false }),
    ).toMatchObject({
      parallelization: { strategy: 'serial' },
      algorithmOptimization: { selection: 'fixed', crossover: true },
    });
  });
});

it('profile options get defaults and keep the very signal', async () => {
  const { signal } = new AbortController();
  const options = await parseProfileOptions({ type: 'memory', signal });
  expect(options.signal).toBe(signal);
  expect(options).toMatchObject({
    type: 'memory',
    durationMs: 5000,
  });
});
