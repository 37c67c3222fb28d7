/**
 * Listens to abort signals, once for each signal however many wait for it: a service hands its one signal for shutdown to
 * thousands of calls, and Node warns of a leak from the eleventh listener on.
 */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `abort` when the signal fires, which it has not yet.
 *
 * @returns a function that stops listening.
 */
export function listenForAbort(signal: AbortSignal, abort: () => void): () => void {
  const calls = waiting.get(signal) ?? listen(signal);
  // The same function may wait twice.
  const call = () => abort();
  calls.add(call);
  return () => {
    calls.delete(call);
    // A listener would keep some signals alive for ever, such as those of `AbortSignal.any`.
    if (calls.size === 0 && waiting.get(signal) === calls) {
      waiting.delete(signal);
      signal.removeEventListener('abort', fire);
    }
  };
}

function listen(signal: AbortSignal): Set<() => void> {
  signal.addEventListener('abort', fire, { once: true });
  const calls = new Set<() => void>();
  waiting.set(signal, calls);
  return calls;
}

function fire(this: AbortSignal): void {
  const calls = waiting.get(this);
  waiting.delete(this);
  if (calls === undefined) return;
  // Each may end others, which then wait no more.
  for (const call of calls) call();
}
