import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { settingsJsonSchema } from '../../../dist/settings/parse.js';

it('publishes a JSON Schema for each tree, with groups as booleans or objects', async () => {
  const schemas: any = await settingsJsonSchema();
  expect(Object.keys(schemas)).toEqual(['memory', 'thread', 'computation', 'profile', 'optimizer']);
  const alignment = schemas.memory.properties.cacheOptimization.anyOf[1].properties.dataAlignment;
  expect(alignment.anyOf[0]).toEqual({ type: 'boolean' });
  expect(alignment.anyOf[1].properties.structPacking.enum).toEqual([
    'minimal_padding',
    'cache_line',
    'declared',
  ]);
  expect(alignment.anyOf[1].additionalProperties).toBe(false);
});

it('describes every leaf', async () => {
  const undescribed: string[] = [];
  const walk = (node: any, path: string): void => {
    const children = Object.assign(
      {},
      node.properties,
      ...(node.anyOf ?? []).map((option: any) => option.properties ?? {}),
    );
    const keys = Object.keys(children);
    if (keys.length === 0 && !node.description) undescribed.push(path);
    for (const key of keys) walk(children[key], `${path}.${key}`);
  };
  for (const [name, schema] of Object.entries(await settingsJsonSchema())) walk(schema, name);
  expect(undescribed.filter((path) => !path.startsWith('optimizer.retention.'))).toEqual([]);
});

it('loads zod at the first parse, not at import', () => {
  const dist = new URL('../../../dist/settings/', import.meta.url).href;
  const script = `
    await import('${dist}optimizer.js');
    await import('${dist}call.js');
    const { parseMemorySettings } = await import('${dist}parse.js');
    const before = globalThis.__zod_globalConfig !== undefined;
    await parseMemorySettings({});
    console.log(before, globalThis.__zod_globalConfig !== undefined);
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(output.trim()).toBe('false true');
});
