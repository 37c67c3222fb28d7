/** What the CI scripts share: their arguments, and running the command line of this package. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Reads `--storage DIR`, `--out DIR` and the given numbers of seconds; a wrong call ends the process with 2.
 *
 * @param {Record<string, number>} seconds defaults by option name
 * @returns {Record<string, number> & { storage: string, out: string }} absolute folders, which exist
 */
export function readOptions(seconds) {
  const folders = { storage: 'data/optimization', out: 'data/ci' };
  const options = Object.fromEntries(
    [...Object.keys(folders), ...Object.keys(seconds)].map((name) => [name, { type: 'string' }]),
  );
  try {
    const { values } = parseArgs({ options });
    const result = {};
    for (const [name, fallback] of Object.entries(folders)) {
      result[name] = resolve(values[name] ?? fallback);
      mkdirSync(result[name], { recursive: true });
    }
    for (const [name, fallback] of Object.entries(seconds)) {
      result[name] = Number(values[name] ?? fallback);
      if (!(result[name] > 0))
        throw new TypeError(`--${name} takes a number of seconds, not "${values[name]}".`);
    }
    return result;
  } catch (error) {
    console.error(error.message);
    console.error(
      `Options: ${Object.keys(options)
        .map((name) => `--${name}`)
        .join(' ')}`,
    );
    process.exit(2);
  }
}

const cli = resolve(root, 'dist/cli/main.js');

/**
 * Runs `sysopt` with its output shown. Resolves with the exit code; an interruption is passed on.
 *
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env] added to this process' own
 * @returns {Promise<number>}
 */
export function sysopt(args, env = {}) {
  console.log(`\n$ sysopt ${args.join(' ')}`);
  return new Promise((settle, reject) => {
    const child = spawn(process.execPath, [cli, ...args], {
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM'];
    for (const signal of signals) process.on(signal, forward);
    child.once('error', reject);
    child.once('close', (code) => {
      for (const signal of signals) process.off(signal, forward);
      settle(code ?? 1);
    });
  });
}
