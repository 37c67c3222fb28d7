/** The constructor's options for the published JSON Schema. What parses them is optimizer.ts. */
import { z } from 'zod';
import { OPTIMIZER_DEFAULTS } from './optimizer.js';

export const optimizerOptionsSchema = z.strictObject({
  storagePath: z
    .string()
    .regex(/^(?=.*\S)[^\0]+$/s)
    .default(OPTIMIZER_DEFAULTS.storagePath)
    .describe('Folder of the store, relative to the working directory.'),
  retention: z
    .strictObject({
      maxAgeDays: z.number().min(0.001).max(36_500).optional(),
      maxDocuments: z.number().int().min(1).max(1_000_000).optional(),
      maxRawProfiles: z.number().int().min(0).max(10_000).optional(),
      maxRawBytes: z
        .number()
        .int()
        .min(0)
        .max(2 ** 40)
        .optional(),
    })
    .default(OPTIMIZER_DEFAULTS.retention)
    .describe('How long stored documents are kept.'),
  budgetMs: z
    .number()
    .min(10)
    .max(86_400_000)
    .default(OPTIMIZER_DEFAULTS.budgetMs)
    .describe('Milliseconds that one optimisation may take, where its call does not say.'),
});
