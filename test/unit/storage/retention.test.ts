import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../../dist/storage/store.js';
import { profile, result, scratch } from './samples.js';

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
const ids = (store: ReturnType<typeof openStore>) => store.list({ kind: 'profile' }).map(({ id }) => id);

it('removes by age', async () => {
  const path = scratch();
  await openStore(path).saveProfile(profile('memory-1', { createdAt: daysAgo(10) }));
  await openStore(path).saveProfile(profile('memory-2', { createdAt: daysAgo(1) }));
  const store = openStore(path, { retention: { maxAgeDays: 5 } });
  expect(ids(store)).toEqual(['memory-2', 'memory-1']); // opening and reading removes nothing
  await store.saveProfile(profile('memory-3', { createdAt: daysAgo(0) }));
  expect(ids(store)).toEqual(['memory-3', 'memory-2']);
});

it('removes by count, the oldest first, but never what is in force', async () => {
  const path = scratch();
  const store = openStore(path, { retention: { maxDocuments: 2 } });
  await store.saveProfile(profile('memory-1', { createdAt: daysAgo(9) }));
  await store.setChoice('struct:Order', {
    choice: profile('x').choice!,
    profileId: 'memory-1',
    appliedAt: daysAgo(9),
    hostId: 'abc123',
    node: 'v20.19.0',
    library: '0.1.0',
  });
  for (const n of [5, 2, 4, 3]) {
    await store.saveProfile(profile(`memory-${n}`, { createdAt: daysAgo(9 - n) }));
  }
  expect(ids(store)).toEqual(['memory-5', 'memory-4', 'memory-1']);
});

it('a result takes its parts with it, and its day the metrics', async () => {
  const path = scratch();
  const store = openStore(path, { retention: { maxDocuments: 2 } });
  const days = [6, 5, 5, 4].map(daysAgo);
  for (const [i, createdAt] of days.entries()) await store.saveResult(result(`cpu-${i}`, { createdAt }));
  expect(readdirSync(join(path, 'results')).sort()).toEqual(['cpu-2.json', 'cpu-3.json']);
  expect(readdirSync(join(path, 'analysis')).sort()).toEqual(['cpu-2.json', 'cpu-3.json']);
  expect(readdirSync(join(path, 'recommendations')).sort()).toEqual([
    'recommendation-cpu-2.json',
    'recommendation-cpu-3.json',
  ]);
  expect(readdirSync(join(path, 'metrics'))).toEqual([5, 4].map((n) => `${daysAgo(n).slice(0, 10)}.ndjson`));
  expect((await store.getResult('cpu-2')).timeline).toHaveLength(2);
});
