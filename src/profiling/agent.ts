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
import { CONTROL_VARIABLE } from './protocol.js';

/** A controller that does not accept within this time is not waited for any longer. */
const CONNECT_TIMEOUT_MS = 3000;

/** Waits for the connection, so that the hello is on its way before the program's first line runs. */
async function connect(path: string): Promise<void> {
  const [{ connect: open }, { startRun }, { AgentConnection }, { placeForwarders }] = await Promise.all([
    import('node:net'),
    import('./session.js'),
    import('./agent-connection.js'),
    import('./activity/forwarders.js'),
  ]);
  placeForwarders();
  await new Promise<void>((settled) => {
    const socket = open(path);
    // Referenced until here only: an unreferenced socket would let the process end before its main module runs.
    const giveUp = setTimeout(() => socket.destroy(), CONNECT_TIMEOUT_MS);
    socket.once('connect', () => {
      socket.unref();
      new AgentConnection(socket, startRun);
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

// Last in the file: the connection may be there before an await here would let the rest be evaluated.
const control = process.env[CONTROL_VARIABLE];
if (control !== undefined && control !== '' && isMainThread) {
  await connect(control).catch(() => {
    // Without its agent the program runs as it would have run.
  });
}
