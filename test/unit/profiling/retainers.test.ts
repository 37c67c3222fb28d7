import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { newestId, parseHeapSnapshot } from '../../../dist/profiling/heap/heap-snapshot.js';
import { retainersOf } from '../../../dist/profiling/heap/retainers.js';

const NODE_TYPES = ['hidden', 'array', 'string', 'object', 'code', 'closure', 'native', 'synthetic'];
const EDGE_TYPES = ['context', 'element', 'property', 'internal', 'hidden', 'shortcut', 'weak'];
const NODE_FIELDS = ['type', 'name', 'id', 'self_size', 'edge_count', 'trace_node_id', 'detachedness'];

interface Node {
  readonly type: string;
  readonly name: string;
  readonly id: number;
  readonly bytes?: number;
  readonly edges?: readonly (readonly [type: string, name: string | number, to: Node])[];
  readonly line?: number;
}

/** As V8 writes it, with the first node as the root. */
function written(nodes: readonly Node[], fields = NODE_FIELDS): Buffer {
  const strings: string[] = [];
  const text = (value: string) => {
    if (!strings.includes(value)) strings.push(value);
    return strings.indexOf(value);
  };
  const width = fields.length;
  const edges = nodes.flatMap((node) =>
    (node.edges ?? []).map(([type, name, to]) => [
      EDGE_TYPES.indexOf(type),
      typeof name === 'number' ? name : text(name),
      nodes.indexOf(to) * width,
    ]),
  );
  const rows = nodes.map(({ type, name, id, bytes = 16, edges: own = [] }) =>
    fields.map(
      (field) =>
        ({
          type: NODE_TYPES.indexOf(type),
          name: text(name),
          id,
          self_size: bytes * KIB,
          edge_count: own.length,
        })[field] ?? 0,
    ),
  );
  const places = nodes.flatMap(({ line }, index) =>
    line === undefined ? [] : [[index * width, 7, line, 4]],
  );
  const list = (name: string, values: readonly (readonly number[])[]) =>
    `"${name}":[${values.map((row) => `${row.join(',')}\n`).join(',')}]`;
  const meta = {
    node_fields: fields,
    node_types: [NODE_TYPES, 'string', 'number'],
    edge_fields: ['type', 'name_or_index', 'to_node'],
    edge_types: [EDGE_TYPES, 'string_or_number', 'node'],
    location_fields: ['object_index', 'script_id', 'line', 'column'],
  };
  const head = JSON.stringify({ snapshot: { meta, node_count: nodes.length, edge_count: edges.length } });
  const lists = [
    list('nodes', rows),
    list('edges', edges),
    '"trace_function_infos":[]',
    list('locations', places),
    `"strings":${JSON.stringify(strings)}`,
  ];
  return Buffer.from(`${head.slice(0, -1)},\n${lists.join(',\n')}}`);
}

