/** Settings of `optimizeThreads`. Imported only when settings are parsed: it loads zod. Types import it for free. */
import { z } from 'zod';
import { group, tree } from './group.js';

export const threadSettingsSchema = tree(
  {
    workloadDistribution: group(
      {
        taskPartitioning: group(
          {
            granularityControl: z
              .enum(['adaptive', 'static', 'guided'])
              .default('adaptive')
              .describe(
                'Size of the chunks that a range is cut into: found while it runs, equal, or shrinking towards the end.',
              ),
            loadBalancing: z
              .enum(['work_stealing', 'shared_counter', 'static'])
              .default('work_stealing')
              .describe(
                'How idle threads get work: from the ranges of others, from one shared counter, or not at all.',
              ),
            threadAffinity: z
              .enum(['numa_aware', 'compact', 'scatter', 'none'])
              .default('none')
              .describe('Which CPUs the threads are pinned to; none leaves it to the system.'),
          },
          {},
        ).optional(),
      },
      { taskPartitioning: true },
    ).optional(),
    maxThreads: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe('Most threads that a job may use. By default as many as this process has CPUs.'),
  },
  { workloadDistribution: true },
);

/** Canonical settings: camelCase, defaults filled in. A group that is absent was not asked for. */
export type ThreadSettings = z.output<typeof threadSettingsSchema>;

/** What callers write: every key optional, `true` for a group's defaults. */
export type ThreadSettingsInput = z.input<typeof threadSettingsSchema>;
