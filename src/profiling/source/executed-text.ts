/**
 * The text that V8 executed for a file, as far as the file on disk tells: its places are those that samples name.
 *
 * JavaScript is executed as it stands. TypeScript is where Node itself strips the types, which leaves blanks in their place
 * (Node's documentation, "Type stripping"), and that can be done again. What a loader transforms is executed from memory, and
 * what is on disk has other lines: V8 has to be asked for it (`executed-scripts.ts`).
 */
import * as nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';
import { withoutWarnings } from '../without-warnings.js';

export const TYPESCRIPT = /\.[cm]?tsx?$/;

/** What newer Nodes have. */
interface Stripping {
  readonly stripTypeScriptTypes?: (code: string) => string;
}

/** @returns null where it cannot be had. */
export function executedText(file: string, text: string): string | null {
  if (!TYPESCRIPT.test(file)) return text;
  // Node itself runs no `.tsx`.
  if (file.endsWith('x') || isTransformed(file)) return null;
  const { stripTypeScriptTypes: strip } = nodeModule as Stripping;
  const { typescript } = process.features as { readonly typescript?: unknown };
  if (strip === undefined || typescript !== 'strip') return null;
  try {
    return withoutWarnings(() => strip(text));
  } catch {
    // Syntax that stripping does not cover; Node would not have run it either.
    return null;
  }
}

/** A loader that transforms registers a source map. */
function isTransformed(file: string): boolean {
  return (
    nodeModule.findSourceMap(file) !== undefined ||
    nodeModule.findSourceMap(pathToFileURL(file).href) !== undefined
  );
}
