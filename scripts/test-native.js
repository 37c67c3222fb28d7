/**
 * Tests the native code under AddressSanitizer and UndefinedBehaviorSanitizer: the core by its own tests (CMake,
 * ctest), then the addon by the contract and lifecycle tests inside Node. The pool of threads and its kernels also run under
 * ThreadSanitizer, which cannot be combined with the others.
 *
 *   node scripts/test-native.js            both
 *   node scripts/test-native.js --core     the core alone
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const CORE_BUILD = 'build-sanitized';
const ADDON_BUILD = 'build-sanitized-addon';
const THREADS_BUILD = 'build-sanitized-threads';
const SANITIZERS = 'address,undefined';

function run(command, args, env = {}) {
  console.log(`> ${[command, ...args].join(' ')}`);
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error?.code === 'ENOENT') {
    console.error(`${command} is missing. Install it (Debian: apt-get install cmake g++ make).`);
    process.exit(1);
  }
  if (status !== 0) {
    console.error(`${command} failed (${signal ?? `exit code ${status}`}).`);
    process.exit(1);
  }
}

function testCore() {
  run('cmake', ['-S', '.', '-B', CORE_BUILD, `-DSYSOPT_SANITIZE=${SANITIZERS}`]);
  run('cmake', ['--build', CORE_BUILD, '--parallel', '2']);
  run('ctest', ['--test-dir', CORE_BUILD, '--output-on-failure']);
}

function testThreads() {
  run('cmake', ['-S', '.', '-B', THREADS_BUILD, '-DSYSOPT_SANITIZE=thread']);
  run('cmake', [
    '--build',
    THREADS_BUILD,
    '--parallel',
    '2',
    '--target',
    'pool_test',
    'jobs_test',
    'sampling_test',
  ]);
  run('ctest', [
    '--test-dir',
    THREADS_BUILD,
    '--output-on-failure',
    '--tests-regex',
    '^(pool|jobs|sampling)_test$',
  ]);
}

/** The compiler's sanitizer runtimes, which have to be in the process before Node is. */
function runtimes() {
  const compiler = process.env.CXX ?? 'g++';
  const paths = ['libasan.so', 'libubsan.so'].map((name) => {
    try {
      return execFileSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
    } catch {
      return '';
    }
  });
  return paths.every((path) => path.includes('/') && existsSync(path)) ? paths : undefined;
}

function testAddon() {
  const libraries = process.platform === 'linux' ? runtimes() : undefined;
  if (!libraries) {
    console.log('Skipped: the addon under sanitizers needs Linux and the sanitizer runtimes of GCC.');
    return;
  }
  run(process.execPath, [
    require.resolve('cmake-js/bin/cmake-js'),
    'compile',
    '--out',
    // Where node-gyp-build looks below the folder that it is given.
    join(ADDON_BUILD, 'build'),
    `--CDSYSOPT_SANITIZE=${SANITIZERS}`,
  ]);
  run(
    process.execPath,
    [
      join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs'),
      'run',
      'test/contract',
      'test/lifecycle/native-',
      '--testTimeout=300000',
    ],
    {
      // node-gyp-build takes the addon from there instead of build/.
      SYSTEM_OPTIMIZER_PREBUILD: join(root, ADDON_BUILD),
      LD_PRELOAD: libraries.join(' '),
      // V8 does not free what it holds at exit; leaks of ours are what the lifecycle tests count.
      ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    },
  );
}

testCore();
testThreads();
if (!process.argv.includes('--core')) testAddon();
