import { readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { StoredChoice } from '../../../src/model/config.js';
import { openStore } from '../../../dist/storage/store.js';
import { scratch } from './samples.js';

const stored = (variant: string): StoredChoice => ({
  choice: { kind: 'computation', bySize: [{ maxSize: null, variant }] },
  profileId: 'computation-1',
  appliedAt: '2026-03-01T00:00:00.000Z',
  hostId: 'abc123',
  node: 'v20.19.0',
  library: '0.1.0',
});
const memory = { kind: 'memory', packing: 'cache_line', cacheLineBytes: 64, order: 'soa' } as const;

it('keeps choices, defaults and flags, each changed without touching the others', async () => {
  const path = scratch();
  await openStore(path).setChoice('computation:find', stored('map'));
  await openStore(path).setMemoryDefaults(memory);
  await openStore(path).setRuntimeFlags(['--max-semi-space-size=64']);
  await openStore(path).setChoice('computation:other', stored('scan'));
  const config = openStore(path).config();
  expect(config).toMatchObject({
    schemaVersion: 1,
    defaults: { memory },
    subjects: { 'computation:find': stored('map'), 'computation:other': stored('scan') },
    runtimeFlags: ['--max-semi-space-size=64'],
  });
  expect(config?.hostId).toMatch(/^[0-9a-f]+$/);
  expect(readdirSync(path)).toEqual(['config.json']);
});

it('adds flags beside those that are there, in place of those of the same name, also all at once', async () => {
  const path = scratch();
  const store = openStore(path);
  await store.setRuntimeFlags(['--max-semi-space-size=64', '--no-opt']);
  await Promise.all([
    store.addRuntimeFlags(['--max-semi-space-size=32']),
    store.addRuntimeFlags(['--stack-size=2000']),
  ]);
  expect([...store.config()!.runtimeFlags].sort()).toEqual([
    '--max-semi-space-size=32',
    '--no-opt',
    '--stack-size=2000',
  ]);
  await expect(store.addRuntimeFlags(['stack'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

it('keeps variables of the environment beside each other, and refuses what is none', async () => {
  const store = openStore(scratch());
  await store.addEnvironment({ UV_THREADPOOL_SIZE: '8' });
  await store.addEnvironment({ TZ: 'UTC' });
  await store.addEnvironment({ UV_THREADPOOL_SIZE: '16' });
  expect(store.config()!.environment).toEqual({ UV_THREADPOOL_SIZE: '16', TZ: 'UTC' });
  for (const wrong of [{ 'A=B': '1' }, { A: 1 }]) {
    await expect(store.addEnvironment(wrong as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});

it('loses no choice when many are made at once', async () => {
  const path = scratch();
  const stores = [openStore(path), openStore(path), openStore(path)];
  await Promise.all(
    Array.from({ length: 30 }, (_, i) => stores[i % 3]!.setChoice(`computation:c${i}`, stored('v'))),
  );
  expect(Object.keys(openStore(path).config()!.subjects)).toHaveLength(30);
});

it('defaults and flags of another host do not pass for this one’s, choices of subjects stay', async () => {
  const path = scratch();
  const store = openStore(path);
  await store.setMemoryDefaults(memory);
  await store.setRuntimeFlags(['--max-semi-space-size=64']);
  await store.setChoice('computation:find', stored('map'));
  const file = join(path, 'config.json');
  writeFileSync(file, JSON.stringify({ ...store.config(), hostId: 'elsewhere' }));
  await store.setChoice('computation:other', stored('map'));
  expect(store.config()).toMatchObject({ hostId: 'elsewhere', defaults: { memory } });
  await store.setMemoryDefaults({ ...memory, order: 'aos' });
  expect(store.config()).toMatchObject({ defaults: { memory: { order: 'aos' } }, runtimeFlags: [] });
  expect(store.config()).toMatchObject({ node: process.version });
  expect(store.config()?.hostId).not.toBe('elsewhere');
  expect(Object.keys(store.config()!.subjects)).toHaveLength(2);
});

it.each([
  ['{', /cannot be read/],
  ['[]', /an array of 0/],
  ['{"schemaVersion":1,"hostId":"x","defaults":{},"subjects":[],"runtimeFlags":[]}', /"subjects"/],
  [
    '{"schemaVersion":1,"hostId":"x","defaults":{},"subjects":{"struct:A":{"choice":{"kind":"magic"},"profileId":"p"}},"runtimeFlags":[]}',
    /"subjects\.struct:A" is no stored choice/,
  ],
  [
    '{"schemaVersion":1,"hostId":"x","defaults":{"memory":1},"subjects":{},"runtimeFlags":[]}',
    /defaults\.memory/,
  ],
  ['{"schemaVersion":7}', /schema version 7/],
])('a config of %s is refused and not overwritten', async (text, pattern) => {
  const path = scratch();
  writeFileSync(join(path, 'config.json'), text);
  const store = openStore(path);
  expect(() => store.config()).toThrow(pattern);
  await expect(store.setChoice('struct:A', stored('v'))).rejects.toThrow(pattern);
  expect(readFileSync(join(path, 'config.json'), 'utf8')).toBe(text);
  expect(store.problems()).toEqual([expect.stringMatching(pattern)]);
});

it.each<[any, any, RegExp]>([
  ['Order', stored('v'), /<kind>:<name>/],
  ['__proto__', stored('v'), /<kind>:<name>/],
  ['struct:', stored('v'), /<kind>:<name>/],
  ['struct:A', { choice: { kind: 'x' }, profileId: 'p' }, /a choice/],
  ['struct:A', { ...stored('v'), hostId: undefined }, /the id of the host/],
  ['struct:A', { ...stored('v'), node: undefined }, /the version of Node/],
  ['struct:A', { ...stored('v'), library: 1 }, /the version of this package/],
  ['struct:A', null, /a choice/],
])('refuses a choice for %j of %j', async (key, choice, pattern) => {
  const store = openStore(scratch());
  await expect(store.setChoice(key, choice)).rejects.toThrow(pattern);
  expect(store.config()).toBeNull();
});

it('a lock left behind by a dead process, or for long, is broken', async () => {
  const path = scratch();
  const lock = join(path, 'config.json.lock');
  const { hostname } = await import('node:os');
  writeFileSync(lock, JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), id: 'x' })); // above any pid
  await openStore(path).setChoice('struct:A', stored('v'));
  writeFileSync(lock, JSON.stringify({ pid: 1, host: 'elsewhere', id: 'x' }));
  utimesSync(lock, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
  await openStore(path).setChoice('struct:B', stored('v'));
  expect(Object.keys(openStore(path).config()!.subjects)).toEqual(['struct:A', 'struct:B']);
  expect(readdirSync(path)).toEqual(['config.json']);
});
