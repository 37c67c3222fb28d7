/** What each way of profiling (a program started from here, a running process) is asked for, and what it gives. */
import type { Severity } from '../model/finding.js';
import type { LoadSummary } from '../model/profiling-result.js';
import type { Signals } from '../model/signals.js';
import type { ProfileType } from '../model/types.js';

export interface ProfileVerbOptions {
  readonly type: ProfileType;
  /** A running process, instead of a program to start. */
  readonly pid?: number;
  /** Tell what kept objects hang on; see ProfileOptions. */
  readonly retainers?: boolean;
  /** Whether the agent may be loaded into that process. */
  readonly agent: boolean;
  readonly durationMs: number;
  readonly url?: string;
  /** File with a mix of requests; see load-file.ts. */
  readonly load?: string;
  readonly connections: number;
  readonly storage: string;
  /** Undefined: 2 s under load, so that code is compiled and caches are warm; none without. */
  readonly warmupMs?: number;
  readonly readyTimeoutMs: number;
  readonly failOn?: Severity;
  /** Module of rules and samplers. */
  readonly extend?: string;
}

export interface Observation {
  readonly pid: number;
  /** The command of a process that ran already. */
  readonly description?: string;
  readonly signals: Signals;
  readonly load?: LoadSummary;
  /** Whether the program ended in the middle with another exit code than 0, or of a signal. */
  readonly failed?: boolean;
}

/** Warm-up under load where none is given. */
export const LOADED_WARMUP_MS = 2000;
