/**
 * Files of one JSON object a line, which only ever grow. Each batch is one write, so processes that append at once
 * interleave whole batches. A line that a dying writer left unfinished costs only itself.
 */
import fs from 'node:fs/promises';
import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, makeFolderSync } from './make-folder.js';
import { writeError } from './storage-error.js';

const LINE_FEED = 0x0a;

/** @throws STORAGE_NOT_WRITABLE, STORAGE_NOT_A_DIRECTORY */
export async function appendJsonLines(path: string, values: readonly unknown[]): Promise<void> {
  if (values.length === 0) return;
  const lines = linesOf(values);
  try {
    await makeFolder(dirname(path));
    const file = await fs.open(path, 'a+');
    try {
      // After a torn line, a line break keeps the first new line from being lost with it.
      const prefix = (await endsInsideLine(file)) ? '\n' : '';
      await file.appendFile(prefix + lines, 'utf8');
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw writeError(path, error);
  }
}

/** As `appendJsonLines` without waiting for the disk, for a process that exits. Throws the same. */
export function appendJsonLinesSync(path: string, values: readonly unknown[]): void {
  try {
    makeFolderSync(dirname(path));
    const file = openSync(path, 'a+');
    try {
      const last = new Uint8Array(1);
      const { size } = fstatSync(file);
      const isInsideLine = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== LINE_FEED;
      writeFileSync(file, (isInsideLine ? '\n' : '') + linesOf(values));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw writeError(path, error);
  }
}

function linesOf(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

async function endsInsideLine(file: fs.FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const last = new Uint8Array(1);
  await file.read(last, 0, 1, size - 1);
  return last[0] !== LINE_FEED;
}

export interface ReadLines<T> {
  readonly values: T[];
  /** One sentence for each line that was skipped. */
  readonly problems: string[];
}

/**
 * Reads a file; a missing one holds nothing.
 * @param isWhole whether a parsed line is what the file should hold, `kind` (`no metric point`).
 */
export async function readJsonLines<T>(
  path: string,
  kind: string,
  isWhole: (value: Partial<T>) => boolean,
): Promise<ReadLines<T>> {
  const values: T[] = [];
  const problems: string[] = [];
  let text: string;
  try {
    text = await fs.readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') problems.push(`${path}: ${String(error)}`);
    return { values, problems };
  }
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    if (line === '') continue;
    const value = parse(line);
    if (value !== undefined && isWhole(value)) {
      values.push(value as T);
      continue;
    }
    const torn = i === lines.length - 1 ? ' (its writer stopped inside it)' : '';
    problems.push(`${path}: line ${i + 1} was skipped, it is no ${kind}${torn}.`);
  }
  return { values, problems };
}

function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
