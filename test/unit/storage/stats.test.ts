import { expect, it } from 'vitest';
import { openStore } from '../../../dist/storage/store.js';
import { comparison, profile, scratch } from './samples.js';

async function filled(path: string) {
  const store = openStore(path);
  await store.saveProfile(
    profile('memory-1', { validation: comparison(0.5), createdAt: '2026-01-01T00:00:00Z' }),
  );
  await store.saveProfile(
    profile('computation-1', {
      type: 'computation',
      subject: { kind: 'computation', name: 'find' },
      validation: comparison(0.125),
      createdAt: '2026-02-01T00:00:00Z',
    }),
  );
  await store.saveProfile(
    profile('memory-2', { validation: comparison(0.01), subject: { kind: 'reference', name: 'records' } }),
  );
  await store.saveProfile(
    profile('thread-1', { type: 'thread', status: 'no_improvement', validation: comparison(1.4) }),
  );
  await store.saveProfile(profile('thread-2', { type: 'thread', status: 'failed', validation: null }));
  return store;
}

it('adds up what this and earlier processes stored', async () => {
  const path = scratch();
  await filled(path);
  const stats = openStore(path).stats();
  expect(stats.total).toBe(5);
  expect(stats.byType).toEqual({ memory: 2, computation: 1, thread: 2 });
  expect(stats.byStatus).toEqual({ applied: 3, no_improvement: 1, inconclusive: 0, failed: 1 });
  expect(stats.timeRange).toEqual({ from: '2026-01-01T00:00:00Z', to: '2026-03-01T12:00:00.000Z' });
});

it('counts gains of what was applied to real subjects, never of reference runs', async () => {
  const stats = (await filled(scratch())).stats();
  expect(stats.referenceRuns).toBe(1);
  expect(stats.gains.count).toBe(2);
  expect(stats.gains.geometricMeanSpeedup).toBeCloseTo(4, 12); // √(2 × 8)
  expect(stats.gains.best).toEqual({
    profileId: 'computation-1',
    subject: 'computation:find',
    speedup: 8,
  });
});

it('filters', async () => {
  const store = await filled(scratch());
  expect(store.stats({ type: 'thread' })).toMatchObject({
    total: 2,
    gains: { count: 0, geometricMeanSpeedup: null, best: null },
  });
  expect(store.stats({ status: 'applied', since: '2026-01-15' }).total).toBe(2);
  expect(store.stats({ since: '2030-01-01' }).timeRange).toBeNull();
});

it('sees at once what another store wrote or removed', async () => {
  const path = scratch();
  const reader = openStore(path);
  expect(reader.stats().total).toBe(0);
  const writer = await filled(path);
  expect(reader.stats().total).toBe(5);
  // Same size, same id: only the content changed.
  await writer.saveProfile(profile('thread-2', { type: 'thread', status: 'failed', validation: null }));
  await writer.saveProfile(profile('memory-1', { validation: comparison(0.2) }));
  expect(reader.stats({ since: '2026-03-01' }).gains.geometricMeanSpeedup).toBeCloseTo(5, 12);
});

it.each([
  [{ type: 'cpu' }, /filter\.type is "cpu"\. Pass one of memory, computation, thread/],
  [{ status: 'great' }, /filter\.status/],
  [{ since: new Date(NaN) }, /filter\.since/],
  [{ kind: 'memory' }, /unknown key "kind"/],
  [{ constructor: 1 }, /unknown key "constructor"/],
  [null, /filter is null/],
])('refuses %j', (filter, pattern) => {
  expect(() => openStore(scratch()).stats(filter as never)).toThrow(pattern);
});
