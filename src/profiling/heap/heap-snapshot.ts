/**
 * Reads a heap snapshot as V8 writes it: the graph as typed arrays, the strings as V8 has them.
 *
 * Not through `JSON.parse` of the whole: a heap of 100 MB makes a text of 200 MB and some ten million boxed numbers.
 * The two long lists hold nothing but whole numbers, so their digits are read from the bytes.
 *
 * Format: the header of V8's src/profiler/heap-snapshot-generator.h, and the field names in the file itself.
 */

export interface HeapSnapshot {
  /** Per node, in the order of the file. Node 0 is the root. */
  readonly nodes: {
    readonly count: number;
    readonly type: Uint8Array;
    /** Index of a string. */
    readonly name: Uint32Array;
    /** Rises with the time at which V8 first saw the object; the same in later snapshots. */
    readonly id: Float64Array;
    readonly selfBytes: Float64Array;
    /** Edges of node n are `firstEdge[n]` to `firstEdge[n + 1]`. */
    readonly firstEdge: Uint32Array;
  };
  readonly edges: {
    readonly type: Uint8Array;
    /** Index of a string, or an element's number: by the type. */
    readonly name: Uint32Array;
    /** Number of the node. */
    readonly to: Uint32Array;
  };
  readonly nodeTypes: readonly string[];
  readonly edgeTypes: readonly string[];
  readonly strings: readonly string[];
  /** By number of the node, of functions alone: lines and columns from 0. */
  readonly places: ReadonlyMap<number, { readonly line: number; readonly column: number }>;
}

interface Header {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[], ...unknown[]];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly [readonly string[], ...unknown[]];
      readonly location_fields?: readonly string[];
    };
    readonly node_count: number;
    readonly edge_count: number;
  };
}

const [COMMA, MINUS, ZERO, NINE, CLOSE] = [44, 45, 48, 57, 93];

/** @throws Error where the text is no heap snapshot, or is cut short. */
export function parseHeapSnapshot(text: Buffer): HeapSnapshot {
  const at = listStart(text, 'nodes', 0);
  const header = headerOf(text, at);
  const { meta, node_count: nodeCount, edge_count: edgeCount } = header.snapshot;
  const field = (fields: readonly string[], name: string) => {
    const index = fields.indexOf(name);
    if (index < 0) throw new Error(`This heap snapshot has no field "${name}".`);
    return index;
  };
  const nodeField = (name: string) => field(meta.node_fields, name);
  const [type, name, id, size, edgesOf] = ['type', 'name', 'id', 'self_size', 'edge_count'].map(nodeField);
  const nodeWidth = meta.node_fields.length;
  const nodes = {
    count: nodeCount,
    type: new Uint8Array(nodeCount),
    name: new Uint32Array(nodeCount),
    id: new Float64Array(nodeCount),
    selfBytes: new Float64Array(nodeCount),
    firstEdge: new Uint32Array(nodeCount + 1),
  };
  let end = eachRow(text, at, nodeWidth, nodeCount, (row, n) => {
    nodes.type[n] = row[type!]!;
    nodes.name[n] = row[name!]!;
    nodes.id[n] = row[id!]!;
    nodes.selfBytes[n] = row[size!]!;
    nodes.firstEdge[n + 1] = nodes.firstEdge[n]! + row[edgesOf!]!;
  });

  const edgeField = (field_: string) => field(meta.edge_fields, field_);
  const [edgeType, edgeName, edgeTo] = ['type', 'name_or_index', 'to_node'].map(edgeField);
  const edges = {
    type: new Uint8Array(edgeCount),
    name: new Uint32Array(edgeCount),
    to: new Uint32Array(edgeCount),
  };
  end = eachRow(text, listStart(text, 'edges', end), meta.edge_fields.length, edgeCount, (row, n) => {
    edges.type[n] = row[edgeType!]!;
    edges.name[n] = row[edgeName!]!;
    edges.to[n] = row[edgeTo!]! / nodeWidth;
  });

  const places = new Map<number, { line: number; column: number }>();
  const fields = meta.location_fields;
  if (fields !== undefined) {
    const [object, line, column] = ['object_index', 'line', 'column'].map((each) => field(fields, each));
    end = eachRow(text, listStart(text, 'locations', end), fields.length, Infinity, (row) => {
      places.set(row[object!]! / nodeWidth, { line: row[line!]!, column: row[column!]! });
    });
  }
  const strings = JSON.parse(
    text.toString('utf8', listStart(text, 'strings', end) - 1, text.lastIndexOf('}')),
  ) as string[];
  return {
    nodes,
    edges,
    nodeTypes: meta.node_types[0],
    edgeTypes: meta.edge_types[0],
    strings,
    places,
  };
}

/** The greatest id of a snapshot: every object that was made later has a greater one. Reads its nodes alone. */
export function newestId(text: Buffer): number {
  const at = listStart(text, 'nodes', 0);
  const { meta, node_count: count } = headerOf(text, at).snapshot;
  const id = meta.node_fields.indexOf('id');
  let newest = 0;
  eachRow(text, at, meta.node_fields.length, count, (row) => {
    // Even numbers are of what is outside V8's heap, and made from its address.
    if (row[id]! % 2 === 1 && row[id]! > newest) newest = row[id]!;
  });
  return newest;
}

function headerOf(text: Buffer, nodesAt: number): Header {
  const before = text.toString('utf8', 0, text.lastIndexOf('"nodes"', nodesAt));
  return JSON.parse(`${before.trimEnd().replace(/,$/, '')}}`) as Header;
}

/** Where the first number of a list stands. */
function listStart(text: Buffer, name: string, from: number): number {
  const key = `"${name}":[`;
  const at = text.indexOf(key, from);
  if (at < 0) throw new Error(`This is no whole heap snapshot: it has no "${name}".`);
  return at + key.length;
}

/** Hands over the numbers of a list in rows. @returns where the list ends. */
function eachRow(
  text: Buffer,
  from: number,
  width: number,
  rows: number,
  see: (row: Float64Array, index: number) => void,
): number {
  const row = new Float64Array(width);
  let at = from;
  let filled = 0;
  let count = 0;
  let value = 0;
  let hasDigits = false;
  let sign = 1;
  for (; at < text.length; at += 1) {
    const byte = text[at]!;
    if (byte >= ZERO && byte <= NINE) {
      value = value * 10 + (byte - ZERO);
      hasDigits = true;
    } else if (byte === MINUS) sign = -1;
    else if (byte === COMMA || byte === CLOSE) {
      if (hasDigits) {
        row[filled] = sign * value;
        filled += 1;
        if (filled === width) {
          see(row, count);
          count += 1;
          filled = 0;
        }
      }
      [value, hasDigits, sign] = [0, false, 1];
      if (byte === CLOSE) break;
    }
  }
  if (filled !== 0 || (rows !== Infinity && count !== rows))
    throw new Error(`This heap snapshot is cut short: ${count} of ${rows} rows.`);
  return at;
}
