/**
 * What holds the objects that a program made and kept since an earlier moment.
 *
 * Object ids rise with time, so those above the last id of the first snapshot are new in the second. Every object's path
 * from the roots is the shortest one; on the path to a new object there is one step from an old object to a new one. That
 * old object is what the new ones hang on: a Map that is never emptied, an array that only grows, a variable that holds
 * the head of a list. Summed over all new objects, a leak stands out, however deep what it keeps.
 *
 * Rejected: dominators. What two caches share belongs to neither there, and the shortest path is what a person follows.
 */
import type { Retainer } from '../../model/signals.js';
import type { HeapSnapshot } from './heap-snapshot.js';
import { isCell, isContext, nodeName, pathTo, variableName } from './named-path.js';
import { shortestPaths, type Paths } from './shortest-paths.js';

const MOST = 10;
/** Less is what any program keeps here and there. */
const LEAST_SHARE = 0.02;
const LEAST_BYTES = 64 * 1024;
/** V8's own containers between an object and what it holds. */
const INNER_TYPES = new Set(['array', 'hidden', 'object shape', 'code']);

interface Holder {
  /** The old object. */
  readonly node: number;
  /** Of a variable or property that itself leads to new objects: the edge's name. */
  readonly edge: string | undefined;
  bytes: number;
  objects: number;
}

/**
 * @param newerThan the last id of the first snapshot.
 * @returns the greatest first; empty where nothing new was kept.
 */
export function retainersOf(snapshot: HeapSnapshot, newerThan: number): readonly Retainer[] {
  const { nodes } = snapshot;
  const paths = shortestPaths(snapshot);
  const isNew = (node: number) => nodes.id[node]! > newerThan && nodes.id[node]! % 2 === 1;
  // From the farthest in: what hangs below a new object is counted for the one above it.
  const bytes = new Float64Array(nodes.count);
  const objects = new Float64Array(nodes.count);
  const holders = new Map<string, Holder>();
  let total = 0;
  for (let i = paths.order.length - 1; i > 0; i -= 1) {
    const node = paths.order[i]!;
    if (!isNew(node)) continue;
    bytes[node]! += nodes.selfBytes[node]!;
    objects[node]! += 1;
    total += nodes.selfBytes[node]!;
    const parent = paths.parent[node]!;
    if (isNew(parent)) {
      bytes[parent]! += bytes[node]!;
      objects[parent]! += objects[node]!;
      continue;
    }
    const holder = holderOf(snapshot, paths, node);
    const key = `${holder.node}:${holder.edge ?? ''}`;
    const known = holders.get(key) ?? holder;
    known.bytes += bytes[node]!;
    known.objects += objects[node]!;
    holders.set(key, known);
  }
  return [...holders.values()]
    .filter((each) => each.bytes >= Math.max(LEAST_BYTES, total * LEAST_SHARE))
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, MOST)
    .map((each) => describe(snapshot, paths, each, total));
}

function holderOf(snapshot: HeapSnapshot, { parent, edge }: Paths, node: number): Holder {
  const { nodes, nodeTypes } = snapshot;
  let by = edge[node]!;
  let at = parent[node]!;
  while (at !== 0 && !isCell(snapshot, at) && INNER_TYPES.has(nodeTypes[nodes.type[at]!]!)) {
    by = edge[at]!;
    at = parent[at]!;
  }
  return {
    node: at,
    edge: isContext(snapshot, at) ? variableName(snapshot, by) : undefined,
    bytes: 0,
    objects: 0,
  };
}

function describe(snapshot: HeapSnapshot, paths: Paths, holder: Holder, total: number): Retainer {
  const { path, location } = pathTo(snapshot, paths, holder);
  return {
    container: classOf(snapshot, holder.node),
    path: path.join('.').replaceAll('.[', '['),
    bytes: holder.bytes,
    objects: holder.objects,
    share: holder.bytes / total,
    ...(location === undefined ? {} : { location }),
  };
}

function classOf(snapshot: HeapSnapshot, node: number): string {
  if (isContext(snapshot, node) || isCell(snapshot, node)) return 'variable';
  const isFunction = snapshot.nodeTypes[snapshot.nodes.type[node]!] === 'closure';
  return isFunction ? 'function' : nodeName(snapshot, node);
}
