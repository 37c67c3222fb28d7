/**
 * How a program would write an object down: `sessions`, `Store.items`, `globalThis.cache`; and where its variable stands.
 *
 * Variables live in contexts, which functions refer to, and those that a module exports in cells; both are V8's own objects in
 * a snapshot, and hold the names.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Retainer } from '../../model/signals.js';
import type { HeapSnapshot } from './heap-snapshot.js';
import type { Paths } from './shortest-paths.js';

const PATH_STEPS = 6;
/** Classes that say nothing about whose an object is. */
const PLAIN_CLASSES = new Set(['Object', 'Array', 'Map', 'Set']);

export const nodeName = ({ nodes, strings }: HeapSnapshot, node: number) => strings[nodes.name[node]!]!;
/** Of a variable that a module exports. */
export const isCell = (snapshot: HeapSnapshot, node: number) => nodeName(snapshot, node) === 'system / Cell';
export const isContext = (snapshot: HeapSnapshot, node: number) =>
  nodeName(snapshot, node) === 'system / Context';

/** The name of a context's variable; undefined of what V8 keeps there itself. */
export function variableName({ edges, edgeTypes, strings }: HeapSnapshot, edge: number): string | undefined {
  return edgeTypes[edges.type[edge]!] === 'context' ? strings[edges.name[edge]!] : undefined;
}

export interface NamedPath {
  readonly path: readonly string[];
  readonly location?: Retainer['location'];
}

/** Names from a variable or the global object on to the holder; from a class where none of the program's leads there. */
export function pathTo(
  snapshot: HeapSnapshot,
  { parent, edge }: Paths,
  holder: { readonly node: number; readonly edge: string | undefined },
): NamedPath {
  const { nodes, edges, nodeTypes, edgeTypes, strings } = snapshot;
  if (isCell(snapshot, holder.node)) return exported(snapshot, holder.node, []) ?? { path: [] };
  if (holder.edge !== undefined)
    return variable(snapshot, holder.node, [holder.edge]) ?? { path: [holder.edge] };
  const path: string[] = [];
  let ofClass: NamedPath | undefined;
  let at = holder.node;
  for (let step = 0; step < PATH_STEPS && at !== 0; at = parent[at]!) {
    const by = edge[at]!;
    const from = parent[at]!;
    const type = edgeTypes[edges.type[by]!]!;
    if (type === 'context') {
      const named = variable(snapshot, from, [strings[edges.name[by]!]!, ...path]);
      if (named !== undefined) return named;
      break;
    }
    if (isCell(snapshot, from)) {
      const named = exported(snapshot, from, path);
      if (named !== undefined) return named;
    }
    if (from === 0 || nodeTypes[nodes.type[from]!] === 'synthetic') {
      if (path.length > 0) return { path: ['globalThis', ...path] };
      break;
    }
    if (type !== 'property' && type !== 'element') continue;
    path.unshift(type === 'property' ? strings[edges.name[by]!]! : '[…]');
    step += 1;
    const name = nodeName(snapshot, from);
    if (!PLAIN_CLASSES.has(name)) ofClass ??= { path: [name, ...path] };
  }
  return ofClass ?? { path };
}

/** Undefined for one of Node's own. */
function variable(snapshot: HeapSnapshot, context: number, path: readonly string[]): NamedPath | undefined {
  const seenBy = functionIn(snapshot, context);
  if (seenBy?.file.startsWith('node:')) return undefined;
  return seenBy === undefined ? { path } : { path, location: declaration(path[0]!, seenBy) };
}

/** A variable that a module exports: its table of exports has names and cells by turns. */
function exported(snapshot: HeapSnapshot, cell: number, path: readonly string[]): NamedPath | undefined {
  const { nodes, edges, nodeTypes } = snapshot;
  const string = nodeTypes.indexOf('string');
  for (const [table, edge] of edgesTo(snapshot, cell)) {
    const before = edge - 1;
    if (before < nodes.firstEdge[table]! || nodes.type[edges.to[before]!] !== string) continue;
    const whole = [nodeName(snapshot, edges.to[before]!), ...path];
    for (const [module] of edgesTo(snapshot, table)) {
      const [context] = edgesTo(snapshot, module).find(([from]) => isContext(snapshot, from)) ?? [];
      if (context !== undefined) return variable(snapshot, context, whole);
    }
    return { path: whole };
  }
  return undefined;
}

function edgesTo({ nodes, edges }: HeapSnapshot, node: number): (readonly [from: number, edge: number])[] {
  const found: (readonly [number, number])[] = [];
  let from = 0;
  for (let e = edges.to.indexOf(node); e >= 0; e = edges.to.indexOf(node, e + 1)) {
    while (nodes.firstEdge[from + 1]! <= e) from += 1;
    found.push([from, e]);
  }
  return found;
}

/** A function's place, where the node is one. */
function functionAt(snapshot: HeapSnapshot, node: number): Retainer['location'] {
  const { nodes, nodeTypes, strings, places } = snapshot;
  if (nodeTypes[nodes.type[node]!] !== 'closure') return undefined;
  const place = places.get(node);
  const shared = target(snapshot, node, 'shared');
  const script =
    shared && (target(snapshot, shared, 'script') ?? target(snapshot, shared, 'script_or_debug_info'));
  const name = script && target(snapshot, script, 'name');
  if (place === undefined || name === undefined) return undefined;
  return {
    function: strings[nodes.name[node]!]!,
    file: pathOf(strings[nodes.name[name]!]!),
    line: place.line + 1,
    column: place.column + 1,
  };
}

/** A function that sees the variables of a context. */
function functionIn(snapshot: HeapSnapshot, context: number): Retainer['location'] {
  const { nodes, edges, nodeTypes } = snapshot;
  const closure = nodeTypes.indexOf('closure');
  for (let node = 0; node < nodes.count; node += 1) {
    if (nodes.type[node] !== closure) continue;
    for (let e = nodes.firstEdge[node]!; e < nodes.firstEdge[node + 1]!; e += 1) {
      if (edges.to[e] !== context) continue;
      const place = functionAt(snapshot, node);
      if (place !== undefined) return place;
    }
  }
  return undefined;
}

/** Where the file declares the variable, if it does so once; else the function that sees it. */
function declaration(variable: string, seenBy: NonNullable<Retainer['location']>): Retainer['location'] {
  let lines: readonly string[];
  try {
    lines = readFileSync(seenBy.file, 'utf8').split('\n');
  } catch {
    return seenBy;
  }
  const name = `(?<![\\w$.])${variable.replaceAll('$', '\\$&')}`;
  const declared = new RegExp(
    `\\b(?:const|let|var)\\b[^;]*?${name}\\s*=(?![=>])|\\b(?:let|var)\\s+${name}\\s*(?:[;,]|$)`,
  );
  const found = lines.flatMap((line, index) => (declared.test(line) ? [index] : []));
  if (found.length !== 1) return seenBy;
  return { ...seenBy, line: found[0]! + 1, column: lines[found[0]!]!.search(new RegExp(name)) + 1 };
}

function pathOf(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file;
}

/** Where an inner edge of this name leads. */
function target({ nodes, edges, strings }: HeapSnapshot, node: number, name: string): number | undefined {
  for (let e = nodes.firstEdge[node]!; e < nodes.firstEdge[node + 1]!; e += 1) {
    if (strings[edges.name[e]!] === name) return edges.to[e]!;
  }
  return undefined;
}
