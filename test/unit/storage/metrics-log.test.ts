import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../../dist/storage/store.js';
import { result, scratch } from './samples.js';

const DAY = '2026-03-01';

it('a torn last line is skipped and reported, and costs the next writer nothing', async () => {
  const path = scratch();
  const store = openStore(path);
  await store.saveResult(result('cpu-1'));
  const file = join(path, 'metrics', `${DAY}.ndjson`);
  appendFileSync(file, '{"resultId":"cpu-1","at":"2026-03-01T12:00:0');
  expect(await store.metrics(DAY)).toHaveLength(3);
  expect(store.problems()).toEqual([expect.stringMatching(/line 4 was skipped.*writer stopped/)]);
  await store.saveResult(result('cpu-2'));
  expect(await store.metrics(DAY)).toHaveLength(6);
  expect((await store.getResult('cpu-2')).timeline).toEqual(result('cpu-2').timeline);
});

it('lines that are no points are skipped and named by number', async () => {
  const path = scratch();
  const store = openStore(path);
  await store.saveResult(result('cpu-1'));
  const file = join(path, 'metrics', `${DAY}.ndjson`);
  writeFileSync(file, `null\n7\n\n{"resultId":1}\n${readFileSync(file, 'utf8')}`);
  expect(await store.metrics(DAY)).toHaveLength(3);
  expect(store.problems()).toHaveLength(3);
  expect(store.problems()[2]).toMatch(/line 4 /);
});

it('leaves out figures that are none, instead of storing null', async () => {
  const path = scratch();
  const store = openStore(path);
  await store.saveResult(result('cpu-1', { timeline: [{ atMs: 1, values: { a: NaN, b: 2, c: Infinity } }] }));
  expect((await store.getResult('cpu-1')).timeline).toEqual([{ atMs: 1, values: { b: 2 } }]);
});

it('a time line that was written twice, as by an exit during a write, is read once', async () => {
  const path = scratch();
  const store = openStore(path);
  const stored = result('cpu-1');
  await store.saveResult(stored);
  const before = await store.metrics(DAY);
  const file = join(path, 'metrics', `${DAY}.ndjson`);
  appendFileSync(file, readFileSync(file));
  expect((await store.metrics(DAY)).map(({ atMs }) => atMs)).toEqual(before.map(({ atMs }) => atMs));
  const { timeline } = await store.getResult('cpu-1');
  expect(timeline.length).toBeGreaterThan(0);
  expect(timeline).toEqual(stored.timeline);
});

it('a day without metrics has none; a path is no day', async () => {
  const store = openStore(scratch());
  expect(await store.metrics('2020-01-01')).toEqual([]);
  await expect(store.metrics('../../x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
