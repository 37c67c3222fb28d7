/**
 * What `node --import system-optimizer/agent` loads: the agent, and where `SYSOPT_MONITOR` is set the always-on monitor
 * for a program that has no line of ours in it.
 *
 * The program runs as it would without: nothing is printed but one process warning for a variable that cannot be read,
 * nothing keeps it alive, no signal is touched.
 */
import '../profiling/agent.js';

/** `1` for the defaults, or a JSON object; see preload-monitor.ts. */
const monitor = process.env['SYSOPT_MONITOR'];
// The module that knows whether this is a worker costs 3 ms: it is not asked where there is nothing to do.
if (monitor !== undefined && monitor !== '' && monitor !== '0') {
  try {
    const { isMainThread } = await import('node:worker_threads');
    if (isMainThread) {
      const { startMonitor } = await import('./preload-monitor.js');
      await startMonitor(monitor);
    }
  } catch (error) {
    process.emitWarning(
      `The monitor was not started: ${error instanceof Error ? error.message : String(error)}`,
      'SystemOptimizerWarning',
    );
  }
}
