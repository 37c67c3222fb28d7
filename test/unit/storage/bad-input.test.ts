import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../dist/storage/store.js';
import { comparison, profile, result, scratch } from './samples.js';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a storage path that cannot be a folder', () => {
  it.each(['', '/below', '/further/below'])('a file%s', async (below) => {
    const file = join(scratch(), 'file');
    writeFileSync(file, 'precious');
    const store = openStore(file + below);
    for (const use of [() => store.config(), () => store.stats(), () => store.list({ kind: 'profile' })]) {
      expect(use).toThrow(/is not a directory/);
    }
    await expect(store.saveProfile(profile('memory-1'))).rejects.toMatchObject({
      code: 'STORAGE_NOT_A_DIRECTORY',
    });
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  it('a file where one of the folders should be', async () => {
    const path = scratch();
    writeFileSync(join(path, 'profiles'), '');
    const store = openStore(path);
    await expect(store.saveProfile(profile('memory-1'))).rejects.toMatchObject({
      code: 'STORAGE_NOT_A_DIRECTORY',
    });
    expect(store.problems()).toEqual([expect.stringMatching(/profiles cannot be read/)]);
  });

  it.each([[''], ['  '], [undefined], [7]])('%j', (path) => {
    expect(() => openStore(path as never)).toThrow(/the path of a directory/);
  });
});

describe('a store that cannot be written', () => {
  it('says so, keeps what was stored, and reads on', async () => {
    const path = scratch();
    await openStore(path).saveProfile(profile('memory-1'));
    // Root may write anywhere: the writing happens in a process of a user who may not.
    const script = `
      import { chmodSync } from 'node:fs';
      import { openStore } from ${JSON.stringify(new URL('../../../dist/storage/store.js', import.meta.url).href)};
      const [path, document] = process.argv.slice(1);
      await import('zod'); await import(${JSON.stringify(new URL('../../../dist/storage/documents.js', import.meta.url).href)});
      for (const folder of ['', '/profiles']) chmodSync(path + folder, 0o555);
      if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
      const store = openStore(path);
      const error = await store.saveProfile(JSON.parse(document)).catch((error) => error);
      console.log(JSON.stringify([error.code, error.errno, error.message, store.list({ kind: 'profile' }).length, (await store.get('memory-1')).id]));
    `;
    const output = execFileSync(
      process.execPath,
      ['--input-type=module', '-e', script, path, JSON.stringify(profile('memory-2'))],
      { encoding: 'utf8', cwd: new URL('../../..', import.meta.url) },
    );
    const [code, errno, message, count, id] = JSON.parse(output);
    expect([code, errno, count, id]).toEqual(['STORAGE_NOT_WRITABLE', 'EACCES', 1, 'memory-1']);
    expect(message).toMatch(/permission denied\. What was stored before is unchanged/);
    expect(readdirSync(join(path, 'profiles'))).toEqual(['memory-1.json']);
  });

  it.each(['open', 'rename'] as const)('a full disk at %s leaves the old document', async (call) => {
    const path = scratch();
    const store = openStore(path);
    await store.saveProfile(profile('memory-1', { warnings: ['old'] }));
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: call });
    vi.spyOn(fs, call).mockRejectedValueOnce(full);
    await expect(store.saveProfile(profile('memory-1', { warnings: ['new'] }))).rejects.toMatchObject({
      code: 'STORAGE_NOT_WRITABLE',
      errno: 'ENOSPC',
      message: expect.stringMatching(/no space is left/),
    });
    expect((await store.getProfile('memory-1')).warnings).toEqual(['old']);
    expect(readdirSync(join(path, 'profiles'))).toEqual(['memory-1.json']);
    await store.saveProfile(profile('memory-1', { warnings: ['new'] }));
    expect((await store.getProfile('memory-1')).warnings).toEqual(['new']);
  });
});

