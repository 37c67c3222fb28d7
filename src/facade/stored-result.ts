/**
 * Stores a result with V8's own profile. Where the process exits in the middle of it, an `exit` hook finishes what is
 * missing, synchronously and of the same result, so that it is there once and whole. What an unfinished save has written
 * already is written again over itself.
 */
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Signals } from '../model/signals.js';
import type { RawFormat } from '../storage/layout.js';
import type { SaveAtExit, Store } from '../storage/store.js';

export interface RawProfile {
  readonly format: RawFormat;
  readonly profile: unknown;
}

/** V8's own profile in signals, where they have it. */
export function rawProfileOf({ type, rawProfile }: Signals): RawProfile | undefined {
  if (rawProfile === undefined) return undefined;
  return { format: type === 'memory' ? 'heapprofile' : 'cpuprofile', profile: rawProfile };
}

/**
 * @param saveAtExit of the store, loaded ahead: the hook is on when this returns its promise.
 * @param warn told that V8's own profile could not be kept: the result is stored all the same.
 * @throws StorageError
 */
export async function storeResult(
  result: ProfilingResult,
  raw: RawProfile | undefined,
  { store, saveAtExit }: { readonly store: Store; readonly saveAtExit: SaveAtExit },
  warn: (message: string) => void,
): Promise<void> {
  let isStored = false;
  const onExit = () => {
    try {
      saveAtExit(result, { raw, isStored });
    } catch {
      // The process is on its way out and must go as it would have gone without us.
    }
  };
  process.once('exit', onExit);
  try {
    await store.saveResult(result);
    isStored = true;
    if (raw === undefined) return;
    // The result is stored; what is missing is for other tools.
    await store.saveRawProfile(result.id, raw.format, raw.profile).catch((error: unknown) => {
      warn(`V8's own profile of ${result.id} could not be kept: ${String(error)}`);
    });
  } finally {
    process.off('exit', onExit);
  }
}
