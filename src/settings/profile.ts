/** Options of `profileSystem`. Imported only when options are parsed: it loads zod. Types import it for free. */
import { z } from 'zod';
import { ProfileType } from '../model/types.js';

export const profileOptionsSchema = z.strictObject({
  type: z.enum(Object.values(ProfileType)).describe('What to look at.'),
  durationMs: z
    .number()
    .min(100)
    .max(86_400_000)
    .default(5_000)
    .describe('Length of the observation in milliseconds.'),
  samplingIntervalUs: z
    .number()
    .int()
    .min(50)
    .max(1_000_000)
    .default(1_000)
    .describe('Microseconds between two samples of the CPU profiler.'),
  allocationIntervalBytes: z
    .number()
    .int()
    .min(256)
    .max(1_073_741_824)
    .default(32_768)
    .describe('Mean bytes between two samples of the allocation profiler.'),
});

/** Options with defaults filled in. */
export type ProfileOptions = z.output<typeof profileOptionsSchema> & { readonly signal?: AbortSignal };

/** What callers write: `type`, and what they want otherwise than by default. */
export type ProfileOptionsInput = z.input<typeof profileOptionsSchema> & { readonly signal?: AbortSignal };
