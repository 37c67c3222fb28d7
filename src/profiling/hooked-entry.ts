/**
 * A program whose first module only a hook of `require` can load: `node -r ts-node/register app.ts`, `-r @swc-node/register`.
 *
 * Node hands the first module to the loader of ES modules as soon as anything is preloaded by `--import`, the agent
 * itself for one, and that loader knows no `.ts` and nothing of those hooks: the program would end before it began. So
 * where such a hook is there, what no ES loader knows of that one file goes to `require`, as it would without us.
 *
 * Rejected: to preload the agent by `--require`. It waits for its connection before the program's first line, which
 * `require` cannot.
 */
import Module, { createRequire, register } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A module of Node's thread for hooks: text, because this file is joined with others. */
const HOOKS = `let entry;
export const initialize = (url) => { entry = url; };
export async function load(url, context, next) {
  if (url !== entry) return next(url, context);
  try {
    return await next(url, context);
  } catch (error) {
    if (error?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    return { format: 'commonjs', source: null, shortCircuit: true };
  }
}`;

const NATIVE = new Set(['', '.js', '.cjs', '.mjs', '.json', '.node', '.wasm']);

/** Does nothing for a first module that Node itself knows. Call it after what `-r` preloads, before the first module. */
export function letRequireLoadEntry(argv: readonly string[] = process.argv): void {
  const path = entryOf(argv[1]);
  if (path === undefined || NATIVE.has(extname(path))) return;
  // Node that strips types has an entry for its own files, and its ES loader knows them.
  const isStripped = Boolean((process.features as { readonly typescript?: unknown }).typescript);
  const hooks = (Module as unknown as { readonly _extensions: Record<string, unknown> })._extensions;
  if (isStripped || typeof hooks[extname(path)] !== 'function') return;
  register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data: pathToFileURL(path).href });
}

/** The file of the first module, as `require` finds it: with the endings that hooks have added. */
function entryOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  try {
    return createRequire(import.meta.url).resolve(given);
  } catch {
    return undefined;
  }
}
