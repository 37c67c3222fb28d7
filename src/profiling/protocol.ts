/** What the agent inside a program and its controller say to each other: one JSON document a line. */
import type { Progress } from '../events.js';
import type { Signals } from '../model/signals.js';
import type { ProfileType } from '../model/types.js';

/** Environment variable that names the controller's socket (named pipe on Windows). */
export const CONTROL_VARIABLE = 'SYSOPT_CONTROL';

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
}

export interface ProfileCommand {
  readonly type: ProfileType;
  readonly durationMs: number;
  readonly samplingIntervalUs?: number;
  readonly maxFunctions?: number;
  readonly rawProfile?: boolean;
  /** File for what was gathered, where the process exits before the window ends. */
  readonly spool: string;
}

export type ToAgent =
  | { readonly id: number; readonly profile: ProfileCommand }
  | { readonly id: number; readonly usage: true }
  | { readonly id: number; readonly stop: true };

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
