/**
 * Reading config.json: what is in force for services that use this store. A service's constructor reads it, so it
 * is synchronous and checked by hand, without zod.
 */
import { readFileSync } from 'node:fs';
import { describe, fail } from '../errors.js';
import type { StoredConfig } from '../model/config.js';
import { SCHEMA_VERSION } from '../model/types.js';
import type { Layout } from './layout.js';
import { corrupt } from './storage-error.js';

export const CHOICE_KINDS = ['memory', 'pool', 'size_classes', 'computation', 'thread'];

/**
 * The configuration, or null where nothing has been put in force yet.
 *
 * @throws DOCUMENT_CORRUPT naming the field, DOCUMENT_TOO_NEW.
 */
export function readConfig(layout: Layout): StoredConfig | null {
  let text: string;
  try {
    text = readFileSync(layout.config, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw corrupt(layout.config, error);
  }
  let config: StoredConfig;
  try {
    config = JSON.parse(text) as StoredConfig;
  } catch (error) {
    throw corrupt(layout.config, error);
  }
  const version: unknown = (config as Partial<StoredConfig> | null)?.schemaVersion;
  if (typeof version === 'number' && version > SCHEMA_VERSION) {
    throw fail('DOCUMENT_TOO_NEW', { path: layout.config, found: version, supported: SCHEMA_VERSION });
  }
  const problem = problemOf(config);
  if (problem) throw corrupt(layout.config, problem);
  return config;
}

function problemOf(config: StoredConfig): string | undefined {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(config)) return `it holds ${describe(config)}, not an object`;
  if (typeof config.schemaVersion !== 'number') return '"schemaVersion" is missing';
  if (typeof config.hostId !== 'string') return '"hostId" is missing';
  if (!isObject(config.defaults)) return '"defaults" is no object';
  const memory: unknown = config.defaults.memory;
  if (memory !== undefined && !isChoice(memory, ['memory'])) return '"defaults.memory" is no memory choice';
  if (!isObject(config.subjects)) return '"subjects" is no object';
  for (const [key, stored] of Object.entries(config.subjects)) {
    const isStored = isObject(stored) && isChoice(stored.choice, CHOICE_KINDS);
    if (!isStored || typeof stored.profileId !== 'string' || typeof stored.hostId !== 'string') {
      return `"subjects.${key}" is no stored choice`;
    }
  }
  const variables: unknown = config.environment ?? {};
  if (!isObject(variables) || !Object.values(variables as object).every((value) => typeof value === 'string'))
    return '"environment" is no object of texts';
  const flags: unknown = config.runtimeFlags;
  const areFlags = Array.isArray(flags) && flags.every((flag) => typeof flag === 'string');
  return areFlags ? undefined : '"runtimeFlags" is no list of texts';
}

export function isChoice(value: unknown, kinds: readonly string[]): boolean {
  return kinds.includes((value as { kind?: unknown } | null)?.kind as string);
}