const folder = mkdtempSync(join(tmpdir(), 'sysopt-retainers-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'app.mjs');
writeFileSync(file, 'import x from "x";\n\nconst limit = 3, sessions = new Map();\nfunction login() {}\n');

const NEWER_THAN = 99;
const KIB = 1024;

/** `sessions`, seen by `login`, with two records of 100 bytes, one of which has a text of 50. */
function leak(container: 'Map' | 'variable'): Node[] {
  const text: Node = { type: 'string', name: 'long text', id: 105, bytes: 50 };
  const records: Node[] = [101, 103].map((id) => ({
    type: 'object',
    name: 'Object',
    id,
    bytes: 100,
    edges: id === 101 ? [['property', 'text', text]] : [],
  }));
  // Grown in the window, so that it is new itself.
  const table: Node = {
    type: 'array',
    name: 'system / OrderedHashMap',
    id: 107,
    bytes: 40,
    edges: records.map((record, i) => ['internal', String(i), record] as const),
  };
  const map: Node = { type: 'object', name: 'Map', id: 21, edges: [['internal', 'table', table]] };
  const source: Node = { type: 'string', name: pathToFileURL(file).href, id: 23 };
  const script: Node = { type: 'code', name: 'script', id: 25, edges: [['internal', 'name', source]] };
  const shared: Node = { type: 'code', name: 'login', id: 27, edges: [['internal', 'script', script]] };
  const context: Node = {
    type: 'object',
    name: 'system / Context',
    id: 29,
    edges: [['context', 'sessions', container === 'Map' ? map : records[0]!]],
  };
  const login: Node = {
    type: 'closure',
    name: 'login',
    id: 31,
    line: 3,
    edges: [
      ['internal', 'context', context],
      ['internal', 'shared', shared],
    ],
  };
  const roots: Node = { type: 'synthetic', name: '(GC roots)', id: 3, edges: [['element', 1, login]] };
  const root: Node = { type: 'synthetic', name: '', id: 1, edges: [['element', 1, roots]] };
  const rest = container === 'Map' ? [map, table, ...records] : [records[0]!];
  return [root, roots, login, shared, script, source, context, ...rest, text];
}
const retainers = (nodes: readonly Node[]) => retainersOf(parseHeapSnapshot(written(nodes)), NEWER_THAN);

describe('what new objects hang on', () => {
  it('is the old object above them, with its variable and where that is declared', () => {
    expect(retainers(leak('Map'))).toEqual([
      {
        container: 'Map',
        path: 'sessions',
        bytes: 290 * KIB,
        objects: 4,
        share: 1,
        location: { function: 'login', file, line: 3, column: 18 },
      },
    ]);
  });

  it('is the variable, where that itself leads to them', () => {
    expect(retainers(leak('variable'))).toMatchObject([
      { container: 'variable', path: 'sessions', bytes: 150 * KIB, objects: 2 },
    ]);
  });

  it('has the class where no variable leads to it, and the global object where that does', () => {
    const item: Node = { type: 'object', name: 'Object', id: 101, bytes: 100 };
    const other: Node = { type: 'object', name: 'Object', id: 103, bytes: 70 };
    const items: Node = { type: 'object', name: 'Array', id: 21, edges: [['element', 0, item]] };
    const cache: Node = { type: 'object', name: 'Set', id: 23, edges: [['internal', 'table', other]] };
    const far = ['f', 'e', 'd', 'c', 'b', 'a'].reduce<Node[]>(
      (chain, name, i) => [
        {
          type: 'object',
          name: `Class${name.toUpperCase()}`,
          id: 41 + 2 * i,
          edges: [['property', name, chain[0]!]],
        },
        ...chain,
      ],
      [{ type: 'object', name: 'Store', id: 25, edges: [['property', 'items', items]] }],
    );
    const global: Node = {
      type: 'object',
      name: 'Object',
      id: 27,
      edges: [
        ['property', 'cache', cache],
        ['property', 'first', far[0]!],
      ],
    };
    const root: Node = { type: 'synthetic', name: '', id: 1, edges: [['shortcut', 'global', global]] };
    expect(retainers([root, global, cache, ...far, items, item, other])).toMatchObject([
      { container: 'Array', path: 'Store.items' },
      { container: 'Set', path: 'globalThis.cache' },
    ]);
  });

  it('is named by what a module exports, whose variables live in cells', () => {
    const item: Node = { type: 'object', name: 'Object', id: 101, bytes: 100 };
    const list: Node = { type: 'object', name: 'Array', id: 21, edges: [['element', 0, item]] };
    const [inList, inHead] = [23, 25].map((id): Node => ({
      type: 'hidden',
      name: 'system / Cell',
      id,
      edges: [['internal', 'value', id === 23 ? list : { ...item, id: 103 }]],
    }));
    const head = inHead!.edges![0]![2];
    const [listName, headName] = ['queue', 'head'].map((name, i): Node => ({
      type: 'string',
      name,
      id: 27 + 2 * i,
    }));
    const table: Node = {
      type: 'array',
      name: '',
      id: 31,
      edges: [
        ['internal', '3', listName!],
        ['internal', '4', inList!],
        ['internal', '6', headName!],
        ['internal', '7', inHead!],
      ],
    };
    const module: Node = {
      type: 'hidden',
      name: 'system / SourceTextModule',
      id: 33,
      edges: [['hidden', 0, table]],
    };
    const root: Node = { type: 'synthetic', name: '', id: 1, edges: [['element', 1, module]] };
    expect(
      retainers([root, module, table, inList!, inHead!, listName!, headName!, list, item, head]),
    ).toMatchObject([
      { container: 'Array', path: 'queue' },
      { container: 'variable', path: 'head' },
    ]);
  });

  it('is not what weak references lead to, and nothing where nothing is new', () => {
    const item: Node = { type: 'object', name: 'Object', id: 101, bytes: 100 };
    const weak: Node = { type: 'object', name: 'WeakRef', id: 21, edges: [['weak', 'target', item]] };
    const root: Node = { type: 'synthetic', name: '', id: 1, edges: [['element', 1, weak]] };
    expect(retainers([root, weak, item])).toEqual([]);
    expect(retainersOf(parseHeapSnapshot(written(leak('Map'))), 1_000)).toEqual([]);
  });
});

describe('a heap snapshot', () => {
  it('is read with the fields in any order, as Node versions differ in them', () => {
    const fields = ['self_size', 'id', 'edge_count', 'name', 'type'];
    expect(retainersOf(parseHeapSnapshot(written(leak('Map'), fields)), NEWER_THAN)).toEqual(
      retainers(leak('Map')),
    );
  });

  it('tells its newest id; even ones, of what lies outside the heap, do not count', () => {
    expect(newestId(written(leak('Map')))).toBe(107);
    expect(newestId(written([...leak('Map'), { type: 'native', name: 'Buffer', id: 4_000_000 }]))).toBe(107);
  });

  it.each([
    ['no snapshot', '{"a":1}', /no "nodes"/],
    [
      'cut short',
      written(leak('Map')).subarray(0, -300).toString(),
      /cut short|no "(edges|locations|strings)"/,
    ],
    [
      'of an unknown format',
      written(leak('Map'), ['type', 'name', 'id', 'edge_count']).toString(),
      /no field "self_size"/,
    ],
  ])('that is %s is refused', (_, text, message) => {
    expect(() => parseHeapSnapshot(Buffer.from(text))).toThrow(message);
  });
});
