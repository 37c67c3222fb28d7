/** What takes part in a race: something that can be warmed up and then gives one cost after another. */
import { sample, type Contender, type CostMeasure } from './cost.js';

export interface Racer {
  readonly name: string;
  /** Runs until its code is compiled, and finds how long a batch has to be. */
  readonly warmUp: () => Promise<void>;
  /** Cost of one call, from one batch; above 0. */
  readonly sample: () => Promise<number>;
}

/** Length of a batch: long against the clock's step, short against the host's disturbances. */
const BATCH_MS = 0.5;
const WARM_UP_MS = 25;

/** A variant on the inputs of one size class. */
export function racer(contender: Contender, measure: CostMeasure, overheadBytes: number): Racer {
  let passes = 1;
  const { name, side } = contender;
  return {
    name,
    sample: () => sample(contender, measure, passes, overheadBytes),
    warmUp: async () => {
      const startMs = performance.now();
      for (let batches = 0; batches < 2 || performance.now() - startMs < WARM_UP_MS; batches += 1) {
        const beganMs = performance.now();
        if (measure.objective === 'memory') await sample(contender, measure, passes, overheadBytes);
        else {
          for (let pass = 0; pass < passes; pass += 1) {
            if (side.asynchronous) await side.call();
            else side.call();
          }
        }
        const elapsedMs = Math.max(performance.now() - beganMs, 1e-4);
        if (elapsedMs > WARM_UP_MS) return;
        // At most eightfold: the first calls run interpreted, and their speed says little of what follows.
        passes = Math.max(1, Math.min(Math.round((passes * BATCH_MS) / elapsedMs), passes * 8));
      }
    },
  };
}
