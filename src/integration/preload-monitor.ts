/** The monitor of a program that preloads it: what its environment says of it. */
import { describe, fail } from '../errors.js';
import type { MonitorOptions } from '../profiling/monitor.js';

/** `1` for the defaults, or a JSON object of `watchdog`, `anomalies`, `intervalMs` and `historyMs`. */
const MONITOR_VARIABLE = 'SYSOPT_MONITOR';
/** Folder of the store. Default `data/optimization`. */
const STORAGE_VARIABLE = 'SYSOPT_STORAGE';
const KEYS = ['intervalMs', 'historyMs', 'watchdog', 'anomalies'];
const DEFAULT_WATCHDOG = { blockedMs: 1000 };

/** @throws InvalidArgumentError */
export function monitorOptions(text: string): MonitorOptions {
  const refuse = (expected: string) =>
    fail('INVALID_ARGUMENT', { name: MONITOR_VARIABLE, actual: describe(text), expected });
  let given: unknown;
  try {
    given = text === 'on' ? {} : JSON.parse(text);
  } catch {
    throw refuse('1, or a JSON object');
  }
  if (given === 1 || given === true) given = {};
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw refuse('1, or a JSON object');
  const unknown = Object.keys(given).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw refuse(`an object with ${KEYS.join(', ')}, not ${unknown}`);
  const { watchdog = DEFAULT_WATCHDOG, ...rest } = given as {
    watchdog?: MonitorOptions['watchdog'] | false;
  };
  return watchdog === false ? rest : { ...rest, watchdog };
}

/** Starts the monitor for the whole life of the program. @throws InvalidArgumentError, SettingsError. */
export async function startMonitor(text: string): Promise<void> {
  const options = monitorOptions(text);
  const { SystemOptimizer } = await import('../index.js');
  const storagePath = process.env[STORAGE_VARIABLE];
  const optimizer = new SystemOptimizer(storagePath ? { storagePath } : {});
  await optimizer.monitor(options);
}
