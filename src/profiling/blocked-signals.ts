/** What the watchdog saw of a blocked loop, in the form that rules take. Loaded when there was a block. */
import type { Trigger } from '../model/alert.js';
import { catalogued, type MetricName } from '../model/metric-catalogue.js';
import type { Metrics, TimelinePoint } from '../model/metric.js';
import type { Signals } from '../model/signals.js';
import type { RawCpuProfile } from './cpu/raw.js';
import { summariseCpuProfile } from './cpu/summary.js';
import { loadParser } from './source/parser.js';
import { SourceIndex } from './source/source-index.js';

const MAX_FUNCTIONS = 100;

export function blockedSignals(
  blockedMs: number,
  profile: RawCpuProfile,
  timeline: readonly TimelinePoint[],
): Signals {
  const sources = new SourceIndex(loadParser());
  const {
    functions,
    operations,
    callTree,
    metrics: shares,
  } = summariseCpuProfile(profile, sources, MAX_FUNCTIONS);
  const metrics: Metrics = {};
  for (const [name, value] of Object.entries(shares)) metrics[name] = catalogued(name as MetricName, value);
  metrics['eventLoop.utilization'] = catalogued('eventLoop.utilization', 1);
  metrics['eventLoop.delay.max'] = catalogued('eventLoop.delay.max', blockedMs);
  const sampledMs = (profile.endTime - profile.startTime) / 1000;
  return {
    type: 'cpu',
    durationMs: sampledMs,
    metrics,
    timeline,
    functions,
    allocations: [],
    callTree,
    gc: [],
    operations,
    rawProfile: profile,
    warnings: [
      `The event loop was blocked for ${Math.round(blockedMs)} ms. A watchdog profiled the last ${Math.round(sampledMs)} ms of it.`,
    ],
  };
}

export function blockedTrigger(blockedMs: number, limit: number): Trigger {
  return {
    kind: 'blocked-loop',
    value: blockedMs,
    limit,
    unit: 'ms',
    statement: `The event loop did not come round for ${Math.round(blockedMs)} ms.`,
  };
}
