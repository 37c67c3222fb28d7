/**
 * A result's call tree as a `.cpuprofile`: the format of V8's inspector, opened by Chrome DevTools, VS Code and
 * speedscope.
 *
 * Its samples are laid out in the order of the tree, because a stored result keeps no order in time: flame graph
 * ("left heavy"), bottom-up and tree views are right, the position on a time axis means nothing. The format knows
 * one thread, so worker threads are left out; pprof and collapsed stacks have them.
 *
 * @see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile
 */
import type { ProfilingResult } from '../model/profiling-result.js';
import type { StackNode } from '../model/signals.js';
import { formatFunctionName } from './format.js';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly scriptId: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  hitCount: number;
  readonly children: number[];
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const US_PER_MS = 1000;
/** Some readers go by the number of samples instead of their time, so that each stands for about as long. */
const SAMPLE_US = 1000;
const MOST_SAMPLES = 20_000;

/**
 * @param result a result with a call tree in milliseconds: any type but `memory`.
 * @returns times in microseconds since the start of the profile. Costs a few ms.
 *
 * @example
 * await writeFile('app.cpuprofile', JSON.stringify(toCpuProfile(result)));
 */
export function toCpuProfile({ callTree }: ProfilingResult): CpuProfile {
  const nodes: ProfileNode[] = [];
  const samples: number[] = [];
  // A sample lasts until the next one: each node's time is the distance of its successor.
  const timeDeltas = [0];
  const totalUs = (callTree?.value ?? 0) * US_PER_MS;
  const sampleUs = Math.max(SAMPLE_US, totalUs / MOST_SAMPLES);
  let exactUs = 0;
  let writtenUs = 0;

  const visit = (node: StackNode, isRoot: boolean): number => {
    const id = nodes.length + 1;
    const written: ProfileNode = { id, callFrame: frameOf(node, isRoot), hitCount: 0, children: [] };
    nodes.push(written);
    const selfUs =
      Math.max(0, node.value - node.children.reduce((sum, child) => sum + child.value, 0)) * US_PER_MS;
    if (selfUs >= 1) {
      written.hitCount = Math.max(1, Math.round(selfUs / sampleUs));
      for (let i = 0; i < written.hitCount; i += 1) {
        samples.push(id);
        // Whole microseconds, rounded along the sum, so that rounding does not add up.
        exactUs += selfUs / written.hitCount;
        timeDeltas.push(Math.round(exactUs) - writtenUs);
        writtenUs = Math.round(exactUs);
      }
    }
    for (const child of node.children) written.children.push(visit(child, false));
    return id;
  };
  visit(callTree ?? { name: '', value: 0, children: [] }, true);
  // Ends the last one; it lasts no time itself.
  samples.push(1);
  return { nodes, startTime: 0, endTime: writtenUs, samples, timeDeltas };
}

function frameOf(node: StackNode, isRoot: boolean): ProfileNode['callFrame'] {
  return {
    functionName: isRoot ? '(root)' : formatFunctionName(node.name),
    scriptId: '0',
    url: node.file ?? '',
    // 0-based in this format; -1 where there is none.
    lineNumber: (node.line ?? 0) - 1,
    columnNumber: node.line === undefined ? -1 : 0,
  };
}
