/** Settings of `optimizeComputation`. Imported only when settings are parsed: it loads zod. Types import it for free. */
import { z } from 'zod';
import { group, tree } from './group.js';

export const computationSettingsSchema = tree(
  {
    algorithmOptimization: group(
      {
        selection: z
          .enum(['race', 'fixed'])
          .default('race')
          .describe(
            'race measures the variants against each other and picks; fixed picks the last one and only proves it ' +
              'against the choice in force.',
          ),
        crossover: z
          .boolean()
          .default(true)
          .describe('Whether different input sizes may get different variants. False: one variant for all.'),
      },
      {},
      { selection: 'fixed' },
    ).prefault(true),
    parallelization: group(
      {
        strategy: z
          .enum(['auto', 'serial', 'threads', 'native'])
          .default('auto')
          .describe('Which variants take part, by how they execute; auto takes all.'),
        maxThreads: z
          .number()
          .int()
          .min(1)
          .max(1024)
          .optional()
          .describe('Variants that say they use more threads than this are left out.'),
      },
      {},
      { strategy: 'serial' },
    ).prefault(true),
    resourceUtilization: group(
      {
        objective: z
          .enum(['time', 'p99', 'memory', 'cpu', 'weighted'])
          .default('time')
          .describe(
            'What is minimised: median time, 99th percentile of time, bytes allocated, or CPU time, per call; or ' +
              'their geometric mean by `weights`.',
          ),
        weights: z
          .strictObject({
            time: z.number().min(0).max(1e6).optional().describe('Weight of the median time.'),
            p99: z.number().min(0).max(1e6).optional().describe('Weight of the 99th percentile of time.'),
            memory: z.number().min(0).max(1e6).optional().describe('Weight of the bytes allocated.'),
            cpu: z.number().min(0).max(1e6).optional().describe('Weight of the CPU time.'),
          })
          .refine(
            (weights) => Object.values(weights).some((weight) => (weight ?? 0) > 0),
            'an object with one weight above 0',
          )
          .optional()
          .describe('Exponents of the costs for the objective weighted; one above 0 at least.'),
        maxMemoryBytes: z
          .number()
          .int()
          .min(1)
          .max(Number.MAX_SAFE_INTEGER)
          .optional()
          .describe('Variants that allocate more bytes than this in one call are left out.'),
      },
      {},
      {},
    ).prefault(true),
    performanceTuning: group(
      {
        search: z
          .enum(['successive_halving', 'grid', 'random'])
          .default('successive_halving')
          .describe(
            'How the measuring time is spread: more and more on those that are left, evenly over all variants and ' +
              'sizes, or on sizes drawn at random; and how parameters are searched: samples that are halved and ' +
              'refined, the whole grid, or samples that all get the same time.',
          ),
        budgetMs: z
          .number()
          .min(10)
          .max(86_400_000)
          .optional()
          .describe('Milliseconds for the search, within the budget of the whole optimisation.'),
        seed: z
          .number()
          .int()
          .min(0)
          .max(4_294_967_295)
          .default(1)
          .describe('Seed of every random draw: orders, sampled parameters, sizes. Times vary all the same.'),
      },
      {},
      {},
    ).prefault(true),
  },
  {},
);

/** Canonical settings: camelCase, defaults filled in. All groups are present. */
export type ComputationSettings = z.output<typeof computationSettingsSchema>;

/** What callers write: every key optional, `true` for a group's defaults. */
export type ComputationSettingsInput = z.input<typeof computationSettingsSchema>;
