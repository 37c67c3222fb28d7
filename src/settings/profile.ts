/** Options of `profileSystem`. Imported only when options are parsed: it loads zod. Types import it for free. */
import { z } from 'zod';
import { MAX_PROFILE_MS, MIN_PROFILE_MS } from '../model/profiling-result.js';
import { ProfileType } from '../model/types.js';

export const profileOptionsSchema = z.strictObject({
  type: z.enum(Object.values(ProfileType)).describe('What to look at.'),
  durationMs: z
    .number()
    .min(MIN_PROFILE_MS)
    .max(MAX_PROFILE_MS)
    .default(5_000)
    .describe('Length of the observation in milliseconds, 10 to ten minutes; below 100 nothing is judged.'),
  samplingIntervalUs: z
    .number()
    .int()
    .min(100)
    .max(1_000_000)
    .optional()
    .describe('Microseconds between two samples of the CPU profiler: 2,500 for cpu and thread, else 5,000.'),
  maxFunctions: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('Functions, operations and allocation sites to keep, hottest first: 100.'),
  retainers: z
    .boolean()
    .optional()
    .describe(
      'For memory: tell what kept objects hang on, by two heap snapshots that stop the program for some seconds per 50 MB of heap.',
    ),
});

/** Options with defaults filled in. */
export interface ProfileOptions {
  readonly type: ProfileType;
  readonly durationMs: number;
  readonly samplingIntervalUs?: number;
  readonly maxFunctions?: number;
  readonly retainers?: boolean;
  readonly signal?: AbortSignal;
}

/** What callers write: `type`, and what they want otherwise than by default. */
export type ProfileOptionsInput = z.input<typeof profileOptionsSchema> & { readonly signal?: AbortSignal };
