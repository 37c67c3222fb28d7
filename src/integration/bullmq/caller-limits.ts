/** What a caller may end its own wait by: a signal and a deadline. */
import { fail } from '../../errors.js';
import { listenForAbort } from '../../threads/abort-listeners.js';
import { taskLabel, type Task } from '../../threads/task.js';
import { MAX_TIMER_MS } from '../../timers.js';

/** The outcome, unless the caller's signal or deadline comes first; `giveUp` is then called. */
export function endedBy<T>(
  outcome: Promise<T>,
  task: Task,
  signal: AbortSignal | undefined,
  deadlineMs: number | undefined,
  calledAt: number,
  giveUp: () => void,
): Promise<T> {
  if (signal === undefined && deadlineMs === undefined) return outcome;
  return new Promise<T>((resolve, reject: (error: Error) => void) => {
    const end = () => {
      clearTimeout(timer);
      stopListening?.();
    };
    const onAbort = () => {
      end();
      giveUp();
      reject(abortedError(task, signal!));
    };
    const onDeadline = () => {
      end();
      giveUp();
      reject(fail('TASK_TIMED_OUT', { task: taskLabel(task), deadlineMs: deadlineMs! }));
    };
    const restMs = deadlineMs === undefined ? Infinity : calledAt + deadlineMs - Date.now();
    const timer = restMs > MAX_TIMER_MS ? undefined : setTimeout(onDeadline, Math.max(0, restMs));
    let stopListening: (() => void) | undefined;
    if (signal?.aborted === true) return onAbort();
    if (signal !== undefined) stopListening = listenForAbort(signal, onAbort);
    outcome.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: Error) => {
        end();
        reject(error);
      },
    );
  });
}

export function abortedError(task: Task, signal: AbortSignal): Error {
  return fail('ABORTED', { what: taskLabel(task) }, { cause: signal.reason });
}
