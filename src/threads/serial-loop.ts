/** A whole loop on the calling thread: what a job does where threads do not pay. */
import { runUnits } from './kernel-run.js';
import { kernelCall } from './kernel.js';
import { loadedTask, loadTask } from './load-task.js';
import { aborted } from './loop-errors.js';
import { WARM_UP_CALLS } from './loop-participant.js';
import { loopOf, type ParallelForOptions } from './loop-options.js';
import type { AnyFunction } from './task.js';

const warmed = new WeakSet<AnyFunction>();

/** Partial results by unit, as threads give them; empty where none are wanted. Rejects as `parallelFor` does. */
export async function runSerially<S>(options: ParallelForOptions<S>, reduces: boolean): Promise<unknown[]> {
  const checked = loopOf(options, reduces, 1);
  const kernel = loadedTask(options.task) ?? (await loadTask(options.task));
  const loop = { ...checked, kernel: kernelCall(kernel, options.shared) };
  const { units } = loop;
  // One giant first call would be compiled while it runs; see WARM_UP_CALLS.
  const piece = warmed.has(kernel) ? Math.max(1, units) : Math.max(1, Math.ceil(units / WARM_UP_CALLS));
  for (let first = 0; first < units; first += piece) {
    // While the task was loaded, or by the kernel: nobody else could since.
    if (loop.signal?.aborted === true) throw aborted(loop.task, loop.signal);
    runUnits(loop, first, Math.min(units, first + piece));
  }
  warmed.add(kernel);
  return loop.partials ?? [];
}
