/**
 * A full collection, now. The inspector's own command only schedules one. V8 hands its `gc` function to contexts
 * made while `--expose-gc` is set, so a context is made for it and the flag is cleared again: the program's own
 * global object never sees it.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** @throws Error where this V8 does not give its `gc` function. */
export function collectFully(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    try {
      collect = runInNewContext('gc') as () => void;
    } finally {
      setFlagsFromString('--no-expose-gc');
    }
  }
  collect();
}
