/**
 * Builds the native addon into build/Release with node-gyp, against the headers beside the running Node, so
 * that nothing is downloaded.
 *
 *   node scripts/build-addon.js             build unless it is newer than all its sources; a failure is a warning
 *   node scripts/build-addon.js --require   the same, but a failure is an error
 *   node scripts/build-addon.js --force     build in any case
 *
 * A failure is a warning by default because the library works without the addon, with less: see
 * src/native/fallback.ts.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const addon = join(root, 'build', 'Release', 'sysopt.node');
const lock = join(root, 'build-lock');
const LOCK_STALE_MS = 300_000;

/** The folder with the headers of the running Node, where its installation brought them along. */
export function localNodeDirectory() {
  const directory = join(dirname(realpathSync(process.execPath)), '..');
  return existsSync(join(directory, 'include', 'node', 'node_api.h')) ? directory : undefined;
}

function newestSourceMs() {
  const files = ['native/core', 'native/binding']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
    )
    .filter((name) => /\.(cc|h)$/.test(name));
  files.push('binding.gyp');
  return Math.max(...files.map((name) => statSync(join(root, name)).mtimeMs));
}

function isFresh() {
  return existsSync(addon) && statSync(addon).mtimeMs > newestSourceMs();
}

function build() {
  let nodeGyp;
  try {
    const { resolve } = createRequire(import.meta.url);
    nodeGyp = resolve('node-gyp/bin/node-gyp.js');
    resolve('node-addon-api/package.json');
  } catch {
    return 'node-gyp or node-addon-api is not installed. Run `npm install --no-save node-gyp node-addon-api`, or, in a clone, `npm install` with development dependencies.';
  }
  const nodeDirectory = localNodeDirectory();
  const args = [nodeGyp, 'configure', 'build', '--jobs=max', '--loglevel=warn'];
  if (nodeDirectory) args.push(`--nodedir=${nodeDirectory}`);
  const result = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.status === 0) return undefined;
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim();
  return `${output.split('\n').slice(-60).join('\n')}\n\n${remedy(output)}`;
}

function remedy(output) {
  if (/find Python|python.*not found/i.test(output)) {
    return 'Python 3 is missing. Install it (Debian: apt-get install python3) and run this again.';
  }
  if (/make.*(ENOENT|not found)|not found: make/i.test(output)) {
    return 'make is missing. Install it (Debian: apt-get install make g++) and run this again.';
  }
  if (/(g\+\+|c\+\+|cc).*(not found|No such file)|No Xcode|find Visual Studio/i.test(output)) {
    return (
      'There is no C++ compiler. Install one and run this again ' +
      '(Debian: apt-get install g++; macOS: xcode-select --install; Windows: the Visual Studio build tools).'
    );
  }
  return 'The compiler has to support C++20 (GCC 10, Clang 12, Visual Studio 2019 16.10, or newer).';
}

/** Runs one build at a time: two would write the same object files. */
export async function withBuildLock(work) {
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const ageMs = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (ageMs > LOCK_STALE_MS) rmSync(lock, { recursive: true, force: true });
      await delay(100);
    }
  }
  try {
    return work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

async function main() {
  const required = process.argv.includes('--require');
  const forced = process.argv.includes('--force');
  if (!forced && isFresh()) return;
  const problem = await withBuildLock(() => (!forced && isFresh() ? undefined : build()));
  if (problem === undefined) return;
  console.error(`${problem}\n`);
  if (required) {
    console.error('The native addon was not built.');
    process.exitCode = 1;
  } else {
    console.error('Warning: the native addon was not built. The library works without it, with less;');
    console.error('`sysopt doctor` lists what is missing.');
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
