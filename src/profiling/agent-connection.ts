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
import { lineReader, type FromAgent, type ProfileCommand, type ToAgent } from './protocol.js';

export type StartRun = typeof StartRunFunction;

export class AgentConnection {
  readonly #socket: Socket;
  readonly #startRun: StartRun;
  readonly #aborts = new Map<number, AbortController>();

  constructor(socket: Socket, startRun: StartRun) {
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
      },
    });
  }

  #obey(command: ToAgent): void {
    if ('profile' in command) {
      this.#profile(command.id, command.profile).catch((error: unknown) => {
        this.#send({
          id: command.id,
          error: { message: error instanceof Error ? error.message : String(error) },
        });
      });
    } else if ('usage' in command) {
      const { user, system } = process.cpuUsage();
      this.#send({ id: command.id, usage: { cpuUs: user + system } });
    } else if ('stop' in command) {
      this.#aborts.get(command.id)?.abort();
    }
  }

  async #profile(id: number, { spool, ...options }: ProfileCommand): Promise<void> {
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    let run: ProfileRun | undefined;
    const onExit = () => {
      if (run !== undefined && !this.#socket.destroyed) spoolSignals(run, spool);
    };
    try {
      // What is asked for goes before what a monitor takes by itself.
      await automaticRunsGiveWay();
      run = this.#startRun(options.type, {
        ...options,
        keepAlive: false,
        signal: abort.signal,
        onProgress: (progress) => this.#send({ id, progress }),
      });
      process.on('exit', onExit);
      this.#send({ id, begun: true });
      this.#send({ id, signals: await run.finished });
    } finally {
      process.off('exit', onExit);
      this.#aborts.delete(id);
    }
  }

  #send(message: FromAgent): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(message)}\n`);
  }
}

/** A socket cannot be written synchronously on every platform; a file can. */
function spoolSignals(run: ProfileRun, file: string): void {
  try {
    const signals = run.end();
    const { writeFileSync } = process.getBuiltinModule('node:fs');
    writeFileSync(file, JSON.stringify(signals), { mode: 0o600 });
  } catch {
    // The process is on its way out and must go as it would have gone without us.
  }
}
