/**
 * The part that runs inside the program: `node --import system-optimizer/agent app.js`, with the controller's
 * socket in `SYSOPT_CONTROL`. Without that variable it does nothing.
 *
 * It must not change the program. So: only the main thread connects; the socket, its timers and the profile's
 * keep nothing alive; nothing is printed; no signal is touched; the exit code stays; a controller that is gone
 * is forgotten. What a profile needs is loaded when one is asked for, in one go (`require`): a loop that is saturated
 * would take several turns over every module that is imported. For a profile from the start it is imported at once.
 */
import { createRequire } from 'node:module';
import type { StartRun } from './agent-connection.js';
import type * as AttachedAgent from './attached-agent.js';
import type * as Headroom from './headroom.js';
import { letRequireLoadEntry } from './hooked-entry.js';
import { CONTROL_VARIABLE, EXTEND_VARIABLE, isLauncher, NO_ROOM } from './protocol.js';
import { withoutWarnings } from './without-warnings.js';

/** A controller that does not accept within this time is not waited for any longer. */
const CONNECT_TIMEOUT_MS = 3000;

/** Waits for the connection, so that the hello is on its way before the program's first line runs. */
async function connect(path: string): Promise<void> {
  const { isMainThread } = await import('node:worker_threads');
  if (!isMainThread) return;
  letRequireLoadEntry();
  const [{ connect: open }, { AgentConnection, startCommand }, { placeForwarders }] = await Promise.all([
    import('node:net'),
    import('./agent-connection.js'),
    import('./activity/forwarders.js'),
  ]);
  placeForwarders();
  const fromStart = startCommand();
  const startRun = await extended(
    fromStart === undefined ? startLoadedRun : (await import('./session.js')).startRun,
  );
  await new Promise<void>((settled) => {
    const socket = open(path);
    // Referenced until here only: an unreferenced socket would let the process end before its main module runs.
    const giveUp = setTimeout(() => socket.destroy(), CONNECT_TIMEOUT_MS);
    socket.once('connect', () => {
      socket.unref();
      new AgentConnection(socket, startRun, fromStart);
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

/** With the samplers of the module that the controller names; a package manager is no part of the program. */
async function extended(startRun: StartRun): Promise<StartRun> {
  const url = process.env[EXTEND_VARIABLE];
  if (url === undefined || url === '' || isLauncher(process.argv)) return startRun;
  const { samplersOf } = await import('./extension-module.js');
  const samplers = await samplersOf(url);
  return (type, options) => startRun(type, { ...options, samplers });
}

/**
 * Loads the profiler and starts a run. `require` of an ES module is a matter of course from Node 20.19 on; some
 * releases warn of it, on the program's output, which is not ours to write to.
 */
const startLoadedRun: StartRun = (type, options) => {
  const load = createRequire(import.meta.url);
  const loaded = withoutWarnings(() => {
    const { HEADROOM_TO_LOAD, headroomBytes } = load('./headroom.js') as typeof Headroom;
    if (headroomBytes() < HEADROOM_TO_LOAD) throw new Error(`${NO_ROOM} to load the profiler.`);
    return load('./attached-agent.js') as typeof AttachedAgent;
  });
  return loaded.startRun(type, options);
};

// Last in the file: the connection may be there before an await here would let the rest be evaluated.
const control = process.env[CONTROL_VARIABLE];
if (control !== undefined && control !== '') {
  await connect(control).catch(() => {
    // Without its agent the program runs as it would have run.
  });
}
