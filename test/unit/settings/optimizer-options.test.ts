import { expect, it } from 'vitest';
import { optimizerOptionsSchema } from '../../../dist/settings/optimizer-schema.js';
import { parseOptimizerOptions } from '../../../dist/settings/optimizer.js';

it('fills in defaults and reads both spellings', () => {
  expect(parseOptimizerOptions()).toEqual({
    storagePath: 'data/optimization',
    retention: { maxDocuments: 1000 },
    budgetMs: 60_000,
  });
  expect(parseOptimizerOptions({ storage_path: 'x', retention: { max_age_days: 7 } })).toEqual({
    storagePath: 'x',
    retention: { maxAgeDays: 7 },
    budgetMs: 60_000,
  });
});

it.each([
  [{ storagePat: 'x' }, /"storagePat"\. Did you mean "storagePath"/],
  [{ retention: { maxAge: 1 } }, /"retention\.maxAge"/],
  [{ storage_path: 7 }, /"storage_path" is 7/],
  [null, /is null/],
])('names what is wrong in %j', (input, pattern) => {
  expect(() => parseOptimizerOptions(input)).toThrow(pattern);
});

// The hand-written check and the published schema describe one thing: hold them against each other.
it.each([
  {},
  { storagePath: 'a' },
  { storagePath: '' },
  { storagePath: '  ' },
  { storagePath: 'a\0b' },
  { storagePath: 'a\nb' },
  { storagePath: null },
  { budgetMs: 10 },
  { budgetMs: 9.99 },
  { budgetMs: 86_400_001 },
  { budgetMs: NaN },
  { budgetMs: '10' },
  { retention: {} },
  { retention: [] },
  { retention: true },
  { retention: { maxAgeDays: 0.5, maxDocuments: 3 } },
  { retention: { maxAgeDays: 0 } },
  { retention: { maxAgeDays: 36_501 } },
  { retention: { maxDocuments: 1.5 } },
  { retention: { maxDocuments: 0 } },
  { retention: { maxDocuments: 1_000_001 } },
  { retention: { maxRawProfiles: 0, maxRawBytes: 0 } },
  { retention: { maxRawProfiles: -1 } },
  { retention: { maxRawProfiles: 1.5 } },
  { retention: { maxRawBytes: 2 ** 41 } },
  { retention: { other: 1 } },
  { other: 1 },
])('the check and the published schema agree on %j', (input) => {
  const expected = optimizerOptionsSchema.safeParse(input);
  if (expected.success) expect(parseOptimizerOptions(input)).toEqual(expected.data);
  else expect(() => parseOptimizerOptions(input)).toThrow();
});
