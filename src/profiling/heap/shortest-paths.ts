/** How the roots of a heap reach each of its objects. */
import type { HeapSnapshot } from './heap-snapshot.js';

export interface Paths {
  /** Nodes that can be reached, the nearest first. */
  readonly order: Uint32Array;
  readonly parent: Uint32Array;
  /** The edge by which each was reached. */
  readonly edge: Uint32Array;
}

/** Breadth first; from the program's own globals before V8's and Node's roots, which hold nearly everything as well. */
export function shortestPaths({ nodes, edges, nodeTypes, edgeTypes }: HeapSnapshot): Paths {
  const weak = edgeTypes.indexOf('weak');
  const shortcut = edgeTypes.indexOf('shortcut');
  const synthetic = nodeTypes.indexOf('synthetic');
  const order = new Uint32Array(nodes.count);
  const parent = new Uint32Array(nodes.count);
  const edge = new Uint32Array(nodes.count);
  const seen = new Uint8Array(nodes.count);
  let [read, written] = [0, 0];
  const reach = (node: number, from: number, by: number) => {
    if (seen[node] === 1) return;
    seen[node] = 1;
    parent[node] = from;
    edge[node] = by;
    order[written] = node;
    written += 1;
  };
  const walk = () => {
    for (; read < written; read += 1) {
      const node = order[read]!;
      for (let e = nodes.firstEdge[node]!; e < nodes.firstEdge[node + 1]!; e += 1) {
        if (edges.type[e] !== weak) reach(edges.to[e]!, node, e);
      }
    }
  };
  seen[0] = 1;
  order[written++] = 0;
  read = 1;
  for (let e = nodes.firstEdge[0]!; e < nodes.firstEdge[1]!; e += 1) {
    const to = edges.to[e]!;
    if (edges.type[e] === shortcut || nodes.type[to] !== synthetic) reach(to, 0, e);
  }
  walk();
  for (let e = nodes.firstEdge[0]!; e < nodes.firstEdge[1]!; e += 1) reach(edges.to[e]!, 0, e);
  walk();
  return { order: order.subarray(0, written), parent, edge };
}
