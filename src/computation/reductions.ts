/** Ends of a fused chain: numbers over all rows that pass. Exported as `reduction`, for their names are everybody's. */
import { describe, fail } from '../errors.js';
import { Num, numberNode, type Operand } from './expression.js';
import type { Accumulator } from './fusion-plan.js';

/** What is computed over all rows that pass. Made by `sum`, `count`, `mean`, `least`, `greatest` and `fold`. */
export class Reduction {
  /** @internal */
  readonly accumulator: Accumulator;

  /** @internal */
  constructor(accumulator: Accumulator) {
    this.accumulator = accumulator;
  }
}

const CARRIED = new Num({ kind: 'carried' });

/** Any reduction: from `initial`, row after row, to what `step` gives for the value so far. @throws INVALID_ARGUMENT */
export function fold(initial: number, step: (carried: Num) => Num): Reduction {
  if (typeof initial !== 'number') {
    throw fail('INVALID_ARGUMENT', { name: 'initial', actual: describe(initial), expected: 'a number' });
  }
  if (typeof step !== 'function') {
    const expected = 'a function from the value so far to the next';
    throw fail('INVALID_ARGUMENT', { name: 'step', actual: describe(step), expected });
  }
  return new Reduction({ initial, next: numberNode(step(CARRIED)), perRow: false });
}

/** Sum in the order of the rows, starting from 0. */
export function sum(of: Operand): Reduction {
  return fold(0, (total) => total.add(of));
}

/** Rows that pass. */
export function count(): Reduction {
  return sum(1);
}

/** Sum over the number of rows; NaN where no row passes. */
export function mean(of: Operand): Reduction {
  return new Reduction({ ...sum(of).accumulator, perRow: true });
}

/** Smallest value as `Math.min` has it: Infinity where no row passes, NaN where one is NaN. */
export function least(of: Operand): Reduction {
  return fold(Infinity, (value) => value.min(of));
}

/** Greatest value as `Math.max` has it: −Infinity where no row passes. */
export function greatest(of: Operand): Reduction {
  return fold(-Infinity, (value) => value.max(of));
}
