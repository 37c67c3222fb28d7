/**
 * The compiled code of `SharedSlots` as generators that can be stopped before each access to shared memory, for the model
 * check: see test/fixtures/step-rewriting.ts.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as layout from '../../../../dist/memory/shared-pool/control-block.js';
import { rewriteForSteps, type Steps } from '../../../fixtures/step-rewriting.js';

export type { Steps };
/** A method of the real class, as it is here. */
export interface SteppableSlots {
  place: number;
  attach(): Steps<boolean>;
  take(): Steps<number>;
  give(handle: number): Steps<boolean>;
  adopt(handle: number): Steps<boolean>;
  holds(handle: number): Steps<boolean>;
  reclaim(threadId: number): Steps<number>;
  detach(): Steps<void>;
  close(): Steps<boolean>;
  isClosed(): Steps<boolean>;
  wordToWaitOn(): Steps<number | undefined>;
}
export interface Hooks {
  /** Sees the outcome of every access. */
  readonly observe: <T>(value: T) => T;
  readonly notify: () => number;
}

/** Of the module itself, beside those that it imports. */
const CONSTANTS = ['NONE', 'HUNGRY', 'WAITING', 'SEQUENCE_STEP', 'NOT_HUNGRY', 'DEPOT', 'MAX_MAGAZINE'];

let code: string | undefined;

/** A class whose methods are the algorithm's, as generators. */
export function steppableSlots(
  hooks: Hooks,
): new (block: layout.ControlBlock, threadId: number) => SteppableSlots {
  const file = fileURLToPath(new URL('../../../../dist/memory/shared-pool/shared-slots.js', import.meta.url));
  code ??= rewriteForSteps([readFileSync(file, 'utf8')], {
    shared: ['states', 'hints', 'control'],
    keep: ['SharedSlots', ...CONSTANTS],
    minAccesses: 30,
  });
  const names = Object.keys(layout);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const make = new Function('$observe', '$notify', ...names, `${code}\nreturn SharedSlots;`);
  return make(hooks.observe, hooks.notify, ...Object.values(layout));
}
