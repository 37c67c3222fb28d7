/** What can be measured here and what cannot, as lines of `sysopt doctor`: capabilities of the addon, profiler, counters. */
import { openCounters } from '../counters/counter-group.js';
import type { Capability, NativeCapabilities } from '../native/contract.js';
import { loadNative } from '../native/load.js';
import type { Check } from './host-checks.js';

/** Remedy of what the addon's own line explains: once is enough. */
export const SEE_ABOVE = 'See the native addon.';

const CAPABILITY_NAMES: Readonly<Record<keyof NativeCapabilities, string>> = {
  addon: 'native addon',
  alignedRegions: 'aligned memory regions',
  hugePages: 'huge pages',
  affinity: 'thread affinity',
  threadClock: 'thread CPU clocks',
  threadStatistics: 'run-queue statistics of threads',
  profilerSignalBlocking: 'profiling without waking an idle loop',
  softwareCounters: 'software counters',
  hardwareCounters: 'hardware counters',
  cgroup: 'container limits',
  pressure: 'pressure stall information',
};

/** Reasons for a missing metric that this verb has a line for. */
export function reasonsExplained(): ReadonlySet<string> {
  return new Set(measuringChecks(loadNative().capabilities()).flatMap(({ reason }) => reason ?? []));
}

/** What the addon and the profiler can do here, a line each. */
export function measuringChecks(capabilities: NativeCapabilities): Check[] {
  const checks = (Object.entries(CAPABILITY_NAMES) as [keyof NativeCapabilities, string][]).map(
    ([key, name]) => checkOf(name, capabilities[key]),
  );
  checks.push(
    process.features.inspector
      ? { area: 'measuring', name: 'V8 profiler', state: 'available', message: '' }
      : {
          area: 'measuring',
          name: 'V8 profiler',
          state: 'missing',
          message: 'This Node was built without the inspector, which the profiler needs.',
          reason: 'NO_INSPECTOR',
          remedy: 'Use an official build of Node.',
        },
  );
  return checks;
}

/**
 * Which counter events count here, found out by counting a little work; those that do not, by reason: a line each where
 * the events of a processor differ, one line where the reason is the same for all.
 */
export function counterChecks(): Check[] {
  using counters = openCounters();
  const { values } = counters.measure(() => {
    let sum = 0;
    for (let i = 0; i < 100_000; i += 1) sum += i % 7;
    return sum;
  }).counters;
  const counting: string[] = [];
  const refused = new Map<string, { names: string[]; message: string; remedy: string }>();
  for (const [name, value] of Object.entries(values)) {
    if (value?.available === true) counting.push(name);
    else if (value !== undefined) {
      const { reason, message, remedy } = value;
      const known = refused.get(reason);
      if (known) known.names.push(name);
      else refused.set(reason, { names: [name], message, remedy });
    }
  }
  const area = 'measuring';
  const checks: Check[] = [...refused].map(([reason, { names, message, remedy }]) => ({
    area,
    name: `not counted: ${names.join(', ')}`,
    state: 'missing',
    reason,
    message,
    remedy: reason === 'NO_ADDON' ? SEE_ABOVE : remedy,
  }));
  if (counting.length === 0) return checks;
  return [{ area, name: 'counted', state: 'available', message: `${counting.join(', ')}.` }, ...checks];
}

function checkOf(name: string, capability: Capability): Check {
  if (capability.available) {
    return { area: 'measuring', name, state: 'available', message: capability.detail ?? '' };
  }
  const { reason, message, remedy } = capability;
  if (reason === 'NO_ADDON' && name !== CAPABILITY_NAMES.addon) {
    // The addon's own line says why and what to do; once is enough.
    return {
      area: 'measuring',
      name,
      state: 'missing',
      message: 'needs the native addon.',
      reason,
      remedy: SEE_ABOVE,
    };
  }
  return { area: 'measuring', name, state: 'missing', message, reason, remedy };
}
