/**
 * Shows a new cursor class its failing paths before the first loop, so that V8 compiles loops over cursors well.
 *
 * Why: a call that never ran compiles to a deoptimisation, and one within an inlined setter is an exit of the loop
 * that V8 does not mark. It does not peel loops with such exits, and without peeling, code that was entered in the
 * middle of a loop (on-stack replacement, as in every first long loop) keeps `sum` in `sum += p.x` as an object: 16
 * bytes a record and 2 to 4 times the time. A call with feedback returns into the loop, as far as V8 knows.
 * Seen with `--trace-turbo-inlining` and heap growth by call on Node 20; `bench/cases/struct-scan.js` keeps watch.
 *
 * Rejected: checks without a call (an index out of range would write into another record or nowhere).
 */
import type { AccessNode, Codec } from './access-plan.js';
import { whileRefusingQuietly, type RawCursor } from './accessor-runtime.js';

/** V8 gives a function its memory of types after some 1,000 bytes of bytecode; the smallest method takes 64 calls. */
const CALLS = 64;
/** No index: refused before anything is read or written. */
const NOWHERE = -1;

interface Elements {
  readonly length: number;
  get?(k: number): unknown;
  at?(k: number): unknown;
}

/**
 * Takes some 100 µs for the class of a record, and again for each fixed array in it. Changes no memory.
 * @param cursor the first of its class, over an array that is not empty; left on record 0
 */
export function warmCursor(cursor: RawCursor, root: AccessNode): void {
  whileRefusingQuietly((refused) => {
    for (let call = 0; call < CALLS; call += 1) {
      refused(() => {
        cursor.index = NOWHERE;
      });
      cursor.index = 0;
    }
    visit(cursor, root, refused);
  });
}

/** Reading makes nothing and throws nothing, whatever is in memory. */
function isPlain({ kind }: Codec): boolean {
  return kind === 'number' || kind === 'bool' || kind === 'bit';
}

function visit(accessor: unknown, node: AccessNode, refused: (access: () => void) => void): void {
  if (node.kind === 'leaf') return;
  if (node.kind === 'struct') {
    const fields = accessor as Record<string, unknown>;
    for (const { name, access } of node.members) {
      // A getter without feedback is called in place of inlined, and a double that it returns is an object.
      for (let call = 0; call < CALLS && access.kind === 'leaf' && isPlain(access.codec); call += 1) {
        void fields[name];
      }
      if (access.kind !== 'leaf') visit(fields[name], access, refused);
    }
    return;
  }
  const elements = accessor as Elements;
  for (let call = 0; call < CALLS; call += 1) {
    refused(() => void (elements.get ?? elements.at)?.call(elements, NOWHERE));
    (elements.get ?? elements.at)?.call(elements, 0);
  }
  if (elements.at !== undefined) visit(elements.at(0), node.element, refused);
}
