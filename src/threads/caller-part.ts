/**
 * A caller's part in a loop of its own: it takes chunks like any participant, for as long as it may be held up, and
 * leaves what is left to the threads. A loop that begins on the caller begins at once, where a thread first has to be woken;
 * and where the other CPUs are taken the caller simply does the loop alone. In loops of some ten milliseconds it takes
 * part in slices, between which its event loop turns: it stands in for a thread that would have to be woken, and mostly
 * wakes on the CPU of the one that was woken before (1 to 2 ms of such a loop).
 *
 * Rejected: giving its share to a thread after the first slice. Waking one then cost as much as at the beginning.
 * Rejected: making the thread wake on another CPU than the caller's, by taking that CPU out of its mask while it is woken.
 * It then lost its CPU for less (0.03 to 0.1 instead of 0.3 to 0.9 ms of a loop of 26 in four of five processes), but waking
 * took longer, and nothing was won: 0.996 and 0.997 of the speed at 26 ms (intervals 0.990 to 1.006), 0.990 and 0.993 at
 * 1.8 ms (0.985 to 1.001), in two runs each of 100 and 300 interleaved pairs on two CPUs with nothing else to do.
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
  /** How long the caller may be held up, in ms; it looks at the clock after each piece. */
  readonly limitMs: number;
  /** Most units of a piece, at least 1. */
  readonly pieceUnits: number;
  /** For how long the caller takes part in slices of `limitMs`, in ms; then a thread goes on with its share. */
  readonly totalMs: number;
  /** What is left of a chunk between slices; empty at first. */
  readonly rest: Chunk;
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
  { loop, firstUnit, limitMs, pieceUnits, rest }: CallerPart,
  control: LoopControl,
  share: number,
  partials: Partials | undefined,
  keep: (unit: number, value: unknown) => void,
): PartOutcome {
  const { partitioner, partitionState: state } = control;
  let since = performance.now();
  const until = since + limitMs;
  while (!control.isCancelled && (rest.start < rest.end || partitioner.next(state, share, rest))) {
    const from = rest.start;
    const to = Math.min(rest.end, from + pieceUnits);
    rest.start = to;
    if (partials === undefined) callUnits(loop, firstUnit + from, firstUnit + to);
    else {
      for (let unit = from; unit < to; unit += 1) {
        const value = callUnits(loop, firstUnit + unit, firstUnit + unit + 1);
        if (typeof value === 'number') partials.set(unit, value);
        else if (value !== undefined) keep(unit, value);
      }
    }
    const now = performance.now();
    control.addBusy(share, now - since);
    since = now;
    if (control.finish(to - from)) return 'done';
    if (now >= until) return 'left';
  }
  const lookUntil = performance.now() + TAIL_MS;
  while (!control.isDone) if (control.isCancelled || performance.now() >= lookUntil) return 'waits';
  return 'done';
}
