/** Modules that an option names: subjects, rules and samplers. */
import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail } from '../errors.js';
import { UsageError } from './exit-code.js';

export interface LoadedModule {
  readonly path: string;
  readonly url: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** @throws UsageError where there is no such file; SUBJECT_UNLOADABLE where it throws or imports what is not there. */
export async function loadModule(file: string, option: string): Promise<LoadedModule> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new UsageError(`There is no file ${path}.`, `Check the path given with ${option}.`);
  }
  const url = pathToFileURL(path).href;
  try {
    return { path, url, exports: (await import(url)) as Record<string, unknown> };
  } catch (cause) {
    throw unloadable(path, messageOf(cause), remedyFor(cause, file, dirname(path)), cause);
  }
}

/** SUBJECT_UNLOADABLE, to be thrown. */
export function unloadable(path: string, reason: string, remedy: string, cause?: unknown): Error {
  return fail('SUBJECT_UNLOADABLE', { subject: path, reason, remedy }, cause === undefined ? {} : { cause });
}

/** A package that the module imports and that is not installed beside it; else it has a fault of its own. */
function remedyFor(cause: unknown, file: string, folder: string): string {
  const missing = /^Cannot find package '([^']+)'/.exec(messageOf(cause))?.[1];
  if (missing === undefined) return `Make \`node ${file}\` run on its own first.`;
  const from = relative(process.cwd(), folder);
  return `Install it there: ${from === '' ? '' : `cd ${from} && `}npm install ${missing}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
