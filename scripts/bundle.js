/**
 * Joins the modules that importing the package loads into a few files: Node spends 0.15 to 0.3 ms on each ES
 * module, so a hundred small ones would cost a service 20 ms of its start. Rooms that load on demand stay apart.
 *
 * Works in place on what tsc wrote to dist/: the entries below are replaced by their joined form, the modules
 * stay beside them for worker threads and fresh processes, which load them by file name. All entries are joined
 * in one go, so that the command line, `system-optimizer/bullmq` and a subject's `import 'system-optimizer'` share one set
 * of classes.
 */
import { readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tokenizer } from 'acorn';
import { rolldown } from 'rolldown';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const ENTRIES = ['index', 'cli/main', 'integration/bullmq/index'];
/** Joined by themselves: a profiled program, and each thread of a pool, pays for what it needs, not for the whole package. */
const AGENTS = ['profiling/agent', 'profiling/attached-agent', 'profiling/headroom', 'threads/worker-main'];
/** Stands for the URL of dist/ until it is known which file a module ends up in. */
const DIST = '__DIST_URL__';

/** Puts an expression in the place of `import.meta.url`, in code alone: messages name it too. */
function replaceModuleUrl(code, expression) {
  const tokens = [...tokenizer(code, { ecmaVersion: 'latest', sourceType: 'module' })];
  const text = ({ start, end }) => code.slice(start, end);
  let result = code;
  for (let i = tokens.length - 5; i >= 0; i -= 1) {
    const [first, , , , last] = tokens.slice(i, i + 5);
    if (
      tokens
        .slice(i, i + 5)
        .map(text)
        .join('') !== 'import.meta.url'
    )
      continue;
    result = result.slice(0, first.start) + expression + result.slice(last.end);
  }
  return result;
}

const keepModuleUrls = {
  name: 'keep-module-urls',
  load(id) {
    if (!id.startsWith(dist)) return null;
    const url = `new URL(${JSON.stringify(relative(dist, id).replaceAll('\\', '/'))}, ${DIST}).href`;
    return {
      code: replaceModuleUrl(readFileSync(id, 'utf8'), url),
      map: JSON.parse(readFileSync(`${id}.map`, 'utf8')),
    };
  },
  renderChunk(code, chunk) {
    const up = `${posix.relative(posix.dirname(chunk.fileName), '.') || '.'}/`;
    return { code: code.replaceAll(DIST, `new URL(${JSON.stringify(up)}, import.meta.url)`), map: null };
  },
};

/** Every module that importing the package loads: those that static imports reach. They go into one file. */
function staticModules(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)\b[^;]*?\bfrom '(\.[^']+)';/gm,
  )) {
    staticModules(join(dirname(file), specifier), found);
  }
  return found;
}

const core = staticModules(join(dist, 'index.js'));
rmSync(join(dist, 'chunks'), { recursive: true, force: true });
const bundle = await rolldown({
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, join(dist, `${entry}.js`)])),
  platform: 'node',
  external: (id) => !id.startsWith('.') && !id.startsWith(dist),
  plugins: [keepModuleUrls],
  onLog(level, log, show) {
    // What one entry loads on demand, another may need at once.
    if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') show(level, log);
  },
});
const { output: joined } = await bundle.write({
  dir: dist,
  format: 'esm',
  sourcemap: true,
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  codeSplitting: { groups: [{ name: 'core', test: (id) => core.has(id) }] },
});
await bundle.close();

const agentBundle = await rolldown({
  input: Object.fromEntries(AGENTS.map((entry) => [entry, join(dist, `${entry}.js`)])),
  platform: 'node',
  external: (id) => !id.startsWith('.') && !id.startsWith(dist),
  plugins: [keepModuleUrls],
});
const { output: agent } = await agentBundle.write({
  dir: dist,
  format: 'esm',
  sourcemap: true,
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/agent-[name]-[hash].js',
});
await agentBundle.close();
const output = [...joined, ...agent];

// A bundler may bring in helpers of its own; an installed package has only what its package.json names.
const { dependencies } = JSON.parse(readFileSync(join(dirname(dist), 'package.json'), 'utf8'));
const ours = new Set(output.map(({ fileName }) => fileName));
for (const { fileName, imports = [] } of output) {
  for (const id of imports) {
    if (
      ours.has(id) ||
      isBuiltin(id) ||
      Object.keys(dependencies).some((name) => id === name || id.startsWith(`${name}/`))
    )
      continue;
    throw new Error(`${fileName} imports ${id}, which is no dependency of the package`);
  }
}
