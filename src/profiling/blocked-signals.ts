/** What the watchdog saw of a blocked loop, in the form that rules take. Loaded when there was a block. */
import type { Trigger } from '../model/trigger.js';
import { catalogued, type MetricName } from '../model/metric-catalogue.js';
import type { Metrics, TimelinePoint } from '../model/metric.js';
import type { Signals } from '../model/signals.js';
import type { RawCpuProfile } from './cpu/raw.js';
import { summariseCpuProfile } from './cpu/summary.js';
import { loadParser } from './source/parser.js';
import { SourceIndex } from './source/source-index.js';

const MAX_FUNCTIONS = 100;
/** Of the samples of a block, from which on it is the tool's. */
const OWN_BLOCK_SHARE = 0.5;

/**
 * @param besideProfile whether a profile was taken meanwhile: collections, which have no stack, are then its own.
 * @returns undefined where the tool's own work held the loop: collecting or diagnosing, which is no fault of the program.
 */
export function blockedSignals(
  blockedMs: number,
  profile: RawCpuProfile,
  timeline: readonly TimelinePoint[],
  besideProfile: boolean,
): Signals | undefined {
  const sources = new SourceIndex(loadParser());
  const {
    functions,
    operations,
    callTree,
    metrics: shares,
    ownShare,
  } = summariseCpuProfile(profile, sources, MAX_FUNCTIONS);
  const withoutStack = (shares['cpu.gc.share'] ?? 0) + (shares['cpu.program.share'] ?? 0);
  const toolShare = ownShare + (besideProfile ? (1 - ownShare) * withoutStack : 0);
  if (toolShare >= OWN_BLOCK_SHARE) return undefined;
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
