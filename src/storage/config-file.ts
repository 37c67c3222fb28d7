/**
 * config.json: what is in force for services that use this store. A service's constructor reads it, so reading is
 * synchronous and checked by hand, without zod.
 */
import { readFileSync } from 'node:fs';
import { describe, fail } from '../errors.js';
import type { MemoryChoice } from '../model/choice.js';
import type { StoredChoice, StoredConfig } from '../model/config.js';
import { SCHEMA_VERSION } from '../model/types.js';
import { writeAtomic } from './atomic-file.js';
import { withFileLock } from './file-lock.js';
import type { Layout } from './layout.js';
import { corrupt } from './storage-error.js';

const CHOICE_KINDS = ['memory', 'pool', 'computation', 'thread'];
const SUBJECT_KEY = /^(?:struct|pool|computation|job|workload):./s;

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
  const flags: unknown = config.runtimeFlags;
  const areFlags = Array.isArray(flags) && flags.every((flag) => typeof flag === 'string');
  return areFlags ? undefined : '"runtimeFlags" is no list of texts';
}

function isChoice(value: unknown, kinds: readonly string[]): boolean {
  return kinds.includes((value as { kind?: unknown } | null)?.kind as string);
}

/** Part of the configuration to replace. */
export interface ConfigChange {
  readonly memory?: MemoryChoice;
  readonly subject?: { readonly key: string; readonly stored: StoredChoice };
  readonly runtimeFlags?: readonly string[];
}

/**
 * Changes config.json and leaves the rest of it as it is, also against other processes that change it now.
 *
 * @throws INVALID_ARGUMENT, STORAGE_NOT_WRITABLE; DOCUMENT_CORRUPT where the present file cannot be read: it is
 * not overwritten.
 */
export async function changeConfig(layout: Layout, change: ConfigChange): Promise<void> {
  checkChange(change);
  const hostId = await thisHostId();
  await withFileLock(`${layout.config}.lock`, async () => {
    const present = readConfig(layout);
    const isHostWide = change.memory !== undefined || change.runtimeFlags !== undefined;
    // `hostId` tells where defaults and flags were measured; each choice of a subject carries its own. What was
    // measured on another host must not pass for this one's.
    const kept = !isHostWide || present?.hostId === hostId ? present : null;
    const next: StoredConfig = {
      ...present,
      schemaVersion: SCHEMA_VERSION,
      updatedAt: new Date().toISOString(),
      hostId: kept?.hostId ?? hostId,
      defaults: { ...kept?.defaults, ...(change.memory && { memory: change.memory }) },
      subjects: {
        ...present?.subjects,
        ...(change.subject && { [change.subject.key]: change.subject.stored }),
      },
      runtimeFlags: change.runtimeFlags ?? kept?.runtimeFlags ?? [],
    };
    await writeAtomic(layout.config, `${JSON.stringify(next, null, 2)}\n`);
  });
}

/** Loaded at the first write: a process that only reads its choices needs no fingerprint of the host. */
export async function thisHostId(): Promise<string> {
  const { hostFingerprint } = await import('../host/environment.js');
  return hostFingerprint().id;
}

function checkChange({ memory, subject, runtimeFlags }: ConfigChange): void {
  const refuse = (name: string, value: unknown, expected: string): never => {
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
  };
  if (memory !== undefined && !isChoice(memory, ['memory'])) refuse('memory', memory, 'a memory choice');
  if (runtimeFlags?.some((flag) => typeof flag !== 'string' || !flag.startsWith('-'))) {
    refuse('runtimeFlags', runtimeFlags, 'flags such as --max-semi-space-size=64');
  }
  if (!subject) return;
  if (typeof subject.key !== 'string' || !SUBJECT_KEY.test(subject.key)) {
    refuse('key', subject.key, '<kind>:<name>, such as struct:Order');
  }
  const { choice, profileId, hostId } = (subject.stored ?? {}) as Partial<StoredChoice>;
  if (!isChoice(choice, CHOICE_KINDS)) refuse('choice', choice, 'a choice');
  if (typeof hostId !== 'string') refuse('hostId', hostId, 'the id of the host it was measured on');
  if (typeof profileId !== 'string') refuse('profileId', profileId, 'the id of the profile it comes from');
}
