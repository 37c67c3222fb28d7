/**
 * How a thread waits for its turn at something shared: asleep in the kernel where it may block, on a promise where it may
 * not. One loop for every primitive.
 *
 * Method: an event count in general terms. The waiter says that it waits (`enterWait`), reads the word it will sleep
 * on (`ticket`), tries once more, and sleeps only while the word still has that value; so a change between trying
 * and sleeping is never missed. `Atomics.waitAsync` does not keep the event loop alive, so a timer does.
 *
 * A sleeper looks again by itself every quarter of a second: a thread that was terminated may have taken a wake-up with
 * it. Rejected for asynchronous waits: one `waitAsync` without a time limit, because an abandoned one stays in V8's
 * list for ever and swallows a wake-up that was meant for another; now the one who abandons it passes that on.
 */

/** A sleeper looks again after this long at the latest. */
export const LOOK_AGAIN_MS = 250;
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** Something that threads take turns at. Implementations hold no state of one wait: several may be under way. */
export interface Turn<A, R> {
  /** Where the word to sleep on stands. */
  readonly words: Int32Array;
  readonly index: number;
  /** Takes the turn; undefined where it is not ours yet. Throws where it never will be, as after closing. */
  attempt(argument: A, hasWaited: boolean): R | undefined;
  /** From here on, whoever gives up the turn must wake a sleeper. */
  enterWait(): void;
  leaveWait(): void;
  /** The value of the word while the turn is not ours. */
  ticket(): number;
}

/** Blocks this thread for its turn; undefined when the time is over. The turn is tried at least once. */
export function blockUntil<A, R>(turn: Turn<A, R>, argument: A, timeoutMs: number): R | undefined {
  const deadlineMs = performance.now() + timeoutMs;
  turn.enterWait();
  try {
    for (;;) {
      const ticket = turn.ticket();
      const result = turn.attempt(argument, true);
      if (result !== undefined) return result;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return undefined;
      Atomics.wait(turn.words, turn.index, ticket, Math.min(leftMs, LOOK_AGAIN_MS));
    }
  } finally {
    turn.leaveWait();
  }
}

/** In every supported Node, but in TypeScript's library only from ES2024 on. */
interface WaitAsync {
  waitAsync(
    words: Int32Array,
    index: number,
    value: number,
    timeoutMs: number,
  ): { async: false; value: string } | { async: true; value: Promise<string> };
}

/** Waits for the turn without blocking; undefined when the time is over or the signal fired. */
export async function waitUntil<A, R>(
  turn: Turn<A, R>,
  argument: A,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<R | undefined> {
  const deadlineMs = performance.now() + timeoutMs;
  turn.enterWait();
  // Keeps the event loop alive; that is all it does.
  const alive = setInterval(() => undefined, NO_TIMEOUT_MS);
  try {
    for (;;) {
      const ticket = turn.ticket();
      const result = turn.attempt(argument, true);
      if (result !== undefined) return result;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0 || signal?.aborted === true) return undefined;
      await sleep(turn, ticket, Math.min(leftMs, LOOK_AGAIN_MS), signal);
    }
  } finally {
    clearInterval(alive);
    turn.leaveWait();
  }
}

/** Until the word is notified, the time is over or the signal fires. */
async function sleep(
  { words, index }: Turn<never, unknown>,
  ticket: number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const outcome = (Atomics as unknown as WaitAsync).waitAsync(words, index, ticket, Math.ceil(timeoutMs));
  if (!outcome.async) {
    // The word moved on already. Another turn of the event loop, so that contention never starves it.
    await new Promise((resolve) => setImmediate(resolve));
    return;
  }
  if (signal === undefined) {
    await outcome.value;
    return;
  }
  let onAbort!: () => void;
  let isAwake = false;
  const aborted = new Promise<void>((resolve) => {
    onAbort = () => {
      // V8 cannot be told that nobody waits here any more: a wake-up that still comes belongs to somebody else.
      if (!isAwake) void outcome.value.then((how) => how === 'ok' && Atomics.notify(words, index, 1));
      resolve();
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  const awake = outcome.value.then(() => {
    isAwake = true;
  });
  await Promise.race([awake, aborted]);
  signal.removeEventListener('abort', onAbort);
}
