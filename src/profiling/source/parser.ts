import type * as Acorn from 'acorn';
import { createRequire } from 'node:module';

/** The parser is heavy and only profiles need it. Null where it was removed: V8's own frames are used then. */
export function loadParser(): typeof Acorn | null {
  try {
    return createRequire(import.meta.url)('acorn') as typeof Acorn;
  } catch {
    return null;
  }
}
