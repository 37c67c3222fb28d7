/**
 * The monitor of an optimizer: what it takes by itself is diagnosed, stored and told as an alert.
 */
import type { Alert } from '../model/alert.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Signals } from '../model/signals.js';
import type { Trigger } from '../model/trigger.js';
import type { BesideAnomalies } from '../profiling/anomaly-profiler.js';
import type { MonitorOptions } from '../profiling/monitor.js';
import { Monitor } from '../profiling/monitor.js';
import type { OptimizerOptions } from '../settings/optimizer.js';

/** What the monitor needs of its optimizer. */
export interface AlertingHost {
  readonly options: OptimizerOptions;
  readonly closing: AbortSignal;
  /** The service's own samplers, and what keeps a profile at the exit of the process. */
  readonly beside: BesideAnomalies;
  /** Diagnoses, stores and tells. */
  complete(signals: Signals, trigger: Trigger): Promise<ProfilingResult>;
  /** Tells what the watchdog's own thread stored. */
  tellStored(resultId: string): Promise<ProfilingResult>;
  alert(alert: Alert): void;
  warn(message: string): void;
}

/** Starts a monitor that ends with its host, or with its own `close`. */
export function startAlertingMonitor(options: MonitorOptions, host: AlertingHost): Monitor {
  const monitor = new Monitor({
    blockReporter: { module: new URL('./report-block.js', import.meta.url).href, argument: host.options },
    ...options,
    beside: host.beside,
    onBlocked: (block) => {
      options.onBlocked?.(block);
      const { trigger, signals, resultId } = block;
      void raise(host, trigger, () =>
        resultId === undefined ? host.complete(signals, trigger) : host.tellStored(resultId),
      );
    },
    onAnomaly: (anomaly) => {
      options.onAnomaly?.(anomaly);
      const { signals, failure, ...trigger } = anomaly;
      void raise(host, trigger, () => {
        if (signals === undefined) throw failure ?? new Error('There is no profile.');
        return host.complete(signals, trigger);
      });
    },
  });
  host.closing.addEventListener('abort', () => monitor.close(), { once: true });
  return monitor;
}

/** Tells what the monitor saw, with the result that came of it or the reason why there is none. */
async function raise(
  host: AlertingHost,
  trigger: Trigger,
  complete: () => Promise<ProfilingResult>,
): Promise<void> {
  if (host.closing.aborted) return;
  let result: ProfilingResult;
  try {
    result = await complete();
  } catch (error) {
    if (host.closing.aborted) return;
    const failure = error instanceof Error ? error : new Error(String(error));
    host.warn(`${trigger.statement} There is no result of it: ${failure.message}`);
    host.alert({ ...trigger, failure });
    return;
  }
  host.alert({ ...trigger, result });
}
