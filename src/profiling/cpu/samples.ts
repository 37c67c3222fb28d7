/**
 * From V8's samples to weighted leaves.
 *
 * Weights. A sample stands for the time since the one before it. While the loop polls with the profiler's
 * signal blocked there are no samples, and the first one afterwards is idle, so the gap is idle time, as it
 * should be. A gap before a busy sample is time for which the thread or the sampling thread did not run; it
 * counts for at most `GAP_INTERVALS` intervals, or a busy host would turn a short function into a long one.
 *
 * Stubs. V8 finds a sample's functions through frame pointers and takes the innermost one from the program
 * counter. In a builtin that builds no frame (generic property loads, hash look-ups) the counter is in the
 * builtin, so the function that called it is lost, and the sample lands on that function's caller: on the line
 * of the call, or without a line. A call by itself takes no time, so such a sample is given back to the callee
 * that ran next to it in time; where a short burst holds no other sample, to the one that has nearly all samples
 * below that caller.
 */
import type { RawCpuProfile, RawNode } from './raw.js';

const GAP_INTERVALS = 3;
/**
 * A stretch of samples counts at most this many intervals a sample. On a crowded host samples come rarely, and two
 * neighbouring ones in one function need not belong to one call.
 */
const RUN_INTERVALS = 2;
const NEIGHBOURS = 6;
/** Share of the samples below a caller from which on a callee is taken for the only one. */
const SOLE_CALLEE_SHARE = 0.8;

export interface SampledLeaf {
  /** Index into `nodes`. */
  readonly node: number;
  readonly ms: number;
  /** What the sample adds to a stretch without pause, at most `ms`. */
  readonly runMs: number;
  /** The sample stood in a frameless builtin called by this node. */
  readonly stub: boolean;
}

export interface SampledTree {
  readonly nodes: readonly RawNode[];
  /** Index of the parent; -1 for the root. A parent's index is not necessarily smaller than its child's. */
  readonly parents: Int32Array;
  /** In the order of time. */
  readonly leaves: readonly SampledLeaf[];
  readonly idle: number;
  readonly collector: number;
  readonly program: number;
}

/** @param callsOn whether a line of a node's source does nothing but call a function of this name. */
export function readSamples(
  profile: RawCpuProfile,
  callsOn: (caller: RawNode, line: number, callee: string) => boolean,
): SampledTree {
  const nodes = profile.nodes;
  const indexOfId = new Map(nodes.map((node, index) => [node.id, index]));
  const parents = new Int32Array(nodes.length).fill(-1);
  nodes.forEach((node, index) => {
    for (const child of node.children ?? []) parents[indexOfId.get(child) ?? index] = index;
  });
  const special = (name: string) =>
    nodes.findIndex((node) => node.callFrame.functionName === name && node.callFrame.url === '');
  const idle = special('(idle)');
  const collector = special('(garbage collector)');
  const program = special('(program)');

  const samples = (profile.samples ?? []).map((id) => indexOfId.get(id) ?? -1);
  const deltas = profile.timeDeltas ?? [];
  const intervalUs = usualInterval(deltas);
  const weights = sampleWeights(samples, deltas, idle, intervalUs);
  const stubShares = nodes.map((node) => {
    const callees = (node.children ?? []).map((id) => nodes[indexOfId.get(id)!]!.callFrame);
    const names = callees.filter(({ url }) => url !== '' && !url.startsWith('node:'));
    return stubShare(node, (line) => names.some(({ functionName }) => callsOn(node, line, functionName)));
  });
  const soleCallees = soleCalleesOf(nodes, indexOfId);
  const carry = new Float64Array(nodes.length);

  const leaves: SampledLeaf[] = [];
  samples.forEach((node, at) => {
    const ms = weights[at]!;
    if (node < 0 || ms <= 0) return;
    const runMs = Math.min(ms, (intervalUs * RUN_INTERVALS) / 1000);
    const share = stubShares[node]!;
    if (share > 0) {
      // V8 gives ticks a node, not a sample; spread them evenly over the node's samples.
      carry[node] = carry[node]! + share;
      if (carry[node] >= 0.999) {
        carry[node] -= 1;
        const found = neighbouringCallee(samples, at, node, parents) ?? soleCallees(node);
        // A function that calls itself has the time of its calls and of its stubs on one line.
        const callee = found !== undefined && isSame(nodes[found]!, nodes[node]!) ? undefined : found;
        leaves.push({ node: callee ?? node, ms, runMs, stub: callee !== undefined });
        return;
      }
    }
    leaves.push({ node, ms, runMs, stub: false });
  });
  return { nodes, parents, leaves, idle, collector, program };
}

