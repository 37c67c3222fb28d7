import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../../dist/storage/store.js';
import { result, scratch } from './samples.js';

const profileOf = (bytes: number) => ({ nodes: [], text: 'x'.repeat(bytes) });
const kept = (path: string) => readdirSync(join(path, 'raw')).sort();

it('keeps V8’s own profile as other tools read it', async () => {
  const path = scratch();
  const store = openStore(path);
  expect(await store.rawProfile('cpu-1', 'cpuprofile')).toBeUndefined();
  expect(await store.saveRawProfile('cpu-1', 'cpuprofile', profileOf(3))).toBe(true);
  expect(JSON.parse((await store.rawProfile('cpu-1', 'cpuprofile'))!)).toEqual(profileOf(3));
  expect(await store.rawProfile('cpu-1', 'heapprofile')).toBeUndefined();
  expect(kept(path)).toEqual(['cpu-1.cpuprofile']);
});

it('removes the oldest that are too many', async () => {
  const path = scratch();
  const store = openStore(path, { retention: { maxRawProfiles: 3 } });
  for (let n = 1; n <= 5; n += 1) {
    await store.saveRawProfile(`cpu-${n}`, 'cpuprofile', profileOf(10));
    // Files of one millisecond are told apart by their names alone.
    utimesSync(join(path, 'raw', `cpu-${n}.cpuprofile`), n, n);
  }
  await store.saveRawProfile('memory-6', 'heapprofile', profileOf(10));
  expect(kept(path)).toEqual(['cpu-4.cpuprofile', 'cpu-5.cpuprofile', 'memory-6.heapprofile']);
});

it('keeps within their size together, and leaves other files alone', async () => {
  const path = scratch();
  mkdirSync(join(path, 'raw'), { recursive: true });
  writeFileSync(join(path, 'raw', 'notes.txt'), 'x'.repeat(5000));
  const store = openStore(path, { retention: { maxRawBytes: 2500 } });
  for (let n = 1; n <= 4; n += 1) {
    await store.saveRawProfile(`cpu-${n}`, 'cpuprofile', profileOf(1000));
    utimesSync(join(path, 'raw', `cpu-${n}.cpuprofile`), n, n);
  }
  expect(kept(path)).toEqual(['cpu-3.cpuprofile', 'cpu-4.cpuprofile', 'notes.txt']);
  expect(await store.saveRawProfile('cpu-5', 'cpuprofile', profileOf(3000))).toBe(false);
  expect(kept(path)).toEqual(['cpu-3.cpuprofile', 'cpu-4.cpuprofile', 'notes.txt']);
});

it('keeps none where none are wanted', async () => {
  const path = scratch();
  const store = openStore(path, { retention: { maxRawProfiles: 0 } });
  expect(await store.saveRawProfile('cpu-1', 'cpuprofile', profileOf(1))).toBe(false);
  expect(await store.rawProfile('cpu-1', 'cpuprofile')).toBeUndefined();
});

it('goes with its result', async () => {
  const path = scratch();
  const store = openStore(path, { retention: { maxDocuments: 1 } });
  const day = (n: number) => new Date(Date.UTC(2026, 0, n)).toISOString();
  await store.saveResult(result('cpu-1', { createdAt: day(1) }));
  await store.saveRawProfile('cpu-1', 'cpuprofile', profileOf(1));
  await store.saveResult(result('cpu-2', { createdAt: day(2) }));
  expect(kept(path)).toEqual([]);
});

it.each(['../x', 'a/b', ''])('takes no id %j', async (id) => {
  await expect(openStore(scratch()).saveRawProfile(id, 'cpuprofile', {})).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});

it('is kept at the exit of a process by the same limits', async () => {
  const path = scratch();
  const store = openStore(path, { retention: { maxRawProfiles: 2, maxRawBytes: 2500 } });
  const save = await store.resultSaverAtExit();
  for (let n = 1; n <= 3; n += 1) {
    save(result(`cpu-${n}`), { raw: { format: 'cpuprofile', profile: profileOf(10) } });
    utimesSync(join(path, 'raw', `cpu-${n}.cpuprofile`), n, n);
  }
  expect(kept(path)).toEqual(['cpu-2.cpuprofile', 'cpu-3.cpuprofile']);
  save(result('cpu-4'), { raw: { format: 'cpuprofile', profile: profileOf(3000) } });
  expect(kept(path)).toEqual(['cpu-2.cpuprofile', 'cpu-3.cpuprofile']);
  save(result('cpu-5'), { raw: { format: 'heapprofile', profile: profileOf(1) }, isStored: true });
  expect(kept(path)).toEqual(['cpu-3.cpuprofile', 'cpu-5.heapprofile']);
  const later = openStore(path).list({ kind: 'result' });
  expect(later.map(({ id }) => id).sort()).toEqual(['cpu-1', 'cpu-2', 'cpu-3', 'cpu-4']);
});
