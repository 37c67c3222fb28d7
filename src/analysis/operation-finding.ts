/** Findings about one function that holds the event loop: what several rules have in common. */
import type { Cause, CodeLocation, Evidence } from '../model/finding.js';
import { formatDurationMs, formatShare } from '../units.js';
import { confidenceAbove, loopSeverity } from './confidence.js';
import type { RankedFinding } from './rule.js';
import type { HotOperation, SignalView } from './signal-view.js';

/**
 * When an operation is a fault. Either it blocks the loop for long at a time, or it takes much of it. Both ask
 * for a least share: one slow call in a window may be chance. So may a stretch of samples in a loop that is full.
 */
export interface OperationThresholds {
  /** Longest stretch in ms, and the least share of the loop's time that goes with it. */
  readonly block: { readonly longestMs: number; readonly loopShare: number };
  /** Share of the loop's time, and of its busy time, that is too much however short each call is; absent where none is. */
  readonly load?: { readonly loopShare: number; readonly busyShare: number };
}

export function exceeds(
  { loopShare, busyShare, chanceRunMs, operation }: HotOperation,
  { block, load }: OperationThresholds,
): boolean {
  const longestMs = Math.max(block.longestMs, chanceRunMs);
  return (
    (operation.longestRunMs >= longestMs && loopShare >= block.loopShare) ||
    (load !== undefined && loopShare >= load.loopShare && busyShare >= load.busyShare)
  );
}

/** Fewer busy milliseconds than this are too few samples to name anything. */
export const LEAST_BUSY_MS = 40;

export interface OperationText {
  readonly cause: Cause;
  readonly title: (hot: HotOperation) => string;
  readonly detail?: ((hot: HotOperation) => string | undefined) | undefined;
}

export function operationFinding(
  view: SignalView,
  hot: HotOperation,
  thresholds: OperationThresholds,
  text: OperationText,
): RankedFinding {
  const { operation, loopShare, busyShare } = hot;
  const { block, load } = thresholds;
  const longestMs = Math.max(block.longestMs, hot.chanceRunMs);
  const blocks = Math.min(
    confidenceAbove(operation.longestRunMs, longestMs),
    confidenceAbove(loopShare, block.loopShare),
  );
  const loads =
    load === undefined
      ? 0
      : Math.min(confidenceAbove(loopShare, load.loopShare), confidenceAbove(busyShare, load.busyShare));
  const confidence = Math.max(blocks, loads);
  const detail = [viaText(hot), text.detail?.(hot)].filter((part) => part !== undefined).join(' ');
  return {
    cause: text.cause,
    severity: loopSeverity(loopShare, operation.longestRunMs),
    confidence,
    impact: loopShare,
    title: text.title(hot),
    ...(detail === '' ? {} : { detail }),
    location: operation.location,
    evidence: operationEvidence(view, hot, thresholds),
    expectedGain: Math.min(1, busyShare),
  };
}

function operationEvidence(view: SignalView, hot: HotOperation, thresholds: OperationThresholds): Evidence[] {
  const { operation, loopShare, busyShare } = hot;
  const name = placeOf(operation.location);
  return [
    {
      metric: 'operation.loopShare',
      value: loopShare,
      unit: 'ratio',
      threshold: thresholds.load?.loopShare ?? thresholds.block.loopShare,
      statement: `${capitalised(operation.name)} in ${name} held the event loop for ${formatShare(loopShare)} of the time.`,
    },
    {
      metric: 'operation.busyShare',
      value: busyShare,
      unit: 'ratio',
      ...(thresholds.load && { threshold: thresholds.load.busyShare }),
      statement: `That is ${formatShare(busyShare)} of the time in which the program did anything.`,
    },
    {
      metric: 'operation.longestRun',
      value: operation.longestRunMs,
      unit: 'ms',
      threshold: Math.max(thresholds.block.longestMs, hot.chanceRunMs),
      statement: `The longest stretch in it lasted ${formatDurationMs(operation.longestRunMs)}.`,
    },
    ...view.evidence(
      'eventLoop.delay.max',
      (value) => `A timer had to wait for the event loop for up to ${formatDurationMs(value)}.`,
    ),
  ];
}

function viaText({ operation }: HotOperation): string | undefined {
  if (operation.via === undefined) return undefined;
  return `The time is spent in ${operation.via.function} (${operation.via.file}:${operation.via.line}), which this function calls.`;
}

export function placeOf(location: CodeLocation): string {
  return `${location.function} (${fileOf(location)}:${location.line})`;
}

/** Its name without folders. */
export function fileOf({ file }: Pick<CodeLocation, 'file'>): string {
  return file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
}

/** As a sentence begins; names of functions and modules keep their case. */
export function capitalised(name: string): string {
  return /[.(:]/.test(name) ? name : name.charAt(0).toUpperCase() + name.slice(1);
}
