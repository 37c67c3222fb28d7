/**
 * Starts another program and owns it until it is gone: its last output, how it ended, and an end to its whole
 * process group, so that `npm start` leaves no grandchild behind.
 */
import { spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, fail } from '../errors.js';

/** How much of a program's latest output is kept for error messages. */
const TAIL_BYTES = 4096;

export interface ProgramExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** For people: `exit code 1`, `signal SIGKILL`. */
  readonly how: string;
}

export interface Program {
  readonly pid: number;
  readonly command: readonly string[];
  /** Set once the program has ended. */
  readonly exit: ProgramExit | undefined;
  /** Resolves when the program has ended; never rejects. */
  readonly exited: Promise<ProgramExit>;
  /** The last 4 KiB that the program wrote to its output and error streams. */
  output(): string;
  /** SIGTERM to the process group, SIGKILL to what is left after `graceMs`. Harmless when already ended. */
  stop(graceMs?: number): Promise<ProgramExit>;
}

export interface StartOptions {
  readonly cwd?: string;
  /** Added to this process' environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Receives every chunk of the program's output, e.g. to show it. It is captured for `output()` anyway. */
  readonly onOutput?: (chunk: Buffer, stream: 'stdout' | 'stderr') => void;
  /** Aborting stops the program. */
  readonly signal?: AbortSignal;
}

/** Programs that this process started and that still run, so that none outlives it. */
const running = new Set<number>();
let exitHookInstalled = false;

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // Already gone: that is what was wanted.
  }
}

/**
 * Starts a program in a process group of its own.
 *
 * @param command program and arguments; no shell is involved.
 * @throws TARGET_NOT_FOUND if it cannot be started; INVALID_ARGUMENT for an empty command.
 * @example
 * const program = await startProgram(['node', 'app.js'], { env: { PORT: '3000' } });
 * await program.stop();
 */
export async function startProgram(command: readonly string[], options: StartOptions = {}): Promise<Program> {
  const [file, ...args] = command;
  if (file === undefined || file === '') {
    throw fail('INVALID_ARGUMENT', {
      name: 'command',
      actual: describe(command),
      expected: 'a program and its arguments',
    });
  }
  options.signal?.throwIfAborted();
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio,
    detached: process.platform !== 'win32',
    windowsHide: true,
  });

  let tail = Buffer.alloc(0);
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', (chunk: Buffer) => {
      tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
      options.onOutput?.(chunk, stream);
    });
  }

  try {
    await once(child, 'spawn');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // A missing working directory is reported by the system as a missing program.
    const reason = code === 'ENOENT' ? 'no such program or working directory' : (cause as Error).message;
    throw fail(
      'TARGET_NOT_FOUND',
      { command: command.join(' '), reason },
      { cause, ...(code && { errno: code }) },
    );
  }

  const pid = child.pid!;
  running.add(pid);
  if (!exitHookInstalled) {
    exitHookInstalled = true;
    process.on('exit', () => running.forEach((group) => killGroup(group, 'SIGKILL')));
  }

  let exit: ProgramExit | undefined;
  // `exit` and not `close`: a grandchild that keeps the pipes open must not keep the program "running".
  const exited = new Promise<ProgramExit>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal, how: signal === null ? `exit code ${String(code)}` : `signal ${signal}` };
      running.delete(pid);
      resolve(exit);
    });
  });

  const stop = async (graceMs = 3000): Promise<ProgramExit> => {
    if (exit === undefined) {
      killGroup(pid, 'SIGTERM');
      // A timer that goes on behind it would keep the process alive.
      const ended = new AbortController();
      const grace = delay(graceMs, undefined, { signal: ended.signal }).catch(() => undefined);
      await Promise.race([exited, grace]);
      ended.abort();
    }
    // Also after a clean exit: children that the program left behind are in its group.
    killGroup(pid, 'SIGKILL');
    const result = await exited;
    child.stdout?.destroy();
    child.stderr?.destroy();
    return result;
  };
  const onAbort = () => void stop();
  // A listener that is added after the abort is never called.
  if (options.signal?.aborted === true) onAbort();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  void exited.then(() => options.signal?.removeEventListener('abort', onAbort));

  return {
    pid,
    command,
    get exit() {
      return exit;
    },
    exited,
    output: () => tail.toString('utf8').trim(),
    stop,
  };
}

export interface WaitForUrlOptions {
  /** A program whose end also ends the wait. */
  readonly program?: Program;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Waits until something answers HTTP at a URL; any status below 500 counts as an answer.
 *
 * @throws URL_NOT_ANSWERING after `timeoutMs` (15 s by default); TARGET_EXITED if the program ended first;
 *   INVALID_ARGUMENT for a URL that is not http or https.
 */
export async function waitForUrl(url: string, options: WaitForUrlOptions = {}): Promise<void> {
  const { program, timeoutMs = 15_000, signal } = options;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw fail('INVALID_ARGUMENT', { name: 'url', actual: describe(url), expected: 'an http or https URL' });
  }
  const deadline = Date.now() + timeoutMs;
  let reason = 'no connection';
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (program?.exit) {
      throw fail('TARGET_EXITED', {
        how: program.exit.how,
        when: `before it answered at ${url}`,
        output: program.output() || '(none)',
      });
    }
    const outcome = await answerOf(url, Math.max(1, Math.min(2000, deadline - Date.now())));
    if (typeof outcome === 'number' && outcome < 500) return;
    reason = typeof outcome === 'number' ? `it answers with status ${outcome}` : outcome;
    await delay(50);
  }
  throw fail('URL_NOT_ANSWERING', { url, timeoutMs, reason });
}

/** Status of one request without keep-alive, or why there is none. */
function answerOf(url: string, timeoutMs: number): Promise<number | string> {
  return new Promise((resolve) => {
    const get = url.startsWith('https:') ? httpsGet : httpGet;
    const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    request.once('timeout', () => {
      request.destroy();
      resolve('connected, but no answer');
    });
    request.once('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
  });
}
