/**
 * A profile that the end of its process cuts short is not lost: what was gathered until then is kept, synchronously, in
 * an `exit` hook that lives as long as the profile and what is made of it.
 *
 * Node emits `exit` for `process.exit`, for an uncaught error and for a loop that has nothing left to do; not where a
 * signal kills the process. What is done there is bounded by the window's own figures: to end the profile, diagnose and
 * write it. The rejected alternative, a thread that stores while this one waits, takes as long to
 * start and cannot have the service's own rules.
 */
import type { Signals } from '../model/signals.js';
import type { ProfileRun } from './session.js';

/** Stores signals, or does what it can, before it returns. */
export type Keep = (signals: Signals) => void;

/**
 * @param use makes something of the signals of a run that came to its end.
 * @param keep called instead where the process exits before `use` is done; undefined: nothing is.
 */
export async function keptAtExit<T>(
  run: ProfileRun,
  keep: Keep | undefined,
  use: (signals: Signals) => Promise<T> | T,
): Promise<T> {
  let isAborted = false;
  const onExit = () => {
    if (isAborted || keep === undefined) return;
    try {
      keep(run.end());
    } catch {
      // The process is on its way out and must go as it would have gone without us.
    }
  };
  process.once('exit', onExit);
  try {
    const signals = await run.finished.catch((error: unknown) => {
      isAborted = true;
      throw error;
    });
    return await use(signals);
  } finally {
    process.off('exit', onExit);
  }
}
