import { availableParallelism } from 'node:os';
import { unavailable } from '../../model/metric.js';
import type { MetricName } from '../../model/metric-catalogue.js';
import {
  CGROUP_COLUMNS,
  HOST_CPU_COLUMNS,
  PRESSURE_COLUMNS,
  type Capability,
  type NativeContract,
} from '../../native/contract.js';
import type { Gathered, Sampler } from '../sampler.js';
import type { TickReading, TickRow } from './tick-reading.js';

type Row<C extends readonly string[]> = Record<C[number], number>;

const NO_PROC: Capability = {
  available: false,
  reason: 'PLATFORM',
  message: 'This host has no /proc/stat that can be read.',
  remedy: 'Run on Linux to see what else uses the host’s CPUs.',
};

/** What the rest of the host and the container's limits do to this process. */
export class HostSampler implements Sampler {
  readonly name = 'host';
  readonly #native: NativeContract;
  #cpu: Row<typeof HOST_CPU_COLUMNS> | undefined;
  #lastTick: Row<typeof HOST_CPU_COLUMNS> | undefined;
  readonly #reading: TickReading;
  #cgroup: Row<typeof CGROUP_COLUMNS> | undefined;
  #ownCpuUs = 0;

  constructor(native: NativeContract, reading: TickReading) {
    this.#native = native;
    this.#reading = reading;
  }

  start(): void {
    this.#cpu = this.#lastTick = this.#hostCpu();
    this.#cgroup = this.#readCgroup();
    this.#ownCpuUs = ownCpuUs();
  }

  tick(values: Record<string, number>): void {
    const now = hostRow(this.#reading.read());
    const used = hostShares(this.#lastTick!, now);
    if (used !== null) {
      values['host.cpu.busy'] = used.busy;
      values['host.cpu.steal'] = used.steal;
      // The kernel counts host time in steps of 10 ms; a tick that saw no step keeps the older start.
      this.#lastTick = now;
    }
  }

  stop(gathered: Gathered): void {
    gathered.set('host.cpus', availableParallelism());
    this.#stopCpu(gathered);
    this.#stopCgroup(gathered);
    const { cpuSome, memorySome, ioSome } = fill(PRESSURE_COLUMNS, (out) => this.#native.readPressure(out));
    const pressure = this.#native.capabilities().pressure;
    setOr(gathered, 'host.pressure.cpu', cpuSome, pressure);
    setOr(gathered, 'host.pressure.memory', memorySome, pressure);
    setOr(gathered, 'host.pressure.io', ioSome, pressure);
  }

  #stopCpu(gathered: Gathered): void {
    const shares = hostShares(this.#cpu!, this.#hostCpu());
    setOr(gathered, 'host.cpu.busy', shares?.busy ?? NaN, NO_PROC);
    setOr(gathered, 'host.cpu.steal', shares?.steal ?? NaN, NO_PROC);
    setOr(gathered, 'host.cpu.iowait', shares?.iowait ?? NaN, NO_PROC);
    const own = (ownCpuUs() - this.#ownCpuUs) / 1000 / gathered.elapsedMs;
    const all = shares === null ? NaN : shares.busyNs / 1e6 / gathered.elapsedMs;
    // Both clocks have their own grain, so a quiet host can come out slightly below nothing.
    setOr(gathered, 'host.cpu.others', Math.max(0, all - own), NO_PROC);
  }

  #stopCgroup(gathered: Gathered): void {
    const end = this.#readCgroup();
    const start = this.#cgroup!;
    const { cgroup } = this.#native.capabilities();
    const periods = end.periods - start.periods;
    // No period in the window, or no quota at all, means that nothing was throttled.
    const throttled = end.throttledPeriods - start.throttledPeriods;
    setOr(gathered, 'cgroup.cpu.throttledPeriods', periods === 0 ? 0 : throttled / periods, cgroup);
    setOr(
      gathered,
      'cgroup.cpu.throttled',
      (end.throttledNs - start.throttledNs) / 1e6 / gathered.elapsedMs,
      cgroup,
    );
    setOr(gathered, 'cgroup.memory.used', end.memoryBytes, cgroup);
    setLimit(gathered, 'cgroup.cpu.quota', end.quotaCpus, cgroup);
    setLimit(gathered, 'cgroup.memory.limit', end.memoryLimitBytes, cgroup);
  }

  #hostCpu(): Row<typeof HOST_CPU_COLUMNS> {
    return fill(HOST_CPU_COLUMNS, (out) => this.#native.readHostCpu(out));
  }

  #readCgroup(): Row<typeof CGROUP_COLUMNS> {
    return fill(CGROUP_COLUMNS, (out) => this.#native.readCgroup(out));
  }
}

/** A native row as named figures. */
export function fill<const C extends readonly string[]>(
  columns: C,
  read: (out: Float64Array) => void,
): Row<C> {
  const out = new Float64Array(columns.length).fill(NaN);
  read(out);
  return Object.fromEntries(columns.map((column, index) => [column, out[index]])) as Row<C>;
}

/** The figure, or why this host does not give it. */
export function setOr(gathered: Gathered, name: MetricName, value: number, capability: Capability): void {
  if (Number.isFinite(value)) gathered.set(name, value);
  else if (!capability.available) {
    gathered.missing([name], unavailable(capability.reason, capability.message, capability.remedy));
  } else {
    gathered.missing(
      [name],
      unavailable(
        'NOT_GIVEN',
        'The kernel does not give this figure here.',
        'Nothing; other figures stand in for it.',
      ),
    );
  }
}

function setLimit(gathered: Gathered, name: MetricName, value: number, capability: Capability): void {
  if (value === Infinity) {
    gathered.missing(
      [name],
      unavailable('NO_LIMIT', 'No such limit is set.', 'Nothing is missing: there is no limit.'),
    );
  } else {
    setOr(gathered, name, value, capability);
  }
}

function hostRow(tick: TickRow): Row<typeof HOST_CPU_COLUMNS> {
  return {
    userNs: tick.hostUserNs,
    niceNs: tick.hostNiceNs,
    systemNs: tick.hostSystemNs,
    idleNs: tick.hostIdleNs,
    iowaitNs: tick.hostIowaitNs,
    irqNs: tick.hostIrqNs,
    softirqNs: tick.hostSoftirqNs,
    stealNs: tick.hostStealNs,
  };
}

function hostShares(start: Row<typeof HOST_CPU_COLUMNS>, end: Row<typeof HOST_CPU_COLUMNS>) {
  const delta = (column: (typeof HOST_CPU_COLUMNS)[number]) => end[column] - start[column];
  const total = HOST_CPU_COLUMNS.reduce((sum, column) => sum + delta(column), 0);
  if (!(total > 0)) return null;
  const steal = delta('stealNs');
  const iowait = delta('iowaitNs');
  const busyNs = total - delta('idleNs') - iowait - steal;
  return { busyNs, busy: busyNs / total, steal: steal / total, iowait: iowait / total };
}

function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
