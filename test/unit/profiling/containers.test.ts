import * as acorn from 'acorn';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findContainers } from '../../../dist/profiling/source/containers.js';
import { SourceIndex } from '../../../dist/profiling/source/source-index.js';
import { parseSyntax } from '../../../dist/profiling/source/syntax.js';

const bounds = (text: string) => [...findContainers(acorn, text).bounds.keys()];
const kept = (text: string) => [...findContainers(acorn, text).kept.values()].flatMap((names) => [...names]);

describe('bounded containers', () => {
  it.each([
    ['const c = new LRUCache({ max: 500 });', ['c']],
    ['const c = new Store({ maxEntries: 500 });', ['c']],
    ['const c = createCache({ ttl: 60 });', ['c']],
    ['const c = new Lru(5000);', ['c']],
    ['const c = new Lru(SEATS);', ['c']],
    ['class A { #c = new BoundedMap(9); }', ['#c']],
    ['class A { constructor() { this.c = new QuickLRU({ maxSize: 9 }); } }', ['c']],
    ['function put(k, v) { c.set(k, v); if (c.size > 500) c.delete(first(c)); }', ['c']],
    ['function put(v) { while (LIMIT <= list.length) list.shift(); list.push(v); }', ['list']],
    ['function put(v) { if (batch.length >= 100) batch = []; batch.push(v); }', ['batch']],
    ['function put(k, v) { c.set(k, v); setTimeout(() => c.delete(k), 60_000); }', ['c']],
    ['setInterval(() => { for (const [k, v] of c) if (v.at < Date.now()) c.delete(k); }, 1000);', ['c']],
    ['setInterval(() => { keys.forEach((k) => { delete table[k]; }); }, 1000);', ['table']],
  ])('are told by a limit, a check beside a removal, or a timer: %s', (text, expected) => {
    expect(bounds(text)).toEqual(expected);
  });

  it.each([
    'const c = new Map();',
    'const c = new Map(entries);',
    'const c = new Sessions(store);',
    'function close(id) { c.delete(id); }',
    'function next() { if (queue.length > 0) return queue.shift(); }',
    'function put(v) { if (list.length > 500) warn(list.length); list.push(v); } function take() { list.shift(); }',
  ])('are not those that nothing limits: %s', (text) => {
    expect(bounds(text)).toEqual([]);
  });

  it('are not what the function itself made and lets go', () => {
    expect(kept('function f() { const rows = []; rows.push(1); all.push(rows); }')).toEqual(['all']);
    expect(
      kept('function f() { const rows = []; ids.forEach((id) => rows.push(id)); return rows; }'),
    ).toEqual([]);
    expect(kept('const memo = () => { const known = new Map(); return (k) => known.set(k, 1); };')).toEqual([
      'known',
    ]);
  });
});

describe('what keeps a function’s objects from growing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sysopt-bounds-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const boundOf = (text: string, name: string) => {
    const file = join(folder, `${Math.random()}.js`);
    writeFileSync(file, text);
    const of = parseSyntax(acorn, text)!.functions.find((each) => each.name === name)!;
    return new SourceIndex(acorn).boundOf(file, of);
  };
  const CACHE = `const fares = new LRUCache({ max: 4000 });
    function compute(key) { return { key }; }
    function fare(key) { const known = compute(key); fares.set(key, known); return known; }
    function answer(request) { const rows = []; rows.push(fare(request.url)); return rows; }`;

  it.each(['compute', 'fare', 'answer'])('is the container of its neighbours: %s', (name) => {
    expect(boundOf(CACHE, name)).toBe('fares: new LRUCache was given a limit');
  });

  it('is nothing where something else, or nothing at all, may keep them', () => {
    expect(boundOf(CACHE.replace('return rows', 'history.push(rows); return rows'), 'compute')).toBeNull();
    expect(boundOf('function f() { return {}; }', 'f')).toBeNull();
  });
});
