/** Signals made by hand: a quiet, healthy program, to which a test adds what it is about. */
import { catalogued, type MetricName } from '../../../dist/model/metric-catalogue.js';
import type { OperationCost, Signals } from '../../../dist/model/signals.js';

export const WINDOW_MS = 5000;

const QUIET: Partial<Record<MetricName, number>> = {
  'eventLoop.utilization': 0.2,
  'eventLoop.delay.p99': 2,
  'eventLoop.delay.max': 8,
  'eventLoop.activeTimers': 12,
  'cpu.samples': 5000,
  'cpu.busy.share': 0.2,
  'cpu.gc.share': 0.03,
  'cpu.startup.share': 0,
  'cpu.timers.share': 0.02,
  'cpu.microtasks.share': 0.02,
  'process.cpu.system': 0.03,
  'process.cpu.total': 0.2,
  'process.faults.minor': 500,
  'process.faults.major': 0,
  'thread.main.onCpu': 0.19,
  'thread.main.runnable': 0.01,
  'thread.main.blocked': 0,
  'host.cpus': 4,
  'host.cpu.others': 0.3,
  'host.cpu.peers': 0,
  'host.cpu.steal': 0,
  'host.cpu.iowait': 0,
  'host.pressure.memory': 0,
  'cgroup.cpu.throttledPeriods': 0,
  'gc.share': 0.01,
  'gc.major.share': 0.002,
  'gc.pause.max': 3,
  'heap.limit': 4e9,
  'heap.used': 3e7,
  'heap.floor.share': 0.01,
  'heap.allocation.rate': 2e6,
  'heap.live.growth': 0,
  'external.used': 2e6,
  'external.live.growth': 0,
};

export interface Changes extends Partial<Omit<Signals, 'metrics' | 'operations'>> {
  readonly metrics?: Partial<Record<MetricName, number>>;
  readonly operations?: readonly OperationCost[];
  /** Metrics that this host does not give. */
  readonly without?: readonly MetricName[];
}

export function signals({ metrics, without = [], operations = [], ...changes }: Changes = {}): Signals {
  const values = { ...QUIET, ...metrics };
  return {
    type: 'cpu',
    durationMs: WINDOW_MS,
    metrics: Object.fromEntries(
      Object.entries(values)
        .filter(([name]) => !without.includes(name as MetricName))
        .map(([name, value]) => [name, catalogued(name as MetricName, value)]),
    ),
    timeline: [],
    functions: [],
    allocations: [],
    callTree: null,
    gc: [],
    warnings: [],
    operations,
    ...changes,
  };
}

/** An operation that takes `share` of the busy time of a program that is busy for `busy` of the window. */
export function operation(
  kind: OperationCost['kind'],
  name: string,
  share: number,
  {
    busy = 0.2,
    longestRunMs = 2,
    line = 10,
    ...rest
  }: Partial<OperationCost> & { busy?: number; line?: number } = {},
): OperationCost {
  return {
    kind,
    name: kind === 'own-code' ? 'own code' : name,
    location: { function: name, file: '/app/service.js', line },
    functionLine: line - 2,
    totalMs: share * busy * WINDOW_MS,
    share,
    longestRunMs,
    stubMs: 0,
    startupMs: 0,
    callers: [],
    ...rest,
  };
}
