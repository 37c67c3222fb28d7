/**
 * What a point of the monitor holds: its columns, what of them is read once a second, and why one of them is empty on
 * this host.
 */
import { unavailable, type UnavailableMetric } from '../model/metric.js';
import type { MetricName } from '../model/metric-catalogue.js';
import { CGROUP_COLUMNS, PROCESS_COLUMNS, type Capability, type NativeContract } from '../native/contract.js';
import { NO_LOOP_COUNTS } from './samplers/event-loop.js';
import { ThreadRoles } from './thread-roles.js';

/** Once a second: these open files. */
export const SLOW_COLUMNS = [
  ...(['thread.workers.onCpu', 'thread.pool.onCpu', 'thread.runtime.onCpu'] as const),
  ...(['thread.others.runnable', 'process.threads', 'process.openDescriptors'] as const),
  ...(['cgroup.memory.used', 'cgroup.memory.limit'] as const),
] as const satisfies readonly MetricName[];

/** In the order in which a row holds them, the slow ones last. */
export const COLUMNS = [
  ...(['eventLoop.utilization', 'eventLoop.delay.max', 'eventLoop.iterations', 'eventLoop.events'] as const),
  ...(['thread.main.onCpu', 'thread.main.runnable', 'process.cpu.total', 'process.rss'] as const),
  ...(['process.faults.minor', 'process.faults.major', 'heap.used', 'heap.limit', 'external.used'] as const),
  ...(['host.cpu.busy', 'host.cpu.steal', 'host.cpu.iowait', 'cgroup.cpu.throttled'] as const),
  ...(['host.pressure.cpu', 'host.pressure.memory', 'host.pressure.io'] as const),
  ...SLOW_COLUMNS,
] as const satisfies readonly MetricName[];
export type Column = (typeof COLUMNS)[number];

const DESCRIPTORS = PROCESS_COLUMNS.indexOf('openDescriptors');
const MEMORY = CGROUP_COLUMNS.indexOf('memoryBytes');
const MEMORY_LIMIT = CGROUP_COLUMNS.indexOf('memoryLimitBytes');

/** Reads what is dear. */
export class SlowFigures implements Disposable {
  readonly #native: NativeContract;
  readonly #roles: ThreadRoles;
  readonly #process = new Float64Array(PROCESS_COLUMNS.length);
  readonly #cgroup = new Float64Array(CGROUP_COLUMNS.length);

  constructor(native: NativeContract) {
    this.#native = native;
    this.#roles = new ThreadRoles(native);
  }

  /** Fills `SLOW_COLUMNS` from `at` on. @param elapsedNs since the call before. */
  read(out: Float64Array, at: number, elapsedNs: number): void {
    const roles = this.#roles.read(elapsedNs);
    this.#process.fill(NaN);
    this.#native.readProcess(this.#process);
    this.#cgroup.fill(NaN);
    this.#native.readCgroup(this.#cgroup);
    out[at++] = roles.workers;
    out[at++] = roles.pool;
    out[at++] = roles.runtime;
    out[at++] = roles.othersRunnable;
    out[at++] = roles.threads;
    out[at++] = this.#process[DESCRIPTORS]!;
    out[at++] = this.#cgroup[MEMORY]!;
    out[at] = this.#cgroup[MEMORY_LIMIT]!;
  }

  [Symbol.dispose](): void {
    this.#roles[Symbol.dispose]();
  }
}

const NO_LIMIT = unavailable('NO_LIMIT', 'No such limit is set.', 'Nothing is missing: there is no limit.');
const NOT_GIVEN = unavailable(
  'NOT_GIVEN',
  'The kernel does not give this figure here.',
  'Run on Linux with the native addon; in a container, /proc must not be hidden.',
);

/** Why a column is empty. */
export function whyEmpty(column: Column, native: NativeContract): UnavailableMetric {
  const { threadStatistics, cgroup, pressure } = native.capabilities();
  if (column === 'eventLoop.iterations' || column === 'eventLoop.events') return NO_LOOP_COUNTS;
  if (column.startsWith('thread.')) return reasonOf(threadStatistics);
  if (column.startsWith('host.pressure.')) return reasonOf(pressure);
  if (!column.startsWith('cgroup.')) return NOT_GIVEN;
  return column === 'cgroup.memory.limit' && cgroup.available ? NO_LIMIT : reasonOf(cgroup);
}

function reasonOf(capability: Capability): UnavailableMetric {
  return capability.available
    ? NOT_GIVEN
    : unavailable(capability.reason, capability.message, capability.remedy);
}
