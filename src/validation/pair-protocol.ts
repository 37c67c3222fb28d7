/** What passes between `fresh-processes.ts` and `pair-process.ts`: files of structured clones in one folder. */
import type { Replicate } from './pair-measurement.js';

export const REQUEST_FILE = 'request';
export const REPLY_FILE = 'reply';
/** One line that tells what the process is doing, for the message when it dies or hangs. */
export const STAGE_FILE = 'stage';

export interface PairRequest {
  readonly parentPid: number;
  readonly measure: 'time' | 'cpu';
  readonly first: 0 | 1;
  /** `return`: send both first results back, the parent compares them. */
  readonly check: boolean | { readonly relativeTolerance: number } | 'return';
  readonly sides: readonly [RequestedSide, RequestedSide];
}

export interface RequestedSide {
  readonly url: string;
  readonly export: string;
  readonly factory: boolean;
  readonly label: string;
  /** A structured clone of its own, so that the sides share no argument object. */
  readonly args: Uint8Array;
}

export type PairReply =
  | { readonly ok: true; readonly replicate: Replicate; readonly results?: readonly [unknown, unknown] }
  | { readonly ok: false; readonly failure: PairFailure };

export type PairFailure =
  | { readonly kind: 'load'; readonly label: string; readonly reason: string; readonly remedy: string }
  | { readonly kind: 'threw'; readonly label: string; readonly reason: string; readonly stack?: string }
  | { readonly kind: 'disagree'; readonly difference: string }
  | { readonly kind: 'zero-work'; readonly label: string; readonly costNs: number }
  | { readonly kind: 'not-clonable'; readonly reason: string };
