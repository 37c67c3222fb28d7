/**
 * The counters on a real performance monitoring unit, emulated: cross-builds the addon for arm64 and runs the
 * scripts in guest/ inside a virtual machine (see vm.sh).
 *
 *   npm run test:pmu                    where root or the packages are missing, says so and ends well
 *   npm run test:pmu -- --require       there, fails
 *
 * The quick tests run on hosts without such a unit, where only the scripted kernel of native/test covers what
 * hardware events do; here the kernel, the driver and the registers are real, and the counts are known.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const require = createRequire(import.meta.url);
const objects = join(root, 'build-arm64');
const CXX = 'aarch64-linux-gnu-g++';

const SPIN = join('test', 'pmu', 'spin.cc');

/** Without the compiler, which begins to work in the middle of a measurement, and would be counted. */
const EXACT_NODE = 'node --no-expose-wasm --jitless';

/** Processor models, what they have, and what runs there, in one boot each. */
const BOOTS = [
  {
    name: 'six counters of 32 bits and the cycle counter',
    cpu: 'cortex-a72',
    run: [
      `${EXACT_NODE} guest/counting.js`,
      `${EXACT_NODE} guest/pair.js`,
      'echo 1 > /proc/sys/kernel/perf_user_access',
      `${EXACT_NODE} guest/user-read.js`,
      'echo 2 > /proc/sys/kernel/perf_event_paranoid',
      'su user -s /bin/sh -c "node guest/paranoid.js 2"',
      'echo 3 > /proc/sys/kernel/perf_event_paranoid',
      'su user -s /bin/sh -c "node guest/paranoid.js 3"',
    ],
  },
  {
    name: 'counters of 64 bits',
    cpu: 'max',
    run: [
      'echo 1 > /proc/sys/kernel/perf_user_access',
      `${EXACT_NODE} guest/user-read.js`,
      'node guest/kernels.js',
    ],
  },
  { name: 'no PMU', cpu: 'cortex-a72,pmu=off', run: ['node guest/no-pmu.js'] },
];

/** The sources that the addon has on Linux, from the list that builds it elsewhere. */
function sources() {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8');
  const common = /"sources": \[\n([\s\S]*?)\]/.exec(text)?.[1] ?? '';
  const linux = /OS=='linux'", \{"sources": \[(.*?)\]/.exec(text)?.[1] ?? '';
  return [...`${common}${linux}`.matchAll(/"(native\/[^"]+\.cc)"/g)].map(([, path]) => path);
}

function includeFolder() {
  const beside = join(dirname(realpathSync(process.execPath)), '..', 'include', 'node');
  if (existsSync(join(beside, 'node_api.h'))) return beside;
  return require('node-api-headers').include_dir;
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args.at(-1)} failed (${code})`)),
    );
  });
}

/** Builds what changed. The newest header counts for all: there are few, and they are small. */
async function buildAddon() {
  mkdirSync(objects, { recursive: true });
  const headers = readdirSync(join(root, 'native'), { recursive: true }).filter((name) =>
    name.endsWith('.h'),
  );
  const newestHeaderMs = Math.max(...headers.map((name) => statSync(join(root, 'native', name)).mtimeMs));
  const flags = [
    ...'-std=c++20 -O2 -fPIC -fexceptions -fvisibility=hidden -ffp-contract=off -Wall -Wextra'.split(' '),
    ...'-DNAPI_VERSION=8 -DNODE_ADDON_API_CPP_EXCEPTIONS_ALL -DNODE_ADDON_API_DISABLE_DEPRECATED'.split(' '),
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    '-DNODE_GYP_MODULE_NAME=sysopt',
    `-I${includeFolder()}`,
    `-I${require('node-addon-api').include_dir}`,
  ];
  const units = sources().map((source) => ({
    source,
    object: join(objects, `${source.replaceAll('/', '-')}.o`),
  }));
  const stale = units.filter(({ source, object }) => {
    const builtMs = statSync(object, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return builtMs < Math.max(newestHeaderMs, statSync(join(root, source)).mtimeMs);
  });
  const work = stale.values();
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (const { source, object } of work) await run(CXX, [...flags, '-c', '-o', object, source]);
    }),
  );
  const addon = join(objects, 'sysopt.node');
  await run(CXX, ['-shared', '-s', '-o', addon, ...units.map(({ object }) => object)]);
  await run(CXX, [
    '-std=c++20',
    '-O2',
    '-fPIC',
    '-shared',
    `-I${includeFolder()}`,
    '-o',
    join(objects, 'spin.node'),
    SPIN,
  ]);
  return addon;
}

/** What the guest needs: the compiled library, the addon, its loader, and the scripts. */
function assemble(addon, commands) {
  const payload = mkdtempSync(join(tmpdir(), 'sysopt-pmu-'));
  mkdirSync(join(payload, 'build', 'Release'), { recursive: true });
  copyFileSync(addon, join(payload, 'build', 'Release', basename(addon)));
  copyFileSync(join(objects, 'spin.node'), join(payload, 'build', 'spin.node'));
  copyFileSync(join(root, 'package.json'), join(payload, 'package.json'));
  cpSync(join(root, 'dist'), join(payload, 'dist'), {
    recursive: true,
    filter: (path) => !/\.(d\.ts|map)$/.test(path),
  });
  cpSync(
    dirname(require.resolve('node-gyp-build/package.json')),
    join(payload, 'node_modules', 'node-gyp-build'),
    {
      recursive: true,
    },
  );
  cpSync(join(here, 'guest'), join(payload, 'guest'), { recursive: true });
  writeFileSync(
    join(payload, 'run.sh'),
    `chown -R 1000 /payload\nfailed=0\n${commands.map((command) => `${command} || failed=1`).join('\n')}\nexit $failed\n`,
  );
  return payload;
}

const vm = (...args) => ['bash', [join(here, 'vm.sh'), ...args]];
const CANNOT = 3;

async function main() {
  const [shell, prepare] = vm('prepare');
  const { status } = spawnSync(shell, prepare, { stdio: 'inherit' });
  if (status === CANNOT && !process.argv.includes('--require')) {
    console.log(
      'Skipped: no emulated PMU here, for the reason above. Nothing was tested on hardware counters.',
    );
    return;
  }
  if (status !== 0) throw new Error('The virtual machine could not be prepared.');
  const addon = await buildAddon();
  const failed = [];
  for (const { name, cpu, run: commands } of BOOTS) {
    console.log(`\n# ${name} (${cpu})`);
    const payload = assemble(addon, commands);
    try {
      const [bash, boot] = vm('run', payload);
      const booted = spawnSync(bash, boot, { stdio: 'inherit', env: { ...process.env, PMU_CPU: cpu } });
      if (booted.status !== 0) failed.push(name);
    } finally {
      rmSync(payload, { recursive: true, force: true });
    }
  }
  if (failed.length > 0) throw new Error(`Failed on the emulated PMU: ${failed.join('; ')}`);
  console.log('\nAll tests passed on the emulated machine.');
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
