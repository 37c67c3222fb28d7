/**
 * Builds the binary that the published package carries, for this platform, into prebuilds/, against the headers
 * beside the running Node. One Node-API binary serves every Node version from 20.
 *
 *   node scripts/prebuild.js [further prebuildify arguments, e.g. --arch arm64]
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { localNodeDirectory, withBuildLock } from './build-addon.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js');
const nodeDirectory = localNodeDirectory();

const result = await withBuildLock(() =>
  spawnSync(process.execPath, [prebuildify, '--napi', '--strip', '--tag-libc', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(nodeDirectory && { npm_config_nodedir: nodeDirectory }) },
  }),
);
if (result.error) throw result.error;
process.exitCode = result.status ?? 1;
