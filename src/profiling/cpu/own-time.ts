/**
 * Takes the tool's own work out of a CPU profile before anything else looks at it: gathering, parsing sources for the
 * diagnosis, storing. A sample is the tool's where its innermost script is this package, or a package that it depends on
 * which it called: the same parser called by the program is the program's.
 *
 * Judged by addresses alone, so that no source of the tool is read for it: reading its parser's takes a third of a second.
 */
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileOfUrl, originOf } from '../source/source-index.js';
import type { RawCallFrame, RawCpuProfile, RawNode } from './raw.js';

/** Code of this package never is the user's, wherever it is installed. */
const OWN_CODE = dirname(dirname(dirname(fileURLToPath(import.meta.url)))) + sep;
/** What this package calls in the process that it profiles. */
const OWN_DEPENDENCY = /[\\/]node_modules[\\/](acorn|zod|uuid|systeminformation|ws)[\\/]/;

export function isOwnFile(file: string): boolean {
  return file.startsWith(OWN_CODE);
}

/** A replaced function that passes through to Node's own (profiling/activity): no part of what the program does. */
export function isTracing(file: string, functionName: string): boolean {
  return isOwnFile(file) && functionName.startsWith('traced');
}

export interface WithoutTool {
  readonly profile: RawCpuProfile;
  /** The tool's part of the samples that were not idle, 0 to 1. */
  readonly ownShare: number;
}

export function withoutTool(profile: RawCpuProfile): WithoutTool {
  const { nodes, samples = [], timeDeltas = [] } = profile;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map<number, RawNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);

  const own = nodesOfTool(nodes, parents);
  if (own.size === 0) return { profile, ownShare: 0 };

  let ownSamples = 0;
  let busySamples = 0;
  const kept: { samples: number[]; timeDeltas: number[] } = { samples: [], timeDeltas: [] };
  samples.forEach((id, at) => {
    if (byId.get(id)?.callFrame.functionName !== '(idle)') busySamples += 1;
    if (own.has(id)) {
      ownSamples += 1;
      return;
    }
    kept.samples.push(id);
    kept.timeDeltas.push(timeDeltas[at] ?? 0);
  });

  // Functions of the program that the tool called keep their callers, without the callers' own time.
  const needed = new Set<number>();
  for (const { id } of nodes) {
    if (own.has(id)) continue;
    for (let at: RawNode | undefined = byId.get(id); at !== undefined && !needed.has(at.id);) {
      needed.add(at.id);
      at = parents.get(at.id);
    }
  }
  const keptNodes = nodes
    .filter(({ id }) => needed.has(id))
    .map((node) => {
      const children = node.children?.filter((id) => needed.has(id));
      return own.has(node.id) ? { ...node, children, hitCount: 0, positionTicks: [] } : { ...node, children };
    });
  return { profile: { ...profile, nodes: keptNodes, ...kept }, ownShare: ownSamples / (busySamples || 1) };
}

function nodesOfTool(nodes: readonly RawNode[], parents: ReadonlyMap<number, RawNode>): Set<number> {
  // Each node is judged once: stacks share their beginnings.
  const verdicts = new Map<number, boolean>();
  const isOfTool = (node: RawNode): boolean => {
    let verdict = verdicts.get(node.id);
    if (verdict === undefined) {
      const caller = parents.get(node.id);
      verdict = ownBySelf(node.callFrame) ?? (caller !== undefined && isOfTool(caller));
      verdicts.set(node.id, verdict);
    }
    return verdict;
  };
  return new Set(nodes.filter(isOfTool).map(({ id }) => id));
}

/** Undefined where the caller decides: natives, Node's own code, and packages that the tool and the program may share. */
function ownBySelf({ url, functionName }: RawCallFrame): boolean | undefined {
  const file = fileOfUrl(url);
  if (isOwnFile(file)) return isTracing(file, functionName) ? undefined : true;
  const origin = originOf(url, functionName);
  const isOfProgram = origin === 'user' || (origin === 'dependency' && !OWN_DEPENDENCY.test(file));
  return isOfProgram ? false : undefined;
}
