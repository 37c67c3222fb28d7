/**
 * The lines that findings name, as they stand in the files: advice is read beside the code that it is about.
 *
 * Files are read when a result is made, on the machine that made it; a place inside Node, a bundle's source that is not
 * there, or a file that changed and became shorter have none.
 */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CodeLocation } from '../model/finding.js';

/** Longer ones are generated or minified: nobody reads them. */
const LONGEST_LINE = 200;
const LARGEST_FILE_BYTES = 2 * 2 ** 20;

/** Reads each file once: several findings of a result often lie in one. */
export class SourceLines {
  readonly #files = new Map<string, readonly string[]>();

  /** The line without its indentation; undefined where it cannot be had. */
  at({ file, line }: CodeLocation): string | undefined {
    let lines = this.#files.get(file);
    if (lines === undefined) {
      lines = linesOf(file);
      this.#files.set(file, lines);
    }
    const text = lines[line - 1]?.trim();
    return text === undefined || text === '' || text.length > LONGEST_LINE ? undefined : text;
  }
}

/** None where the file cannot be read. */
function linesOf(file: string): readonly string[] {
  try {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    if (!isAbsolute(path) || statSync(path).size > LARGEST_FILE_BYTES) return [];
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
