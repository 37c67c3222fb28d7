/** What takes part in a race: something that can be warmed up and then gives one cost after another. */
import { sample, sampleTime, type Contender, type CostMeasure } from './cost.js';
import type { AnyFunction } from './variants.js';

export interface Racer {
  readonly name: string;
  /** Runs until its code is compiled, and finds how long a batch has to be. */
  readonly warmUp: () => Promise<void>;
  /** Cost of one call, from one batch; above 0. No promise where none is needed: awaiting costs a part of a short batch. */
  readonly sample: () => number | Promise<number>;
}

/** Length of a batch of all objectives but time: what they are read from has no finer steps. */
const BATCH_MS = 0.5;
/**
 * Length of a timed batch. A shared host holds up a loop several times in a millisecond: of batches of 0.5 ms hardly any
 * is left alone, of those of 0.04 ms most are, and the median sees through the others. For the same time spent, the error
 * of a median ratio is a sixth (0.35 % after 8 ms a variant, 2.0 % with batches of 0.5 ms).
 */
const TIMED_MS = 0.04;
/** Passes before it that are not timed, as a share of the timed ones: the round's last variant had the caches. */
const LEAD_SHARE = 0.5;
/**
 * Warm-up lasts this long at least, and on while it gets faster, up to the most: what V8 optimises late would else be
 * raced as what it was before. Compared is the least time of a window, because other programs only lengthen times.
 */
const WARM_UP_MS = 25;
const MAX_WARM_UP_MS = 75;
const WINDOW_MS = 12;
/**
 * The same for a variant that was warmed up at another size: its code is compiled already, so half the time shows whether
 * this size makes V8 compile it anew. If it does, it gets faster, and the warm-up goes on as the first one does.
 */
const WARM_AGAIN_MS = 12;
const AGAIN_WINDOW_MS = 6;
/** Share by which a window has to be faster than those before it to be called getting faster. */
const FASTER = 0.03;

/** What was warmed up in this process, at any size. */
const warmed = new WeakSet<AnyFunction>();

/** What one batch consists of. */
export interface BatchPlan {
  /** Passes that are not timed. */
  readonly lead: number;
  readonly passes: number;
}

/** A timed batch of passes that take `passMs` each. One pass that is longer than a batch is timed without any before it. */
export function timedBatch(passMs: number): BatchPlan {
  const passes = Math.max(1, Math.round(TIMED_MS / passMs));
  return { lead: Math.floor(passes * LEAD_SHARE), passes };
}

/** A variant on the inputs of one size class. */
export function racer(contender: Contender, measure: CostMeasure, overheadBytes: number): Racer {
  let passes = 1;
  let timed: BatchPlan = { lead: 0, passes: 1 };
  const { name, side, run } = contender;

  /** Least time of a call in batches of some milliseconds; undefined where one batch takes longer than a warm-up. */
  async function warmWindow(windowMs: number): Promise<number | undefined> {
    const startMs = performance.now();
    let leastMs = Infinity;
    for (let batches = 0; batches < 2 || performance.now() - startMs < windowMs; batches += 1) {
      const beganMs = performance.now();
      if (measure.objective === 'memory') await sample(contender, measure, passes, overheadBytes);
      else {
        for (let pass = 0; pass < passes; pass += 1) {
          if (side.asynchronous) await side.call();
          else side.call();
        }
      }
      const elapsedMs = Math.max(performance.now() - beganMs, 1e-4);
      if (elapsedMs > WARM_UP_MS) return undefined;
      leastMs = Math.min(leastMs, elapsedMs / passes);
      timed = timedBatch(leastMs);
      // At most eightfold: the first calls run interpreted, and their speed says little of what follows.
      passes = Math.max(1, Math.min(Math.round((passes * BATCH_MS) / elapsedMs), passes * 8));
    }
    return leastMs;
  }

  return {
    name,
    sample: () =>
      measure.objective === 'time'
        ? sampleTime(contender, timed.lead, timed.passes)
        : sample(contender, measure, passes, overheadBytes),
    warmUp: async () => {
      const startMs = performance.now();
      const wasWarm = warmed.has(run);
      warmed.add(run);
      let leastMs = Infinity;
      for (;;) {
        const windowMs = await warmWindow(wasWarm ? AGAIN_WINDOW_MS : WINDOW_MS);
        const elapsedMs = performance.now() - startMs;
        if (windowMs === undefined || elapsedMs >= MAX_WARM_UP_MS) return;
        const isLongEnough = elapsedMs >= (wasWarm ? WARM_AGAIN_MS : WARM_UP_MS);
        if (isLongEnough && windowMs > leastMs * (1 - FASTER)) return;
        leastMs = Math.min(leastMs, windowMs);
      }
    },
  };
}