describe('documents that cannot be read', () => {
  it.each([
    ['torn', (text: string) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['binary', () => '\0\x01\xff'],
    ['null', () => 'null'],
    ['an array', () => '[]'],
    ['of another shape', () => JSON.stringify({ id: 'memory-2', createdAt: '2026-01-01T00:00:00Z' })],
    ['another document', (text: string) => text.replace('"memory-2"', '"memory-1"')],
  ])('%s: is named, and the others stay readable', async (_, damage) => {
    const path = scratch();
    const store = openStore(path);
    await store.saveProfile(profile('memory-1'));
    await store.saveProfile(profile('memory-2'));
    const file = join(path, 'profiles', 'memory-2.json');
    writeFileSync(file, damage(readFileSync(file, 'utf8')));
    for (const reader of [store, openStore(path)]) {
      expect(reader.list({ kind: 'profile' }).map(({ id }) => id)).toEqual(['memory-1']);
      expect(reader.stats().total).toBe(1);
      expect(reader.problems()).toEqual([expect.stringContaining(file)]);
      expect((await reader.get('memory-1')).id).toBe('memory-1');
    }
    await openStore(path).saveProfile(profile('memory-3'));
    expect(readdirSync(join(path, 'profiles'))).toHaveLength(3); // nothing was tidied away
  });

  it('getting one says which file and which field', async () => {
    const path = scratch();
    const store = openStore(path);
    await store.saveProfile(profile('memory-1'));
    const file = join(path, 'profiles', 'memory-1.json');
    const document = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...document, validation: { ...document.validation, ratio: null } }));
    await expect(store.get('memory-1')).rejects.toMatchObject({
      code: 'DOCUMENT_CORRUPT',
      message: expect.stringMatching(/memory-1\.json.*"validation\.ratio"/),
    });
    writeFileSync(file, JSON.stringify({ ...document, schemaVersion: 99 }));
    await expect(store.get('memory-1')).rejects.toMatchObject({ code: 'DOCUMENT_TOO_NEW' });
    expect(store.problems()).toEqual([expect.stringMatching(/schema version 99/)]);
  });

  it('fields of a newer minor version are let through', async () => {
    const path = scratch();
    await openStore(path).saveProfile(profile('memory-1'));
    const file = join(path, 'profiles', 'memory-1.json');
    const document = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...document, carbonGrams: 3 }));
    expect(await openStore(path).get('memory-1')).toEqual({ ...profile('memory-1'), carbonGrams: 3 });
  });

  it('a result whose recommendation is damaged is read without it, and says so', async () => {
    const path = scratch();
    const store = openStore(path);
    await store.saveResult(result('cpu-1'));
    writeFileSync(join(path, 'recommendations', 'recommendation-cpu-1.json'), '{');
    const read = await store.getResult('cpu-1');
    expect(read.recommendations).toEqual([]);
    expect(read.warnings[1]).toMatch(/left out: .*recommendation-cpu-1\.json/);
  });

  it('files that are no documents are left alone', async () => {
    const path = scratch();
    mkdirSync(join(path, 'profiles'), { recursive: true });
    for (const name of ['.DS_Store', 'notes.txt', 'a copy.json', '..json']) {
      writeFileSync(join(path, 'profiles', name), 'mine');
    }
    const store = openStore(path);
    await store.saveProfile(profile('memory-1'));
    expect(store.list({ kind: 'profile' })).toHaveLength(1);
    expect(store.problems()).toEqual([]);
    expect(readdirSync(join(path, 'profiles'))).toHaveLength(5);
  });
});

describe('ids', () => {
  const hostile = [
    '../../etc/passwd',
    '..',
    'a/b-1',
    'a\\b-1',
    'memory-1\0',
    'memory',
    '',
    'x'.repeat(200) + '-1',
  ];
  it.each([...hostile, null, 7, { toString: () => 'memory-1' }])('%j is refused', async (id) => {
    const store = openStore(scratch());
    await expect(store.get(id as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(store.saveProfile(profile(id as never))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(readdirSync(store.path)).toEqual([]);
  });

  it('that are not stored are unknown', async () => {
    const store = openStore(scratch());
    await store.saveProfile(profile('memory-1'));
    await expect(store.get('memory-2')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
    await expect(store.getResult('memory-1')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
  });
});

describe('documents that cannot be stored', () => {
  it.each<[string, any, RegExp]>([
    ['NaN', { validation: { ...comparison(1), ratio: NaN } }, /profile\.validation\.ratio is NaN/],
    ['no time', { createdAt: 'now' }, /profile\.createdAt is "now"/],
    ['unknown status', { status: 'great' }, /profile\.status is "great"/],
    ['BigInt', { plan: { bytes: 1n } }, /not storable/],
    ['no environment', { environment: undefined }, /profile\.environment/],
  ])('%s', async (_, changes, pattern) => {
    const store = openStore(scratch());
    await expect(store.saveProfile(profile('memory-1', changes))).rejects.toThrow(pattern);
    expect(readdirSync(store.path)).toEqual([]);
  });

  it('a result that is wrong leaves no part behind', async () => {
    const store = openStore(scratch());
    const analysis = { ...result('cpu-1').analysis, findings: [{ cause: 1 } as any] };
    await expect(store.saveResult(result('cpu-1', { analysis }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(store.saveResult(result('cpu-1', { createdAt: 'x' }))).rejects.toThrow(/createdAt/);
    expect(readdirSync(store.path)).toEqual([]);
  });
});

it('a closed store refuses, closing waits for what is being written', async () => {
  const path = scratch();
  const store = openStore(path);
  const saving = store.saveProfile(profile('memory-1'));
  await Promise.all([store.close(), store.close()]);
  expect(readdirSync(join(path, 'profiles'))).toEqual(['memory-1.json']);
  await saving;
  expect(() => store.stats()).toThrow(/closed/);
  await expect(store.saveProfile(profile('memory-2'))).rejects.toMatchObject({ code: 'CLOSED' });
});
