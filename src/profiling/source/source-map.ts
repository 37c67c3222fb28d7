/**
 * From the place that V8 executed to the place that the user wrote. Node's own registry is asked first (it
 * knows maps of loaders that transform in memory, where source maps are enabled); otherwise the map that the
 * file names in its last lines is read, inline or beside it.
 */
import { readFileSync } from 'node:fs';
import { findSourceMap, SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface OriginalPlace {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

/** As in `source-index.ts`: no call of the program. */
const readUntraced = readFileSync;
const MAP_COMMENT = /\/\/[#@]\s*sourceMappingURL=(\S+)\s*$/m;

/** Finds the source map of one executed file; null where it has none that can be read. */
export function loadSourceMap(file: string, text: string | null): SourceMap | null {
  try {
    const registered = findSourceMap(file) ?? findSourceMap(pathToFileURL(file).href);
    if (registered !== undefined) return registered;
    if (text === null) return null;
    const url = MAP_COMMENT.exec(text.slice(-200_000))?.[1];
    if (url === undefined) return null;
    return new SourceMap(JSON.parse(readMap(url, file)) as SourceMapPayload);
  } catch {
    // A map that is missing or broken leaves the executed file's own lines, which are right too.
    return null;
  }
}

function readMap(url: string, file: string): string {
  const inline = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url);
  if (inline === null) return readUntraced(resolve(dirname(file), decodeURIComponent(url)), 'utf8');
  const [, base64, data] = inline;
  return base64 === undefined ? decodeURIComponent(data!) : Buffer.from(data!, 'base64').toString('utf8');
}

/** Line and column are 1-based, both ways. Null where the map has nothing for the place. */
export function originalPlace(
  map: SourceMap,
  file: string,
  line: number,
  column: number,
): OriginalPlace | null {
  const entry = map.findEntry(line - 1, column - 1);
  if (!('originalSource' in entry) || typeof entry.originalSource !== 'string') return null;
  const source = entry.originalSource;
  let path: string;
  try {
    path = source.startsWith('file:') ? fileURLToPath(source) : resolve(dirname(file), source);
  } catch {
    path = source;
  }
  return { file: path, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

/** What stood in the source at a 1-based place, where the map keeps names and has one for exactly this place. */
export function originalName(map: SourceMap, line: number, column: number): string | null {
  const entry = map.findEntry(line - 1, column - 1) as Partial<Record<string, unknown>>;
  const isHere = entry['generatedLine'] === line - 1 && entry['generatedColumn'] === column - 1;
  return isHere && typeof entry['name'] === 'string' && entry['name'] !== '' ? entry['name'] : null;
}
