/**
 * A caller's part in a loop of its own: it takes chunks like any participant, for as long as it may be held up, and
 * leaves what is left to the threads. A loop that begins on the caller begins at once, where a thread first has to be woken;
 * and where the other CPUs are taken the caller simply does the loop alone.
 *
 * Rejected: waiting for the last chunk of a thread as long as it takes. A thread that lost its CPU has it for milliseconds;
 * so after a moment the caller gives its own CPU away and waits for a message.
 */
import { callUnits, type CallerLoop } from './kernel-run.js';
import type { LoopControl, Partials } from './loop-control.js';
import type { Chunk } from './partition/partitioner.js';

/** How long the caller looks for the end of the others' last chunks, in ms: about what waking a thread takes. */
const TAIL_MS = 0.03;

export interface CallerPart {
  readonly loop: CallerLoop;
  /** First unit of the loop that this run begins with. */
  readonly firstUnit: number;
  /** How long the caller may be held up, in ms; it looks at the clock after each chunk. */
  readonly limitMs: number;
}

/** `done`: every unit is finished. `waits`: others work on the last ones. `left`: its time is over. */
export type PartOutcome = 'done' | 'waits' | 'left';

/**
 * Takes part in a loop that is open, with a share that was joined.
 *
 * @param keep takes a partial result that is no number.
 * @throws TASK_THREW with the range that threw.
 */
export function takePart(
  { loop, firstUnit, limitMs }: CallerPart,
  control: LoopControl,
  share: number,
  partials: Partials | undefined,
  keep: (unit: number, value: unknown) => void,
): PartOutcome {
  const { partitioner, partitionState: state } = control;
  const chunk: Chunk = { start: 0, end: 0 };
  const until = performance.now() + limitMs;
  while (!control.isCancelled && partitioner.next(state, share, chunk)) {
    const [from, to] = [firstUnit + chunk.start, firstUnit + chunk.end];
    if (partials === undefined) callUnits(loop, from, to);
    else {
      for (let unit = chunk.start; unit < chunk.end; unit += 1) {
        const value = callUnits(loop, firstUnit + unit, firstUnit + unit + 1);
        if (typeof value === 'number') partials.set(unit, value);
        else if (value !== undefined) keep(unit, value);
      }
    }
    if (control.finish(chunk.end - chunk.start)) return 'done';
    if (performance.now() >= until) return 'left';
  }
  const lookUntil = performance.now() + TAIL_MS;
  while (!control.isDone) if (control.isCancelled || performance.now() >= lookUntil) return 'waits';
  return 'done';
}
