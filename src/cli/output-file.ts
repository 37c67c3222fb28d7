/** Files that a verb was asked to write, named by an option: what cannot be written is said in that option's name. */
import { constants } from 'node:fs';
import { access, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fail } from '../errors.js';
import { makeFolder } from '../storage/make-folder.js';
import { reasonOf } from '../storage/storage-error.js';

/** @returns the absolute path. @throws OUTPUT_NOT_WRITABLE */
export async function writeOutput(
  file: string,
  content: string | Uint8Array,
  option: string,
): Promise<string> {
  const path = resolve(file);
  try {
    await makeFolder(dirname(path));
    await writeFile(path, content);
  } catch (error) {
    throw notWritable(path, option, error);
  }
  return path;
}

/**
 * For a verb that takes a while: whether the file can be written when it is done, as far as can be told before.
 *
 * @throws OUTPUT_NOT_WRITABLE
 */
export async function checkOutput(file: string, option: string): Promise<void> {
  const path = resolve(file);
  try {
    const existing = await stat(path).catch(() => null);
    if (existing?.isDirectory()) throw new Error('it is a directory');
    if (existing !== null) await access(path, constants.W_OK);
    else {
      await makeFolder(dirname(path));
      await access(dirname(path), constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    throw notWritable(path, option, error);
  }
}

function notWritable(path: string, option: string, cause: unknown) {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = (reasonOf(code) ?? message).replace(/\.$/, '');
  return fail('OUTPUT_NOT_WRITABLE', { path, reason, option }, { cause, ...(code && { errno: code }) });
}