function isSame({ callFrame: one }: RawNode, { callFrame: other }: RawNode): boolean {
  return (
    one.url === other.url &&
    one.lineNumber === other.lineNumber &&
    one.columnNumber === other.columnNumber &&
    one.functionName === other.functionName
  );
}

function usualInterval(deltasUs: readonly number[]): number {
  const positive = deltasUs.filter((delta) => delta > 0).sort((a, b) => a - b);
  return positive[positive.length >> 1] ?? 1000;
}

function sampleWeights(
  samples: readonly number[],
  deltasUs: readonly number[],
  idle: number,
  intervalUs: number,
): number[] {
  return samples.map((node, at) => {
    const delta = Math.max(0, deltasUs[at] ?? 0);
    return (node === idle ? delta : Math.min(delta, intervalUs * GAP_INTERVALS)) / 1000;
  });
}

/** Share of a JavaScript node's own samples that have no line, or the line of a call that has samples of its own. */
function stubShare(node: RawNode, isCallLine: (line: number) => boolean): number {
  const hits = node.hitCount ?? 0;
  if (hits === 0 || node.callFrame.url === '') return 0;
  const explained = (node.positionTicks ?? []).reduce(
    (sum, { line, ticks }) => (line > 0 && !isCallLine(line) ? sum + ticks : sum),
    0,
  );
  return Math.max(0, 1 - explained / hits);
}

/** The child of `node` that was on the stack nearest in time to the sample at `at`. */
function neighbouringCallee(
  samples: readonly number[],
  at: number,
  node: number,
  parents: Int32Array,
): number | undefined {
  for (let distance = 1; distance <= NEIGHBOURS; distance += 1) {
    for (const neighbour of [samples[at - distance], samples[at + distance]]) {
      if (neighbour === undefined || neighbour < 0) continue;
      let below = neighbour;
      for (let above = parents[neighbour]!; above >= 0; above = parents[above]!) {
        if (above === node) return below;
        below = above;
      }
    }
  }
  return undefined;
}

/** For a node its child with nearly all samples below it, if there is one. */
function soleCalleesOf(
  nodes: readonly RawNode[],
  indexOfId: ReadonlyMap<number, number>,
): (node: number) => number | undefined {
  const childrenOf = (node: number) => (nodes[node]!.children ?? []).map((id) => indexOfId.get(id)!);
  // Only own code can have been in a stub of a property access; a clock that it reads has no such samples.
  const isOwn = ({ callFrame: { url } }: RawNode) => url !== '' && !url.startsWith('node:');
  const below = new Map<number, number>();
  const samplesBelow = (node: number): number => {
    let count = below.get(node);
    if (count === undefined) {
      count = childrenOf(node).reduce((sum, child) => sum + samplesBelow(child), nodes[node]!.hitCount ?? 0);
      below.set(node, count);
    }
    return count;
  };
  return (node) => {
    const children = childrenOf(node);
    const total = children.reduce((sum, child) => sum + samplesBelow(child), 0);
    return total === 0
      ? undefined
      : children.find((child) => isOwn(nodes[child]!) && samplesBelow(child) >= SOLE_CALLEE_SHARE * total);
  };
}
