import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  areGone,
  fixture,
  freePort,
  isAlive,
  pidsIn,
  runCli,
  scratch,
  startCli,
} from '../fixtures/cli/run-cli.js';

describe.each(['SIGINT', 'SIGTERM'] as const)('%s while a program is profiled', (signal) => {
  it('stops the program, stores nothing and exits with 130', async () => {
    using folder = scratch();
    const pidFile = join(folder.path, 'pids');
    const storage = join(folder.path, 'store');
    const port = await freePort();
    const cli = startCli(
      [
        'profile',
        '--json',
        '--duration',
        '60',
        '--storage',
        storage,
        '--url',
        `http://127.0.0.1:${port}/`,
        '--warmup',
        '0',
        '--',
        process.execPath,
        fixture('service.js'),
        String(port),
      ],
      { PID_FILE: pidFile },
    );
    await cli.saw('Profiling cpu');
    const pids = pidsIn(pidFile);
    expect(pids.every(isAlive)).toBe(true);
    cli.kill(signal);
    const { code, json } = await cli.ended;
    expect(code).toBe(130);
    expect(json.error.code).toBe('INTERRUPTED');
    expect(pids.some(isAlive)).toBe(false);

    const after = await runCli(['stats', '--json', '--storage', storage]);
    expect(after.code).toBe(0);
    expect(after.json.results).toEqual([]);
    const stored = existsSync(storage) ? readdirSync(storage, { recursive: true }) : [];
    expect(stored.filter((name) => String(name).endsWith('.tmp'))).toEqual([]);
  });
});

it('a program that ignores SIGTERM is killed', async () => {
  using folder = scratch();
  const pidFile = join(folder.path, 'pids');
  const cli = startCli(
    [
      'profile',
      '--duration',
      '60',
      '--storage',
      join(folder.path, 'store'),
      '--',
      process.execPath,
      fixture('ignores-sigterm.js'),
    ],
    { PID_FILE: pidFile },
  );
  await cli.saw('Profiling cpu');
  await cli.saw('│ ready');
  cli.kill('SIGINT');
  expect((await cli.ended).code).toBe(130);
  expect(pidsIn(pidFile).some(isAlive)).toBe(false);
});

it('a second Ctrl-C does not wait, and leaves no program behind either', async () => {
  using folder = scratch();
  const pidFile = join(folder.path, 'pids');
  const cli = startCli(
    [
      'profile',
      '--duration',
      '60',
      '--storage',
      join(folder.path, 'store'),
      '--',
      process.execPath,
      fixture('ignores-sigterm.js'),
    ],
    { PID_FILE: pidFile },
  );
  await cli.saw('Profiling cpu');
  await cli.saw('│ ready');
  cli.kill('SIGINT');
  await cli.saw('press Ctrl-C again');
  cli.kill('SIGINT');
  expect((await cli.ended).code).toBe(130);
  expect(await areGone(pidsIn(pidFile))).toBe(true);
});
