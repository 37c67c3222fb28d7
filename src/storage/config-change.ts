/** Changing config.json, also against other processes that change it at the same time. */
import { describe, fail } from '../errors.js';
import { measuredHere } from '../host/environment.js';
import { differenceBetween } from '../host/measured-on.js';
import type { MemoryChoice } from '../model/choice.js';
import type { StoredChoice, StoredConfig } from '../model/config.js';
import { SCHEMA_VERSION } from '../model/types.js';
import { writeAtomic } from './atomic-file.js';
import { CHOICE_KINDS, isChoice, readConfig } from './config-file.js';
import { withFileLock } from './file-lock.js';
import type { Layout } from './layout.js';

const SUBJECT_KEY = /^(?:struct|pool|computation|job|workload):./s;

/** Part of the configuration to replace. */
export interface ConfigChange {
  readonly memory?: MemoryChoice;
  readonly subject?: { readonly key: string; readonly stored: StoredChoice };
  /** In place of all that are there. */
  readonly runtimeFlags?: readonly string[];
  /** Beside those that are there, in place of those with the same name. */
  readonly addedRuntimeFlags?: readonly string[];
  /** Beside those that are there, in place of those with the same name. */
  readonly addedEnvironment?: Readonly<Record<string, string>>;
}

/**
 * Changes a part of config.json and leaves the rest as it is.
 *
 * @throws INVALID_ARGUMENT, STORAGE_NOT_WRITABLE; DOCUMENT_CORRUPT where the present file cannot be read: it is
 * not overwritten.
 */
export async function changeConfig(layout: Layout, change: ConfigChange): Promise<void> {
  checkChange(change);
  const here = measuredHere();
  await withFileLock(`${layout.config}.lock`, async () => {
    const present = readConfig(layout);
    const isHostWide = [
      change.memory,
      change.runtimeFlags,
      change.addedRuntimeFlags,
      change.addedEnvironment,
    ].some(Boolean);
    // What was measured on another host, or with another Node, must not pass for what was measured here.
    const kept = !isHostWide || (present && differenceBetween(present, here) === null) ? present : null;
    const next: StoredConfig = {
      ...present,
      schemaVersion: SCHEMA_VERSION,
      updatedAt: new Date().toISOString(),
      hostId: (kept ?? here).hostId,
      node: (kept ?? here).node,
      library: (kept ?? here).library,
      defaults: { ...kept?.defaults, ...(change.memory && { memory: change.memory }) },
      subjects: {
        ...present?.subjects,
        ...(change.subject && { [change.subject.key]: change.subject.stored }),
      },
      runtimeFlags: mergeFlags(
        change.runtimeFlags ?? kept?.runtimeFlags ?? [],
        change.addedRuntimeFlags ?? [],
      ),
      environment: { ...kept?.environment, ...change.addedEnvironment },
    };
    await writeAtomic(layout.config, `${JSON.stringify(next, null, 2)}\n`);
  });
}

/** A flag given twice would leave it to Node which one counts. */
function mergeFlags(present: readonly string[], added: readonly string[]): string[] {
  const names = new Set(added.map(flagName));
  return [...present.filter((flag) => !names.has(flagName(flag))), ...added];
}

function flagName(flag: string): string {
  return flag.split('=')[0]!;
}

function checkChange(change: ConfigChange): void {
  const { memory, subject, runtimeFlags, addedRuntimeFlags, addedEnvironment = {} } = change;
  const refuse = (name: string, value: unknown, expected: string): never => {
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
  };
  if (memory !== undefined && !isChoice(memory, ['memory'])) refuse('memory', memory, 'a memory choice');
  for (const flags of [runtimeFlags, addedRuntimeFlags]) {
    if (flags?.some((flag) => typeof flag !== 'string' || !flag.startsWith('-')))
      refuse('runtimeFlags', flags, 'flags such as --max-semi-space-size=64');
  }
  for (const [name, value] of Object.entries(addedEnvironment)) {
    if (!/^[A-Za-z_]\w*$/.test(name) || typeof value !== 'string')
      refuse('environment', `${name}=${String(value)}`, 'names and texts, such as UV_THREADPOOL_SIZE: "8"');
  }
  if (!subject) return;
  if (typeof subject.key !== 'string' || !SUBJECT_KEY.test(subject.key)) {
    refuse('key', subject.key, '<kind>:<name>, such as struct:Order');
  }
  const { choice, profileId, hostId, node, library } = (subject.stored ?? {}) as Partial<StoredChoice>;
  if (!isChoice(choice, CHOICE_KINDS)) refuse('choice', choice, 'a choice');
  if (typeof hostId !== 'string') refuse('hostId', hostId, 'the id of the host it was measured on');
  if (typeof node !== 'string') refuse('node', node, 'the version of Node that it was measured with');
  if (typeof library !== 'string')
    refuse('library', library, 'the version of this package that it was measured with');
  if (typeof profileId !== 'string') refuse('profileId', profileId, 'the id of the profile it comes from');
}
