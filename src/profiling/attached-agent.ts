/**
 * The agent for a program that runs already: the inspector loads this file into it by `require`, in one go, since a
 * saturated loop would take seconds over asynchronous loading. The inspector is closed again once the agent has
 * connected, so that no port stays open while the profile runs and the program's exit does not wait for a debugger.
 */
import { connect } from 'node:net';
import { AgentConnection } from './agent-connection.js';
import { startRun } from './session.js';

// For the preloaded agent, which loads the profiler through this file: bundled together, the two share their modules,
// and with them the forwarders that the agent placed.
export { startRun };

/** Connects to a controller's socket; one that is gone is forgotten. */
export function connectAgent(path: string): void {
  const socket = connect(path);
  socket.unref();
  socket.on('error', () => socket.destroy());
  socket.once('connect', () => new AgentConnection(socket, startRun));
}
