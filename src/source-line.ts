/**
 * The line that a finding names, as it stands in the file: advice is read beside the code that it is about.
 *
 * Files are read when a result is made, on the machine that made it; a place inside Node, a bundle's source that is not
 * there, or a file that changed and became shorter have none.
 */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CodeLocation } from './model/finding.js';

/** Longer ones are generated or minified: nobody reads them. */
const LONGEST_LINE = 200;
const LARGEST_FILE_BYTES = 2 * 2 ** 20;

/** @returns the line without its indentation; undefined where it cannot be had. Reads the file anew at each call. */
export function sourceLine({ file, line }: CodeLocation): string | undefined {
  try {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    if (!isAbsolute(path) || statSync(path).size > LARGEST_FILE_BYTES) return undefined;
    const text = readFileSync(path, 'utf8').split('\n')[line - 1]?.trim();
    return text === undefined || text === '' || text.length > LONGEST_LINE ? undefined : text;
  } catch {
    return undefined;
  }
}
