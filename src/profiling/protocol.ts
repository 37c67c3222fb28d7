/** What the agent inside a program and its controller say to each other: one JSON document a line. */
import type { Progress } from '../events.js';
import type { Signals } from '../model/signals.js';
import type { ProfileType } from '../model/types.js';

/** Environment variable that names the controller's socket (named pipe on Windows). */
export const CONTROL_VARIABLE = 'SYSOPT_CONTROL';

/**
 * Environment variable with a `StartCommand` as JSON: the profile begins before the program's first line, in every Node
 * process that inherits it but package managers. A script's work may be over before its loop turns once, which is when
 * a command from the socket would be heard.
 */
export const START_VARIABLE = 'SYSOPT_PROFILE';

/**
 * Environment variable with the URL of a module whose samplers belong to every profile of the process; see
 * extension-module.ts.
 */
export const EXTEND_VARIABLE = 'SYSOPT_EXTEND';

/** The id of the profile that `START_VARIABLE` asked for; commands have ids from 1 on. */
export const START_ID = 0;

/** Ends the profile that began with the program, for an inspector: a loop that is blocked hears no command. */
export const END_KEY = 'system-optimizer.end-profile';

/** What reading two heap snapshots may take, on a machine with other work. */
export const READING_SNAPSHOTS_MS = 120_000;
/** And what writing them may. */
export const SNAPSHOTS_MS = READING_SNAPSHOTS_MS + 20_000;

/** What an agent answers that cannot load the profiler, so that the program is profiled from outside instead. */
export const NO_ROOM = 'its heap is too near to its limit (--max-old-space-size)';

/** Facts about the program's process, sent once at the start. */
export interface Hello {
  readonly protocol: 1;
  readonly pid: number;
  readonly ppid: number;
  readonly argv: readonly string[];
  readonly execArgv: readonly string[];
  readonly cwd: string;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly arch: string;
  /** Set where a profile begins with the program. */
  readonly fromStart?: true;
}

export interface ProfileCommand {
  readonly type: ProfileType;
  readonly durationMs: number;
  readonly samplingIntervalUs?: number;
  readonly maxFunctions?: number;
  readonly rawProfile?: boolean;
  readonly retainers?: boolean;
  /** File for what was gathered, where the process exits before the window ends. */
  readonly spool: string;
}

export interface StartCommand extends Omit<ProfileCommand, 'spool'> {
  /** Folder for the spool files of all processes. */
  readonly folder: string;
}

/** Where a process leaves what was gathered when it exits in the middle of a profile. */
export function spoolName(pid: number, id: number): string {
  return `spool-${pid}-${id}.json`;
}

/** Whether a process is a package manager, which starts the program and is none itself. */
export function isLauncher(argv: readonly string[]): boolean {
  const script = /[^\\/]*$/.exec(argv[1] ?? '')![0];
  return /^(npm|npx|pnpm|pnpx|yarn|yarnpkg|corepack)(-cli)?(\.c?js)?$/.test(script);
}

export type ToAgent =
  | { readonly id: number; readonly profile: ProfileCommand }
  | { readonly id: number; readonly usage: true }
  | { readonly id: number; readonly stop: true }
  /** Ends a profile's window now; its signals are answered. */
  | { readonly id: number; readonly end: true };

export type FromAgent =
  | { readonly hello: Hello }
  /** The profile that was asked for has begun: the loop came round. */
  | { readonly id: number; readonly begun: true }
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly signals: Signals }
  /** CPU time of the process so far, in microseconds. */
  | { readonly id: number; readonly usage: { readonly cpuUs: number } }
  | { readonly id: number; readonly error: { readonly message: string } };

/** Cuts a stream of text into parsed lines. A line that is no JSON ends the conversation: `onGarbage`. */
export function lineReader(
  onMessage: (message: unknown) => void,
  onGarbage: () => void,
): (chunk: string) => void {
  let pending: string[] = [];
  return (chunk) => {
    const lines = chunk.split('\n');
    for (let at = 0; at < lines.length - 1; at += 1) {
      const line = [...pending, lines[at]!].join('');
      pending = [];
      if (line === '') continue;
      let message: unknown;
      try {
        message = JSON.parse(line);
      } catch {
        onGarbage();
        return;
      }
      onMessage(message);
    }
    if (lines.at(-1) !== '') pending.push(lines.at(-1)!);
  };
}
