/**
 * Closes the inspector that we opened in another process where we cannot: after a second Ctrl-C, a kill, a crash.
 *
 * Method. A process of our own, outside the terminal's process group, waits for the end of a pipe whose other end is
 * ours: the kernel closes it whatever way we end. It is started before the signal that opens the inspector is sent, so
 * no moment is uncovered, and sleeps until then (about 40 ms of CPU time at its start, on another core where there is
 * one).
 *
 * It closes the very inspector that this run opened, by its URL, never what it finds on the port: when it acts, the next
 * run may have closed that and opened another.
 *
 * Rejected: closing on the `exit` event, which a SIGKILL does not raise, and where only synchronous work can be done.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ListeningPort, NodeProcess } from './node-process.js';

/** What was opened, and how to tell it from what was open before. */
export interface GuardedInspector {
  readonly target: NodeProcess;
  /** The port that Node would open its inspector on. */
  readonly port: number;
  readonly before: readonly ListeningPort[];
  /** Cluster workers, to which Node passes the signal on. */
  readonly children: readonly { readonly pid: number; readonly before: readonly ListeningPort[] }[];
}

export interface InspectorGuard {
  /** The signal that opens it is about to be sent: before that there is nothing to look after. */
  signalled(): void;
  /** This is it: from now on only that is looked after, and where it is closed there is nothing to do. */
  opened(url: string): void;
  /** The inspector is closed: there is nothing left to do. */
  dismiss(): void;
  /** We gave up: it goes on trying for a minute. */
  takeOver(): void;
}

/** What is said through the pipe, a line each; its end without `dismissed` says that we are gone. */
export type GuardMessage = 'signalled' | 'dismissed' | { readonly opened: string };

/** Starts the guard. Where no process can be started, there is none. */
export function guardInspector(guarded: GuardedInspector): InspectorGuard {
  const file = fileURLToPath(new URL('./inspector-guard-process.js', import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(guarded)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    // Neither the user's flags nor an agent in NODE_OPTIONS belong into it.
    env: {},
    cwd: '/',
  });
  const { stdin } = child;
  child.on('error', () => {});
  stdin.on('error', () => {});
  child.unref();
  (stdin as typeof stdin & { unref(): void }).unref();
  const line = (message: GuardMessage) => `${JSON.stringify(message)}\n`;
  return {
    signalled: () => stdin.write(line('signalled')),
    opened: (url) => stdin.write(line({ opened: url })),
    dismiss: () => stdin.end(line('dismissed')),
    takeOver: () => stdin.end(),
  };
}
