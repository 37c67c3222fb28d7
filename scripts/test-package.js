/**
 * Tests what users install: packs the tarball with a prebuilt addon, installs it into an empty project with no
 * compiler in reach, and imports and requires it on every supported Node line.
 *
 * Usage: node scripts/test-package.js [--node-lines 20,22,24] [--keep]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({
  options: {
    'node-lines': { type: 'string', default: '20,22,24' },
    keep: { type: 'boolean', default: false },
  },
});

const scratch = mkdtempSync(join(tmpdir(), 'sysopt-package-'));
process.on('exit', () => {
  if (!options.keep) rmSync(scratch, { recursive: true, force: true });
});

/** Runs a command and returns what it printed; on failure shows it and ends the test. */
function run(command, args, settings = {}) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...settings });
  } catch (error) {
    console.error(
      `FAILED: ${[command, ...args].join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`,
    );
    process.exit(1);
  }
}

function step(name, action) {
  const result = action();
  console.log(`ok - ${name}${typeof result === 'string' ? ` (${result})` : ''}`);
}

let tarball;
step('the addon is prebuilt for this platform', () => {
  run('npm', ['run', 'prebuild'], { cwd: root });
  return readdirSync(join(root, 'prebuilds')).join(', ');
});
step('the package packs', () => {
  const packed = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch], { cwd: root }),
  );
  // npm 12 keys the list by package name.
  const [entry] = Array.isArray(packed) ? packed : Object.values(packed);
  tarball = join(scratch, entry.filename);
  const names = entry.files.map((file) => file.path);
  for (const wanted of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/cli/main.js',
    'dist/integration/bullmq/index.js',
    'README.md',
    'LICENSE',
  ]) {
    if (!names.includes(wanted)) throw new Error(`the tarball lacks ${wanted}`);
  }
  if (!names.some((name) => name.startsWith('prebuilds/') && name.endsWith('.node'))) {
    throw new Error('the tarball carries no prebuilt addon');
  }
  return `${names.length} files, ${(entry.size / 1024).toFixed(0)} KiB packed`;
});
step('its metadata and types resolve for ESM and CommonJS users', () => {
  run('npx', ['publint', tarball, '--strict'], { cwd: root });
  run('npx', ['attw', tarball, '--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm'], {
    cwd: root,
  });
});

const project = join(scratch, 'project');
mkdirSync(project);
writeFileSync(join(project, 'package.json'), '{ "name": "scratch", "private": true }\n');

// Only Node itself on the path: an install that compiles, or a load that needs a tool, fails here.
const bin = join(scratch, 'bin');
mkdirSync(bin);
for (const tool of ['sh', 'env']) symlinkSync(run('which', [tool]).trim(), join(bin, tool));

step('it installs without a compiler', () => {
  const npm = run('which', ['npm']).trim();
  symlinkSync(process.execPath, join(bin, 'node'));
  run(
    process.execPath,
    [run('readlink', ['-f', npm]).trim(), 'install', tarball, '--no-audit', '--no-fund'],
    {
      cwd: project,
      env: { ...process.env, PATH: bin, npm_config_update_notifier: 'false' },
    },
  );
});

writeFileSync(
  join(project, 'import.mjs'),
  `import { SystemOptimizer, struct, u32, f64, SlabPool, compare } from 'system-optimizer';
const { nativeStatus } = await import('system-optimizer');
const Point = struct('Point', { id: u32, x: f64 });
const pool = new SlabPool({ slotBytes: 64, slots: 8 });
pool.release(pool.acquire());
pool.close();
const optimizer = new SystemOptimizer({ storagePath: './data' });
await optimizer.close();
console.log(JSON.stringify({ addon: nativeStatus().implementation, size: Point.layout.sizeBytes, compare: typeof compare }));
`,
);
writeFileSync(
  join(project, 'require.cjs'),
  `const { SystemOptimizer, nativeStatus } = require('system-optimizer');
console.log(JSON.stringify({ addon: nativeStatus().implementation, facade: typeof SystemOptimizer }));
`,
);
// The queue's packages are optional peers: an install leaves them out, and only using the executor asks for them.
writeFileSync(join(project, 'double.mjs'), 'export const double = (n) => n * 2;\n');
writeFileSync(
  join(project, 'queue.mjs'),
  `import { defineTask, LocalExecutor, OptimizerError } from 'system-optimizer';
import { BullMQExecutor, BullMQConsumer } from 'system-optimizer/bullmq';
import { existsSync } from 'node:fs';
const task = defineTask(new URL('double.mjs', import.meta.url), 'double');
const local = new LocalExecutor({ threads: { maxThreads: 1 } });
const result = await local.run(task, 21);
await local.close();
const refusal = await new BullMQExecutor({ queue: 'q' }).run(task, 1).catch((error) => error);
console.log(JSON.stringify({
  result,
  code: refusal.code,
  sameClasses: refusal instanceof OptimizerError,
  consumer: typeof BullMQConsumer.start,
  installed: ['bullmq', 'ioredis', 'pg'].filter((name) => existsSync('node_modules/' + name)),
}));
`,
);
// Imports under a permission model that forbids every process, worker, and file outside the project.
writeFileSync(
  join(project, 'quiet.mjs'),
  `await import('system-optimizer');
await new Promise((resolve) => setTimeout(resolve, 50)); // The loader closes the files that it read.
const handles = process.getActiveResourcesInfo().filter((name) => !/^(TTYWrap|PipeWrap|FSReqPromise|FSReqCallback)$/.test(name));
if (handles.length > 0) throw new Error('importing leaves open: ' + handles.join(', '));
console.log('quiet');
`,
);

for (const line of options['node-lines'].split(',')) {
  const current = process.versions.node.split('.')[0] === line;
  let node = process.execPath;
  if (!current) {
    const home = join(scratch, `node-${line}`);
    mkdirSync(home);
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    const packageName = `node-${process.platform}-${process.arch}`;
    run('npm', ['install', `${packageName}@${line}`, '--no-audit', '--no-fund'], { cwd: home });
    node = join(home, 'node_modules', packageName, 'bin', 'node');
  }
  const env = { ...process.env, PATH: bin };
  step(`import works on Node ${line}`, () => run(node, ['import.mjs'], { cwd: project, env }).trim());
  step(`require works on Node ${line}`, () => run(node, ['require.cjs'], { cwd: project, env }).trim());
  step(`importing starts and reads nothing on Node ${line}`, () => {
    const permission = Number(line) >= 24 ? '--permission' : '--experimental-permission';
    return run(node, [permission, `--allow-fs-read=${project}/*`, 'quiet.mjs'], { cwd: project, env }).trim();
  });
  step(`system-optimizer/bullmq asks for what it needs on Node ${line}`, () => {
    const printed = run(node, ['queue.mjs'], { cwd: project, env }).trim();
    const expected = {
      result: 42,
      code: 'PACKAGE_REQUIRED',
      sameClasses: true,
      consumer: 'function',
      installed: [],
    };
    if (printed !== JSON.stringify(expected)) throw new Error(`it printed ${printed}`);
  });
  step(`sysopt answers on Node ${line}`, () =>
    run(node, [join(project, 'node_modules/system-optimizer/dist/cli/main.js'), '--version'], {
      cwd: project,
      env,
    }).trim(),
  );
}
step('the prebuilt addon is the one that loads', () => {
  const { addon } = JSON.parse(run(process.execPath, ['require.cjs'], { cwd: project }));
  if (addon !== 'addon') throw new Error(`the package runs on the ${addon}`);
});
