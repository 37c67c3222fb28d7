/**
 * Diagnoses and stores a block of the event loop that lasts on, in the watchdog's thread: the main thread may never come
 * to it, and an orchestrator that kills the silent process would take the profile along.
 */
import { blockedSignals, blockedTrigger } from '../profiling/blocked-signals.js';
import type { ReportBlock } from '../profiling/watchdog-worker.js';
import type { OptimizerOptions } from '../settings/optimizer.js';
import { SystemOptimizer } from '../system-optimizer.js';

export const reportBlock: ReportBlock = async ({ blockedMs, limitMs, profile }, argument) => {
  const optimizer = new SystemOptimizer(argument as OptimizerOptions);
  try {
    const signals = blockedSignals(blockedMs, profile, [], false);
    if (signals === undefined) return undefined;
    const lasting = 'The event loop was still blocked when this was stored.';
    const { id, stored } = await optimizer.completeResult(
      { ...signals, warnings: [...signals.warnings, lasting] },
      { pid: process.pid, description: 'in-process' },
      blockedTrigger(blockedMs, limitMs),
    );
    // The main thread tries again.
    return stored === false ? undefined : id;
  } finally {
    await optimizer.close();
  }
};
