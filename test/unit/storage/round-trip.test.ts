import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Action, ActionKind } from '../../../dist/model/recommendation.js';
import { newId } from '../../../dist/storage/ids.js';
import { openStore } from '../../../dist/storage/store.js';
import { profile, recommendation, result, scratch } from './samples.js';

it('gives back what was saved, in this process and the next', async () => {
  const path = join(scratch(), 'data', 'optimization');
  const store = openStore(path);
  const saved = profile('memory-1');
  const run = result('cpu-1');
  await store.saveProfile(saved);
  await store.saveResult(run);
  await store.saveRecommendation(recommendation('recommendation-9', 'cpu-1'));
  for (const reader of [store, openStore(path)]) {
    expect(await reader.get('memory-1')).toEqual(saved);
    expect(await reader.getResult('cpu-1')).toEqual(run);
    expect(await reader.get('recommendation-9')).toEqual(recommendation('recommendation-9', 'cpu-1'));
    expect(await reader.getRecommendation('recommendation-cpu-1')).toEqual(run.recommendations[0]);
    expect(reader.problems()).toEqual([]);
  }
});

it('lays the folder out as documented, with schema version and host in every document', async () => {
  const path = scratch();
  const store = openStore(path);
  await store.saveProfile(profile('memory-1'));
  await store.saveResult(result('cpu-1'));
  await store.setChoice('struct:Order', {
    choice: profile('x').choice!,
    profileId: 'memory-1',
    appliedAt: new Date().toISOString(),
    hostId: 'abc123',
    node: 'v20.19.0',
    library: '0.1.0',
  });
  expect(readdirSync(path).sort()).toEqual([
    'analysis',
    'config.json',
    'index.json',
    'metrics',
    'profiles',
    'recommendations',
    'results',
  ]);
  for (const file of [
    'profiles/memory-1.json',
    'results/cpu-1.json',
    'analysis/cpu-1.json',
    'recommendations/recommendation-cpu-1.json',
    'config.json',
  ]) {
    const document = JSON.parse(readFileSync(join(path, file), 'utf8'));
    expect(document.schemaVersion, file).toBe(1);
    expect(document.hostId, file).toMatch(/./);
  }
  const lines = readFileSync(join(path, 'metrics/2026-03-01.ndjson'), 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      resultId: 'cpu-1',
      hostId: 'abc123',
      at: '2026-03-01T12:00:00.000Z',
      atMs: 0,
      values: { 'eventLoop.utilization': 0.3 },
    },
    {
      resultId: 'cpu-1',
      hostId: 'abc123',
      at: '2026-03-01T12:00:01.000Z',
      atMs: 1000,
      values: { 'eventLoop.utilization': 0.5 },
    },
    {
      resultId: 'cpu-1',
      hostId: 'abc123',
      at: '2026-03-01T12:00:00.000Z',
      values: { 'eventLoop.utilization': 0.4 },
    },
  ]);
});

it('saving again replaces, and does not repeat the time series', async () => {
  const path = scratch();
  const store = openStore(path);
  await store.saveResult(result('cpu-1'));
  await store.saveResult(result('cpu-1', { warnings: ['changed'] }));
  await store.saveRecommendation({
    ...recommendation('recommendation-cpu-1', 'cpu-1'),
    outcome: { status: 'applied', profileId: 'memory-1', appliedAt: '2026-03-01T12:00:00.000Z', ratio: 0.5 },
  });
  const read = await store.getResult('cpu-1');
  expect(read.warnings).toEqual(['changed']);
  expect(read.timeline).toHaveLength(2);
  expect(read.recommendations[0]?.outcome?.status).toBe('applied');
  expect(store.list({ kind: 'result' })).toHaveLength(1);
});

it('reading a store that does not exist gives nothing and makes nothing', () => {
  const path = join(scratch(), 'none');
  const store = openStore(path);
  expect(store.list({ kind: 'profile' })).toEqual([]);
  expect(store.stats().total).toBe(0);
  expect(store.config()).toBeNull();
  expect(store.problems()).toEqual([]);
  expect(existsSync(path)).toBe(false);
});

it('lists newest first, filtered', async () => {
  const store = openStore(scratch());
  for (let day = 1; day <= 4; day += 1) {
    await store.saveProfile(
      profile(`memory-${day}`, {
        createdAt: `2026-03-0${day}T00:00:00.000Z`,
        status: day % 2 === 0 ? 'applied' : 'inconclusive',
      }),
    );
  }
  await store.saveProfile(profile('thread-1', { type: 'thread', createdAt: '2026-03-09T00:00:00.000Z' }));
  const ids = (filter: object) => store.list({ kind: 'profile', ...filter }).map(({ id }) => id);
  expect(ids({})).toEqual(['thread-1', 'memory-4', 'memory-3', 'memory-2', 'memory-1']);
  expect(ids({ type: 'memory', limit: 2 })).toEqual(['memory-4', 'memory-3']);
  expect(ids({ status: 'inconclusive' })).toEqual(['memory-3', 'memory-1']);
  expect(ids({ since: new Date('2026-03-03T00:00:00Z') })).toEqual(['thread-1', 'memory-4', 'memory-3']);
  expect(store.list({ kind: 'recommendation' })).toEqual([]);
  expect(() => ids({ since: 'yesterday' })).toThrow(/ISO 8601/);
  expect(() => ids({ limit: -1 })).toThrow(/limit is -1/);
  expect(() => store.list({ kind: 'secret' as never })).toThrow(/one of profile, result/);
});

it('makes ids that sort by time', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 50; i += 1) ids.push(await newId('memory'));
  expect([...ids].sort()).toEqual(ids);
  expect(ids[0]).toMatch(/^memory-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  await expect(newId('../x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

/** By the compiler one of every kind: a kind that the store does not know would cost the whole result. */
const ACTIONS: { readonly [K in ActionKind]: Extract<Action, { kind: K }> } = {
  'optimize-memory': { kind: 'optimize-memory', settings: {}, subject: 'Order' },
  'optimize-computation': { kind: 'optimize-computation' },
  'optimize-threads': { kind: 'optimize-threads', subject: 'render' },
  'runtime-flag': { kind: 'runtime-flag', flag: '--max-semi-space-size=64' },
  environment: { kind: 'environment', variable: 'UV_THREADPOOL_SIZE', value: '8' },
  experiment: {
    kind: 'experiment',
    cause: 'false-sharing',
    rationale: 'Open.',
    export: 'count',
    template: 'export function count() {}',
  },
  'code-change': { kind: 'code-change', summary: 'Less.', before: 'a', after: 'b', guide: 'docs/x.md' },
};

it.each(Object.values(ACTIONS))('keeps a recommendation whose action is $kind', async (action) => {
  const store = openStore(scratch());
  const kept = { ...recommendation('recommendation-9', 'cpu-1'), action };
  await store.saveRecommendation(kept);
  expect(await store.getRecommendation('recommendation-9')).toEqual(kept);
});
