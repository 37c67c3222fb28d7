import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openStore } from '../../dist/storage/store.js';
import { profile, scratch } from '../unit/storage/samples.js';

const WRITER = fileURLToPath(new URL('../fixtures/storage/writer.js', import.meta.url));
const TEMPLATE = JSON.stringify(profile('memory-0'));

it('kill -9 in a write loop leaves every document old or new, and what was acknowledged is there', async () => {
  const path = scratch();
  for (let round = 0; round < 8; round += 1) {
    const writer = fork(WRITER, [path, TEMPLATE, `r${round}`]);
    let acknowledged = -1;
    writer.on('message', (message) => {
      if (typeof message === 'number') acknowledged = message;
    });
    // Killed somewhere within a write, not before the first.
    while (acknowledged < 1) await once(writer, 'message');
    await sleep(Math.random() * 60);
    writer.kill('SIGKILL');
    await once(writer, 'exit');

    const store = openStore(path);
    expect(store.problems()).toEqual([]);
    const ids = store.list({ kind: 'profile' }).map(({ id }) => id);
    for (let i = 0; i <= acknowledged; i += 1) expect(ids).toContain(`memory-r${round}x${i}`);
    if (ids.includes('memory-shared')) {
      const { plan } = await store.getProfile('memory-shared');
      expect(plan['text']).toMatch(/^(a{50000}|b{50000})$/);
    }
  }
  const store = openStore(path);
  expect(store.list({ kind: 'profile' }).length).toBeGreaterThan(1);

  // The next writer tidies up after the dead ones, once their files are old enough to be sure.
  const folders = ['', 'profiles'].map((folder) => join(path, folder));
  const temps = () =>
    folders
      .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
      .filter((name) => name.endsWith('.tmp'));
  const past = new Date(Date.now() - 10_000);
  for (const temp of temps()) utimesSync(temp, past, past);
  await store.saveProfile(profile('memory-last'));
  expect(temps()).toEqual([]);
});

it('two processes that write at once lose no document and no choice', async () => {
  const path = scratch();
  const writers = ['a', 'b'].map((name) => fork(WRITER, [path, TEMPLATE, name, '20']));
  const codes = await Promise.all(writers.map(async (writer) => (await once(writer, 'exit'))[0]));
  expect(codes).toEqual([0, 0]);
  const store = openStore(path);
  expect(store.list({ kind: 'profile' })).toHaveLength(41);
  expect(store.problems()).toEqual([]);
  expect(Object.keys(store.config()!.subjects)).toHaveLength(20);
  expect(readdirSync(path).sort()).toEqual(['config.json', 'index.json', 'profiles']);
});
