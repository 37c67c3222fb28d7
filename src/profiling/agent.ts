/**
 * The part that runs inside the program: `node --import system-optimizer/agent app.js`, with the controller's
 * socket in `SYSOPT_CONTROL`. Without that variable it does nothing.
 *
 * It must not change the program. So: only the main thread connects; the socket, its timers and the profile's
 * keep nothing alive; nothing is printed; no signal is touched; the exit code stays; a controller that is gone
 * is forgotten. Only what a profile needs is loaded, and before the program starts: later, every module would
 * cost a saturated program several turns of its loop.
 */
import { isMainThread } from 'node:worker_threads';
import type { Socket } from 'node:net';
import type { ProfileRun, startRun as StartRunFunction } from './session.js';
import {
  CONTROL_VARIABLE,
  lineReader,
  type FromAgent,
  type ProfileCommand,
  type ToAgent,
} from './protocol.js';

type StartRun = typeof StartRunFunction;

/** A controller that does not accept within this time is not waited for any longer. */
const CONNECT_TIMEOUT_MS = 3000;

/** Waits for the connection, so that the hello is on its way before the program's first line runs. */
async function connect(path: string): Promise<void> {
  const [{ connect: open }, { startRun }] = await Promise.all([import('node:net'), import('./session.js')]);
  await new Promise<void>((settled) => {
    const socket = open(path);
    // Referenced until here only: an unreferenced socket would let the process end before its main module runs.
    const giveUp = setTimeout(() => socket.destroy(), CONNECT_TIMEOUT_MS);
    socket.once('connect', () => {
      socket.unref();
      new Agent(socket, startRun);
    });
    socket.on('error', () => socket.destroy());
    for (const event of ['connect', 'close'] as const) {
      socket.once(event, () => {
        clearTimeout(giveUp);
        settled();
      });
    }
  });
}

class Agent {
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
      run = this.#startRun(options.type, {
        ...options,
        keepAlive: false,
        signal: abort.signal,
        onProgress: (progress) => this.#send({ id, progress }),
      });
      process.on('exit', onExit);
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

// Last in the file: the connection may be there before an await here would let the rest be evaluated.
const control = process.env[CONTROL_VARIABLE];
if (control !== undefined && control !== '' && isMainThread) {
  await connect(control).catch(() => {
    // Without its agent the program runs as it would have run.
  });
}
