import { expect, it } from 'vitest';
import {
  parseComputationSettings,
  parseMemorySettings,
  parseProfileOptions,
  parseThreadSettings,
} from '../../../dist/settings/parse.js';

it('reads a snake_case tree as the camelCase tree, at every depth', async () => {
  const camel = await parseMemorySettings({
    cacheOptimization: {
      dataAlignment: { structPacking: 'cache_line', cacheLineOptimization: 128 },
      cacheLocality: { temporalLocality: { variableLifetime: 'scope_minimization' } },
    },
    runtime: { youngGeneration: 64 },
  });
  const snake = await parseMemorySettings({
    cache_optimization: {
      data_alignment: { struct_packing: 'cache_line', cache_line_optimization: 128 },
      cache_locality: { temporal_locality: { variable_lifetime: 'scope_minimization' } },
    },
    runtime: { young_generation: 64 },
  });
  expect(snake).toEqual(camel);
  expect(camel.cacheOptimization?.dataAlignment?.structPacking).toBe('cache_line');
});

it('reads both spellings mixed in one tree', async () => {
  expect(
    await parseThreadSettings({
      workload_distribution: { taskPartitioning: { thread_affinity: 'scatter' } },
    }),
  ).toEqual({
    workloadDistribution: {
      taskPartitioning: {
        granularityControl: 'adaptive',
        loadBalancing: 'work_stealing',
        threadAffinity: 'scatter',
      },
    },
  });
  expect(await parseProfileOptions({ type: 'cpu', duration_ms: 250 })).toMatchObject({ durationMs: 250 });
});

it('refuses both spellings of one key, whatever their values', async () => {
  await expect(
    parseComputationSettings({ performanceTuning: true, performance_tuning: true }),
  ).rejects.toMatchObject({
    code: 'INVALID_SETTING',
    message: expect.stringMatching(/given twice, as "performanceTuning" and "performance_tuning"/),
  });
});
