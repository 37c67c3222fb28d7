/**
 * What a call of each variant uses beside time: CPU, allocation, peak memory, and hardware counters where the host
 * has them. For people, and for the fit of memory; the race goes by the objective alone.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { openCounters, type CounterGroup } from '../counters/counter-group.js';
import { measured, unavailable, type Metric } from '../model/metric.js';
import { runBatch, type Side } from '../validation/batch.js';
import { median } from '../validation/statistics.js';
import { allocatedBytes, type Contender } from './cost.js';

/** Per call of the variant. */
export interface ResourceUse {
  readonly timeNs: number;
  /** CPU time of the whole process: more than `timeNs` where other threads work along. */
  readonly cpuNs: number;
  readonly allocatedBytes: number;
  /** Growth of resident memory at its highest, over a batch that begins with what the heap holds already. */
  readonly peakBytes: Metric;
  /** Instructions, cycles and misses of the calling thread. */
  readonly counters: Readonly<Record<string, Metric>>;
}

const BATCHES = 3;
const MAX_BATCH_MS = 4;
const EVENTS = ['instructions', 'cycles', 'cacheMisses', 'branchMisses'] as const;
const NO_PEAK = unavailable(
  'PLATFORM',
  'The peak of resident memory cannot be reset here.',
  'Measure on Linux, in a process that may write /proc/self/clear_refs.',
);

/**
 * Measures one variant on one size class. Costs some 30 ms, or a few calls where they take longer.
 *
 * @param knownNs time of a call where the race has measured it.
 */
export async function resourceUse(
  { side, callsPerPass }: Contender,
  knownNs: number | undefined,
  overheadBytes: number,
): Promise<ResourceUse> {
  const timeNs = knownNs ?? ((await runBatch(side, 1)).timeMs * 1e6) / callsPerPass;
  const passNs = Math.max(1, timeNs * callsPerPass);
  const passes = Math.max(1, Math.min(1_000, Math.floor((MAX_BATCH_MS * 1e6) / passNs)));
  const cpu: number[] = [];
  for (let i = 0; i < BATCHES; i += 1) {
    const { cpuMs, calls } = await runBatch(side, passes);
    cpu.push((cpuMs * 1e6) / calls / callsPerPass);
  }
  const bytes = (await allocatedBytes(side, Math.min(passes, 8), overheadBytes)) / callsPerPass;
  return {
    timeNs,
    cpuNs: median(cpu),
    allocatedBytes: bytes,
    peakBytes: await peakGrowth(side, passes),
    counters: await counted(side, passes, callsPerPass),
  };
}

/** Growth of the peak of resident memory: writing 5 to clear_refs sets it back to what is resident (proc(5)). */
async function peakGrowth(side: Side, passes: number): Promise<Metric> {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    const before = residentPeak();
    await runBatch(side, passes);
    return measured(Math.max(0, residentPeak() - before), 'bytes');
  } catch {
    return NO_PEAK;
  }
}

function residentPeak(): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

async function counted(side: Side, passes: number, callsPerPass: number): Promise<Record<string, Metric>> {
  let group: CounterGroup;
  try {
    group = openCounters({ events: [...EVENTS] });
  } catch {
    return {};
  }
  try {
    const { counters } = await group.measureAsync(() => runBatch(side, passes));
    return Object.fromEntries(
      EVENTS.map((event) => {
        const value = counters.values[event];
        if (value?.available) return [event, measured(value.value / passes / callsPerPass, 'count')];
        return [
          event,
          unavailable(
            value?.reason ?? 'NOT_MEASURED',
            value?.message ?? 'Not counted.',
            value?.remedy ?? 'See `sysopt doctor`.',
          ),
        ];
      }),
    );
  } finally {
    group.close();
  }
}
