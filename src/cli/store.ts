import { access, constants } from 'node:fs/promises';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fail } from '../errors.js';
import { openStore, type Store } from '../storage/store.js';
import type { Terminal } from './terminal.js';
import { makeFolder } from '../storage/make-folder.js';

/**
 * Makes sure that a verb which takes a minute to measure will be able to store what it measured, before it
 * starts anything.
 *
 * @throws STORAGE_NOT_A_DIRECTORY, STORAGE_NOT_WRITABLE, DOCUMENT_CORRUPT for an unreadable config.json.
 */
export async function prepareStorage(path: string): Promise<void> {
  const folder = resolve(path);
  if (existsSync(folder) && !statSync(folder).isDirectory()) {
    throw fail('STORAGE_NOT_A_DIRECTORY', { path: folder });
  }
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOTDIR' || code === 'EEXIST') throw fail('STORAGE_NOT_A_DIRECTORY', { path: folder });
    throw fail(
      'STORAGE_NOT_WRITABLE',
      { path: folder, reason: message },
      { cause, ...(code && { errno: code }) },
    );
  }
  const store = openStore(folder);
  store.checkWritable();
  store.config();
}

/** A store to read from. One that does not exist yet is empty, and the user is told so. */
export function readStorage(path: string, terminal: Terminal): Store {
  const store = openStore(path);
  if (!existsSync(store.path)) {
    terminal.warn(
      `There is no store at ${store.path} yet. Give another with --storage, or fill it with sysopt profile.`,
    );
    return store;
  }
  for (const problem of store.problems()) terminal.warn(problem);
  return store;
}
