/**
 * Collapsed (folded) stacks: one line for each stack, frames from the outside in by semicolons, a space, a whole
 * number. Read by flamegraph.pl, inferno, speedscope and by `grep`.
 *
 * @see https://github.com/brendangregg/FlameGraph#2-fold-stacks
 */
import type { ProfilingResult } from '../model/profiling-result.js';
import type { StackNode } from '../model/signals.js';
import { callStacks } from './call-stacks.js';
import { formatFunctionName } from './format.js';

const US_PER_MS = 1000;

/**
 * @returns lines that end in microseconds, or in bytes for a memory profile; stacks of a worker thread begin with
 *   the thread. Empty where the result has no call tree. Costs a few ms.
 *
 * @example
 * renderCollapsed(result); // 'handle (app.js:4);JSON.parse 1250\n'
 */
export function renderCollapsed(result: ProfilingResult): string {
  const scale = result.type === 'memory' ? 1 : US_PER_MS;
  // Different functions may be written alike; readers want each stack once.
  const counts = new Map<string, number>();
  for (const { frames, selfValue, thread } of callStacks(result)) {
    const path = frames.map(frameText);
    const line = (thread === undefined ? path : [escaped(thread), ...path]).join(';');
    counts.set(line, (counts.get(line) ?? 0) + selfValue * scale);
  }
  return [...counts]
    .map(([line, count]) => [line, Math.round(count)] as const)
    .filter(([, count]) => count > 0)
    .map(([line, count]) => `${line} ${count}\n`)
    .join('');
}

function frameText(frame: StackNode): string {
  const name = escaped(formatFunctionName(frame.name));
  return frame.file === undefined ? name : `${name} (${escaped(frame.file)}:${frame.line ?? 0})`;
}

/** The format has no escapes: what separates frames and stacks must not stand in a name. */
function escaped(text: string): string {
  return text.replaceAll(';', ',').replaceAll(/\s+/g, ' ');
}
