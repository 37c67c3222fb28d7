/**
 * The agent's end of a connection to a controller: obeys its commands until it is gone. Shared by the agent that is
 * preloaded and the one that is loaded into a running program.
 *
 * It must not change the program. So: the socket, its timers and the profile's keep nothing alive; nothing is
 * printed; no signal is touched; the exit code stays; a controller that is gone is forgotten.
 */
import type { Socket } from 'node:net';
import type { ProfileRun, startRun as StartRunFunction } from './session.js';
import { automaticRunsGiveWay } from './automatic-runs.js';
import { onEndingSignal } from './ending-signals.js';
import {
  END_KEY,
  isLauncher,
  lineReader,
  spoolName,
  START_ID,
  START_VARIABLE,
  type FromAgent,
  type ProfileCommand,
  type StartCommand,
  type ToAgent,
} from './protocol.js';

export type StartRun = typeof StartRunFunction;

export class AgentConnection {
  readonly #socket: Socket;
  readonly #startRun: StartRun;
  readonly #aborts = new Map<number, AbortController>();
  readonly #runs = new Map<number, ProfileRun>();

  /** @param fromStart the profile that begins now, before the program's first line. */
  constructor(socket: Socket, startRun: StartRun, fromStart?: StartCommand) {
    this.#socket = socket;
    this.#startRun = startRun;
    socket.setEncoding('utf8');
    socket.on(
      'data',
      lineReader(
        (message) => this.#obey(message as ToAgent),
        () => socket.destroy(),
      ),
    );
    socket.on('close', () => {
      for (const abort of this.#aborts.values()) abort.abort();
    });
    this.#send({
      hello: {
        protocol: 1,
        pid: process.pid,
        ppid: process.ppid,
        argv: process.argv,
        execArgv: process.execArgv,
        cwd: process.cwd(),
        node: process.version,
        v8: process.versions.v8,
        platform: process.platform,
        arch: process.arch,
        ...(fromStart !== undefined && { fromStart: true }),
      },
    });
    if (fromStart !== undefined) this.#profileFromStart(fromStart);
  }

  #obey(command: ToAgent): void {
    if ('profile' in command) {
      this.#profile(command.id, command.profile).catch((error: unknown) => this.#refuse(command.id, error));
    } else if ('usage' in command) {
      const { user, system } = process.cpuUsage();
      this.#send({ id: command.id, usage: { cpuUs: user + system } });
    } else if ('stop' in command) {
      this.#aborts.get(command.id)?.abort();
    } else if ('end' in command) {
      this.#runs.get(command.id)?.conclude();
    }
  }

  async #profile(id: number, { spool, ...options }: ProfileCommand): Promise<void> {
    // What is asked for goes before what a monitor takes by itself.
    await automaticRunsGiveWay();
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    try {
      await this.#gather(id, this.#begin(id, options, abort.signal), spool);
    } finally {
      this.#aborts.delete(id);
    }
  }

  /** Synchronous up to the run's start: the program's first line must not run before it. */
  #profileFromStart({ folder, ...options }: StartCommand): void {
    const spool = `${folder}/${spoolName(process.pid, START_ID)}`;
    const global = globalThis as Record<symbol, unknown>;
    const key = Symbol.for(END_KEY);
    let stopListening = () => {};
    try {
      const run = this.#begin(START_ID, options);
      const handOver = () => {
        if (run.isEnding || this.#socket.destroyed) return false;
        return spoolSignals(run, spool);
      };
      Object.defineProperty(global, key, { value: handOver, configurable: true, enumerable: false });
      stopListening = onEndingSignal(handOver);
      this.#gather(START_ID, run, spool)
        .catch((error: unknown) => this.#refuse(START_ID, error))
        .finally(() => {
          stopListening();
          delete global[key];
        });
    } catch (error) {
      this.#refuse(START_ID, error);
    }
  }

  #begin(id: number, options: Omit<ProfileCommand, 'spool'>, signal?: AbortSignal): ProfileRun {
    return this.#startRun(options.type, {
      ...options,
      keepAlive: false,
      ...(signal && { signal }),
      onProgress: (progress) => this.#send({ id, progress }),
    });
  }

  /** Answers with the run's signals, or leaves them in a file where the process exits first. */
  async #gather(id: number, run: ProfileRun, spool: string): Promise<void> {
    const onExit = () => {
      if (!this.#socket.destroyed) spoolSignals(run, spool);
    };
    this.#runs.set(id, run);
    process.on('exit', onExit);
    try {
      this.#send({ id, begun: true });
      this.#send({ id, signals: await run.finished });
    } finally {
      process.off('exit', onExit);
      this.#runs.delete(id);
    }
  }

  #refuse(id: number, error: unknown): void {
    this.#send({ id, error: { message: error instanceof Error ? error.message : String(error) } });
  }

  #send(message: FromAgent): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(message)}\n`);
  }
}

/** A socket cannot be written synchronously on every platform; a file can. */
function spoolSignals(run: ProfileRun, file: string): boolean {
  try {
    const signals = run.end();
    const { renameSync, writeFileSync } = process.getBuiltinModule('node:fs');
    // Whole or not at all: a kill may come between.
    writeFileSync(`${file}.part`, JSON.stringify(signals), { mode: 0o600 });
    renameSync(`${file}.part`, file);
    return true;
  } catch {
    // The process is on its way out and must go as it would have gone without us.
    return false;
  }
}

/** What the environment asks this process to profile from its start; nothing in a package manager. */
export function startCommand(): StartCommand | undefined {
  const text = process.env[START_VARIABLE];
  if (text === undefined || text === '' || isLauncher(process.argv)) return undefined;
  return JSON.parse(text) as StartCommand;
}
