// What becomes of the command line where its outputs cannot be written, or nobody reads them.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { runCli, scratch } from '../fixtures/cli/run-cli.js';

const MAIN = resolve(import.meta.dirname, '../../dist/cli/main.js');

it.runIf(existsSync('/dev/full'))('says that its output cannot be written, and ends with 4', () => {
  using folder = scratch();
  const stats = `"${process.execPath}" "${MAIN}" stats --storage "${join(folder.path, 'none')}"`;
  for (const json of ['', '--json']) {
    const { status, stderr } = spawnSync('sh', ['-c', `${stats} ${json} > /dev/full`], { encoding: 'utf8' });
    expect(stderr).toMatch(/error: Cannot write the output: ENOSPC/);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(4);
  }
});

it('goes on where nobody reads what it tells beside the result', async () => {
  using folder = scratch();
  const args = [MAIN, 'stats', '--json', '--storage', join(folder.path, 'none')]; // Warns that there is no store.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.destroy();
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((settle) => child.once('close', settle));
  expect(JSON.parse(output)).toMatchObject({ stats: { total: 0 } });
  expect(code).toBe(0);
});

it.each([
  [['help', 'nosuch'], /unknown command 'nosuch'/],
  [['--'], /no verb is given/],
])('names what is wrong with %j', async (args, message) => {
  const { code, stderr } = await runCli(args);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});
