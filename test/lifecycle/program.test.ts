import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startProgram } from '../../dist/host/program.js';

const SLEEP = [process.execPath, '-e', 'setTimeout(() => {}, 300_000)'];

it('stops a program whose signal is aborted while it starts', async () => {
  const controller = new AbortController();
  const starting = startProgram(SLEEP, { signal: controller.signal });
  controller.abort();
  const program = await starting;
  expect(await program.exited).toMatchObject({ signal: 'SIGTERM' });
});

it('keeps nothing alive once a program was stopped', async () => {
  const module = new URL('../../dist/host/program.js', import.meta.url).href;
  const script = `
    const { startProgram } = await import(${JSON.stringify(module)});
    const program = await startProgram(${JSON.stringify(SLEEP)});
    await program.stop(600_000);
    console.log('stopped');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 60_000,
  });
  expect(stdout).toBe('stopped\n');
}, 90_000);
