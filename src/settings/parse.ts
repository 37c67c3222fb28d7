/**
 * Entry points of the settings room. Schemas, and zod with them, are loaded at the first call; importing this
 * module costs nothing.
 */
import { checkSignal, keysOfCall } from './call.js';
import type { ComputationSettings } from './computation.js';
import type { MemorySettings } from './memory.js';
import { normaliseTree } from './normalise.js';
import type { ProfileOptions } from './profile.js';
import type { ThreadSettings } from './threads.js';

/**
 * Settings of `optimizeMemory` from what a caller wrote, in camelCase or snake_case, with defaults filled in.
 *
 * @throws SettingsError `UNKNOWN_SETTING` or `INVALID_SETTING`, naming the full path and the nearest valid one.
 *
 * @example
 * await parseMemorySettings({ cache_optimization: { data_alignment: { struct_packing: 'cache_line' } } });
 * // { cacheOptimization: { dataAlignment: { structPacking: 'cache_line', cacheLineOptimization: 64 } } }
 */
export function parseMemorySettings(input: unknown): Promise<MemorySettings> {
  return parse('memory', input) as Promise<MemorySettings>;
}

/** Settings of `optimizeThreads`; as `parseMemorySettings`. */
export function parseThreadSettings(input: unknown): Promise<ThreadSettings> {
  return parse('thread', input) as Promise<ThreadSettings>;
}

/** Settings of `optimizeComputation`, without the caller's data (see `splitCall`); as `parseMemorySettings`. */
export function parseComputationSettings(input: unknown): Promise<ComputationSettings> {
  return parse('computation', input) as Promise<ComputationSettings>;
}

/**
 * Options of `profileSystem`, with defaults filled in.
 *
 * @throws SettingsError as `parseMemorySettings`, also for a `signal` that is no AbortSignal.
 *
 * @example
 * await parseProfileOptions({ type: 'cpu', duration_ms: 2_000 });
 */
export async function parseProfileOptions(input: unknown): Promise<ProfileOptions> {
  return (await parse('profile', input, new Set(['signal']))) as ProfileOptions;
}

/** JSON Schemas (draft 2020-12) of everything that can be set, by name. Both spellings of a key are accepted; these show camelCase. */
export async function settingsJsonSchema(): Promise<Record<SchemaName | 'optimizer', object>> {
  const [memory, thread, computation, profile, optimizer] = await Promise.all([
    jsonSchemaOf('memory'),
    jsonSchemaOf('thread'),
    jsonSchemaOf('computation'),
    jsonSchemaOf('profile'),
    jsonSchemaOf('optimizer'),
  ]);
  return { memory, thread, computation, profile, optimizer };
}

type SchemaName = 'memory' | 'thread' | 'computation' | 'profile';

async function loadSchema(name: SchemaName | 'optimizer') {
  switch (name) {
    case 'memory':
      return (await import('./memory.js')).memorySettingsSchema;
    case 'thread':
      return (await import('./threads.js')).threadSettingsSchema;
    case 'computation':
      return (await import('./computation.js')).computationSettingsSchema;
    case 'profile':
      return (await import('./profile.js')).profileOptionsSchema;
    case 'optimizer':
      return (await import('./optimizer-schema.js')).optimizerOptionsSchema;
  }
}

async function parse(name: SchemaName, input: unknown, opaque?: ReadonlySet<string>): Promise<unknown> {
  const { value, writtenAs } = normaliseTree(input, opaque);
  const taken: Record<string, unknown> = {};
  let settings = value;
  if (opaque && typeof value === 'object' && value !== null) {
    const { signal, ...rest } = value as Record<string, unknown>;
    if (signal !== undefined) {
      checkSignal(signal);
      taken['signal'] = signal;
    }
    settings = rest;
  }
  const schema = await loadSchema(name);
  const result = schema.safeParse(settings);
  if (result.success) return { ...(pruned(result.data) as object), ...taken };
  const { explain } = await import('./explain.js');
  // The first issue is reported, an unknown key before a wrong value: it is usually the cause of the other.
  const issues = result.error.issues;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  throw explain(
    issue!,
    settings,
    await jsonSchemaOf(name),
    writtenAs,
    name === 'profile' ? [] : keysOfCall(name),
  );
}

/** Without the keys whose value is undefined: a group that was switched off by `false` is absent, as if left out. */
function pruned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, pruned(item)]),
  );
}

async function jsonSchemaOf(name: SchemaName | 'optimizer'): Promise<object> {
  const [{ z }, { isGroup }, schema] = await Promise.all([
    import('zod'),
    import('./group.js'),
    loadSchema(name),
  ]);
  return z.toJSONSchema(schema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (!isGroup(zodSchema)) return;
      const object = { ...jsonSchema };
      for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[key];
      jsonSchema.anyOf = [{ type: 'boolean' }, object];
    },
  });
}
