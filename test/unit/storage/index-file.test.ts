import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../../dist/storage/store.js';
import { profile, result, scratch } from './samples.js';

async function filled() {
  const path = scratch();
  const store = openStore(path);
  for (let i = 0; i < 5; i += 1) await store.saveProfile(profile(`memory-${i}`));
  await store.saveResult(result('cpu-1'));
  return path;
}
const snapshot = (path: string) => {
  const store = openStore(path);
  return [
    store.list({ kind: 'profile' }),
    store.list({ kind: 'result' }),
    store.list({ kind: 'recommendation' }),
  ];
};

it.each<[string, (text: string) => string | null]>([
  ['missing', () => null],
  ['empty', () => ''],
  ['torn', (text) => text.slice(0, 100)],
  ['of a later version', (text) => text.replace('"schemaVersion":1', '"schemaVersion":2')],
  ['null', () => 'null'],
  ['full of nonsense', () => '{"schemaVersion":1,"documents":[null,1,{"entry":{"id":"../x"}},{"entry":{}}]}'],
  ['lacking documents', (text) => JSON.stringify({ ...JSON.parse(text), documents: [] })],
])('an index that is %s is rebuilt from the documents', async (_, damage) => {
  const path = await filled();
  const expected = snapshot(path);
  const file = join(path, 'index.json');
  const text = damage(readFileSync(file, 'utf8'));
  if (text === null) rmSync(file);
  else writeFileSync(file, text);
  expect(snapshot(path)).toEqual(expected);
  expect(existsSync(file)).toBe(text !== null); // reading wrote nothing
  await openStore(path).saveProfile(profile('memory-9'));
  const index = JSON.parse(readFileSync(file, 'utf8'));
  expect(index.documents.map(({ entry }: any) => entry.id).sort()).toEqual([
    'cpu-1',
    'memory-0',
    'memory-1',
    'memory-2',
    'memory-3',
    'memory-4',
    'memory-9',
    'recommendation-cpu-1',
  ]);
});

it('an index that speaks of other files is not believed', async () => {
  const path = await filled();
  rmSync(join(path, 'profiles', 'memory-3.json'));
  const changed = join(path, 'profiles', 'memory-1.json');
  writeFileSync(changed, readFileSync(changed, 'utf8').replace('"applied"', '"inconclusive"'));
  expect(openStore(path).stats().byStatus).toMatchObject({ applied: 3, inconclusive: 1 });
});

it('reads documents through the index: a second process opens none of them', async () => {
  const path = await filled();
  // A document with the same inode, size and time as indexed: were it read, its garbage would be reported.
  const file = join(path, 'profiles', 'memory-0.json');
  const { size, atime, mtime, ino, mtimeMs } = statSync(file);
  const { utimesSync } = await import('node:fs');
  const index = join(path, 'index.json');
  writeFileSync(file, 'x'.repeat(size));
  utimesSync(file, atime, mtime);
  const now = statSync(file);
  const text = readFileSync(index, 'utf8');
  writeFileSync(index, text.replace(`${ino}:${size}:${mtimeMs}`, `${now.ino}:${now.size}:${now.mtimeMs}`));
  expect(openStore(path).list({ kind: 'profile' })).toHaveLength(5);
  expect(openStore(path).problems()).toEqual([]);
});
