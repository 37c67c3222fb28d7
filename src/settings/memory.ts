/** Settings of `optimizeMemory`. Imported only when settings are parsed: it loads zod. Types import it for free. */
import { z } from 'zod';
import { group, tree } from './group.js';

const sizeMiB = z.number().int().min(1).max(1_048_576);

export const memorySettingsSchema = tree(
  {
    cacheOptimization: group(
      {
        dataAlignment: group(
          {
            structPacking: z
              .enum(['minimal_padding', 'cache_line', 'declared'])
              .default('minimal_padding')
              .describe(
                'Order and padding of the fields of a record: smallest size; no field across a cache line, each ' +
                  'record padded so that none straddles; or the order in which they were declared.',
              ),
            cacheLineOptimization: z
              .literal([64, 128])
              .default(64)
              .describe(
                'Bytes of the cache line that layouts are made for (128 where lines are fetched in pairs).',
              ),
            memoryAccessPatterns: z
              .enum(['sequential_access', 'random_access'])
              .optional()
              .describe('How records are mostly visited. Left out, nothing is assumed about it.'),
          },
          {},
        ).optional(),
        cacheLocality: group(
          {
            spatialLocality: group(
              {
                arrayTraversal: z
                  .literal('stride_optimization')
                  .optional()
                  .describe(
                    'Measures records against columns for loops that visit few fields of many records.',
                  ),
                dataClustering: z
                  .literal('proximity_based')
                  .optional()
                  .describe('Alias: fields that are used together come first, on the fewest cache lines.'),
              },
              { arrayTraversal: 'stride_optimization', dataClustering: 'proximity_based' },
            ).optional(),
            temporalLocality: group(
              {
                dataReuse: z
                  .literal('loop_fusion')
                  .optional()
                  .describe('Measures one pass over the records against one pass per field.'),
                variableLifetime: z
                  .literal('scope_minimization')
                  .optional()
                  .describe(
                    'Alias for arena scoping: temporaries live in an arena that is reset as a whole.',
                  ),
              },
              { dataReuse: 'loop_fusion', variableLifetime: 'scope_minimization' },
            ).optional(),
          },
          { spatialLocality: true, temporalLocality: true },
        ).optional(),
      },
      { dataAlignment: true, cacheLocality: true },
    ).optional(),
    memoryAllocation: group(
      {
        poolingStrategy: group(
          {
            objectPools: z
              .literal('configurable')
              .optional()
              .describe('Measures slab pools of several configurations against fresh allocation.'),
            arenaAllocation: z
              .literal('thread_local')
              .optional()
              .describe('Measures an arena per thread, reset as a whole, against fresh allocation.'),
            fragmentationPrevention: z
              .literal('buddy_system')
              .optional()
              .describe('Measures a buddy allocator for blocks of mixed sizes.'),
          },
          {
            objectPools: 'configurable',
            arenaAllocation: 'thread_local',
            fragmentationPrevention: 'buddy_system',
          },
        ).optional(),
      },
      { poolingStrategy: true },
    ).optional(),
    runtime: group(
      {
        youngGeneration: z
          .union([z.boolean(), sizeMiB])
          .default(false)
          .describe(
            'Semi-space size of V8 to try, in MiB; true tries the usual sizes. Needs a program to start.',
          ),
        oldGeneration: z
          .union([z.boolean(), sizeMiB])
          .default(false)
          .describe(
            'Old-generation limit of V8 to try, in MiB; true tries the usual sizes. Needs a program to start.',
          ),
      },
      { youngGeneration: true, oldGeneration: true },
    ).optional(),
  },
  { cacheOptimization: true, memoryAllocation: true },
);

/** Canonical settings: camelCase, defaults filled in. A group that is absent was not asked for. */
export type MemorySettings = z.output<typeof memorySettingsSchema>;

/** What callers write: every key optional, `true` for a group's defaults. */
export type MemorySettingsInput = z.input<typeof memorySettingsSchema>;
