/**
 * A CPU profile as figures: time by function, by operation of the user's functions, as a merged call tree, and
 * the shares that the catalogue names. Idle time is left out of everything but `cpu.busy.share`.
 */
import type { MetricName } from '../../model/metric-catalogue.js';
import type { FunctionCost, OperationCost, StackNode } from '../../model/signals.js';
import type { SourceIndex } from '../source/source-index.js';
import { Attributor, type LeafAttribution } from './attribution.js';
import { buildCallTree } from './call-tree.js';
import { FrameResolver, type Frame } from './frames.js';
import { OperationTable } from './operation-table.js';
import { withoutTool } from './own-time.js';
import type { RawCpuProfile } from './raw.js';
import { readSamples } from './samples.js';

export interface CpuSummary {
  readonly functions: FunctionCost[];
  readonly operations: OperationCost[];
  readonly callTree: StackNode | null;
  readonly metrics: Partial<Record<MetricName, number>>;
  readonly busyMs: number;
  /** The tool's part of the samples that were not idle, 0 to 1; it is in no other figure. */
  readonly ownShare: number;
}

interface FunctionTotals {
  readonly frame: Frame;
  selfMs: number;
  totalMs: number;
  readonly lines: Map<number, number>;
  runMs: number;
  longestRunMs: number;
  lastBusySample: number;
}

/** @param maxFunctions how many functions and operations to keep, hottest first. */
export function summariseCpuProfile(
  given: RawCpuProfile,
  sources: SourceIndex,
  maxFunctions: number,
): CpuSummary {
  const { profile, ownShare } = withoutTool(given);
  const frames = new FrameResolver(sources);
  const tree = readSamples(profile, ({ callFrame }, line, callee) => {
    const { origin, file } = frames.resolve(callFrame);
    // Node's own sources are not read; what it does itself on a line that calls back is next to nothing.
    return origin === 'node' || (isScript(origin) && sources.onlyCalls(file, line, callee));
  });
  const attributor = new Attributor(tree, frames);
  const functions = new Map<string, FunctionTotals>();
  const operations = new OperationTable(frames);
  const time = { idle: 0, busy: 0, gc: 0, program: 0, user: 0, startup: 0, timers: 0, microtasks: 0 };
  let busySample = 0;

  for (const { node, ms, runMs, stub } of tree.leaves) {
    if (node === tree.idle) {
      time.idle += ms;
      // A run of samples ends where the loop idles.
      busySample += 1;
      continue;
    }
    time.busy += ms;
    if (node === tree.collector || node === tree.program) {
      // No stack, so no break in the run of what was interrupted either.
      if (node === tree.collector) time.gc += ms;
      else time.program += ms;
      continue;
    }
    const leaf = attributor.of(node);
    busySample += 1;
    countShares(leaf, ms, time);
    countFunctions(functions, leaf, ms, runMs, busySample);
    operations.add(leaf, { ms, runMs, stub, busySample });
  }

  const busy = time.busy || 1;
  const sampled = time.busy + time.idle;
  const metrics: CpuSummary['metrics'] = { 'cpu.samples': tree.leaves.length };
  if (sampled > 0) {
    metrics['cpu.busy.share'] = time.busy / sampled;
    metrics['cpu.gc.share'] = time.gc / busy;
    metrics['cpu.program.share'] = time.program / busy;
    metrics['cpu.user.share'] = time.user / busy;
    metrics['cpu.startup.share'] = time.startup / busy;
    metrics['cpu.timers.share'] = time.timers / busy;
    metrics['cpu.microtasks.share'] = time.microtasks / busy;
  }
  return {
    functions: [...functions.values()]
      .sort((a, b) => b.selfMs - a.selfMs || b.totalMs - a.totalMs)
      .slice(0, maxFunctions)
      .map((totals) => functionCost(totals, frames, busy)),
    operations: operations.costs(busy, maxFunctions),
    callTree: buildCallTree(tree, attributor, frames),
    metrics,
    busyMs: time.busy,
    ownShare,
  };
}

function countShares(
  leaf: LeafAttribution,
  ms: number,
  time: { user: number; startup: number; timers: number; microtasks: number },
): void {
  if (leaf.startup) time.startup += ms;
  for (const part of leaf.parts) {
    const partMs = ms * part.share;
    if (part.responsible !== null) time.user += partMs;
    else if (part.operation.kind === 'timer') time.timers += partMs;
    else if (part.operation.kind === 'microtask') time.microtasks += partMs;
  }
}

function countFunctions(
  functions: Map<string, FunctionTotals>,
  leaf: LeafAttribution,
  ms: number,
  runMs: number,
  sample: number,
): void {
  const onStack = new Map<string, Frame>();
  for (const frame of leaf.path) onStack.set(frame.key, frame);
  for (const part of leaf.parts) {
    if (part.leaf.key === '') continue;
    const totals = totalsOf(functions, part.leaf);
    totals.selfMs += ms * part.share;
    if (part.leafLine !== undefined) {
      totals.lines.set(part.leafLine, (totals.lines.get(part.leafLine) ?? 0) + ms * part.share);
    }
    if (!onStack.has(part.leaf.key)) addTotal(totals, ms * part.share, runMs * part.share, sample);
  }
  // A function that calls itself is on the stack several times and is counted once.
  for (const frame of onStack.values()) addTotal(totalsOf(functions, frame), ms, runMs, sample);
}

function addTotal(totals: FunctionTotals, ms: number, runMs: number, sample: number): void {
  totals.totalMs += ms;
  const continues = totals.lastBusySample === sample || totals.lastBusySample === sample - 1;
  totals.runMs = continues ? totals.runMs + runMs : runMs;
  totals.lastBusySample = sample;
  totals.longestRunMs = Math.max(totals.longestRunMs, totals.runMs);
}

function totalsOf(functions: Map<string, FunctionTotals>, frame: Frame): FunctionTotals {
  let totals = functions.get(frame.key);
  if (totals === undefined) {
    totals = {
      frame,
      selfMs: 0,
      totalMs: 0,
      lines: new Map(),
      runMs: 0,
      longestRunMs: 0,
      lastBusySample: -2,
    };
    functions.set(frame.key, totals);
  }
  return totals;
}

function functionCost(totals: FunctionTotals, frames: FrameResolver, busyMs: number): FunctionCost {
  const { frame } = totals;
  const hottest = [...totals.lines].sort((a, b) => b[1] - a[1])[0]?.[0];
  return {
    location: frames.location(frame),
    selfMs: totals.selfMs,
    totalMs: totals.totalMs,
    selfShare: totals.selfMs / busyMs,
    totalShare: totals.totalMs / busyMs,
    ...(hottest !== undefined && isScript(frame.origin)
      ? { hottestLine: frames.location(frame, hottest).line }
      : {}),
    origin: frame.origin === 'own' ? 'dependency' : frame.origin,
    longestRunMs: totals.longestRunMs,
  };
}

function isScript(origin: Frame['origin']): boolean {
  return origin === 'user' || origin === 'dependency';
}
