import * as acorn from 'acorn';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileOfUrl, originOf, SourceIndex } from '../../../dist/profiling/source/source-index.js';
import { parseSyntax } from '../../../dist/profiling/source/syntax.js';

describe('operations of a line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sysopt-lines-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const found = (text: string, functionName?: string) => {
    const file = join(folder, `${Math.random()}.js`);
    writeFileSync(file, text);
    const { functions } = parseSyntax(acorn, text)!;
    const of = functions.find(({ name }) => name === functionName) ?? null;
    return new SourceIndex(acorn).marks(file, 1, of).map(({ name }) => name);
  };

  it.each([
    ['for (let i = 0; i < n; i++) s += Math.sqrt(i); console.log(s);', []],
    ['for (const t of all) s += JSON.parse(t).n; console.log(s);', ['JSON.parse']],
    ['console.log(s);', ['console.log']],
    ['all.forEach((t) => JSON.parse(t)); console.log(s);', ['JSON.parse', 'console.log']],
  ])('are what a loop on the line repeats: %s', (text, expected) => {
    expect(found(text)).toEqual(expected);
    expect(found(`function report(){${text}}`, 'report')).toEqual(expected);
  });

  it('are those of the function where several share the line', () => {
    const bundle =
      'function a(t){return JSON.parse(t)}function b(n){for(;n>0;)n--;console.log(n)}a(/x+/.exec(y))';
    expect([found(bundle, 'a'), found(bundle, 'b')]).toEqual([['JSON.parse'], []]);
  });

  it('are those of the function where it uses a pattern of the module', () => {
    const text = 'const END = new RegExp("[ ,]+$"); const tidy = (x) => x.replace(END, ""); tidy(y);';
    expect(found(text, 'tidy')).toEqual(['/[ ,]+$/']);
    const later = 'function tidy(x) { for (;;) x.replace(END, ""); } const END = / +$/;';
    expect(found(later, 'tidy')).toEqual(['/ +$/']);
  });
});

describe('parseSyntax', () => {
  const names = (text: string) => parseSyntax(acorn, text)!.functions.map(({ name }) => name);
  const marks = (text: string) =>
    parseSyntax(acorn, text)!
      .marks.get(1)
      ?.map(({ operation, name }) => `${operation} ${name}`);

  it('names functions from where they stand', () => {
    expect(
      names(
        'const f = () => 1; const o = { g() {}, h: function () {} }; class C { m() {} #p = () => 2; } o.x = () => 3;',
      ),
    ).toEqual(['f', 'g', 'h', 'm', '#p', 'x']);
  });

  it('knows who returns a function without a name', () => {
    const { functions } = parseSyntax(
      acorn,
      'function memoise(f) { return (key) => f(key); } const limit = (n) => (request) => (next) => next(n); g(() => 1);',
    )!;
    expect(functions.filter(({ name }) => name === '').map(({ returnedBy }) => returnedBy)).toEqual([
      'memoise',
      'limit',
      'limit',
      '',
    ]);
  });

  it.each([
    ['JSON.stringify(x)', ['json JSON.stringify']],
    ['/a+b/.test(x)', ['regexp /a+b/']],
    ['x.replace(/ +$/g, "")', ['regexp / +$/g']],
    ['pattern.exec(x)', ['regexp pattern.exec']],
    ['const END = / +$/; x.replace(END, "")', ['regexp / +$/']],
    ['x.split(o.GAP); const o = { GAP: new RegExp("a+b") }', ['regexp new RegExp', 'regexp /a+b/']],
    ['const comma = ","; x.split(comma)', undefined],
    ['throw new TypeError("no")', ['exception throw', 'exception new TypeError']],
    ['setTimeout(f, 1)', ['timer setTimeout']],
    ['await null', ['microtask await']],
    ['process.nextTick(f)', ['microtask nextTick']],
    ['path.resolve(x)', undefined],
    ['x.split(",")', undefined],
    ['Buffer.alloc(9)', ['buffer Buffer.alloc']],
  ])('marks %s', (text, expected) => {
    expect(marks(text)).toEqual(expected);
  });

  it.each([
    ['sum += shape.area', true],
    ['shape.area()', true],
    ['list.slice(1)', false],
    ['list.length', false],
    ['Math.hypot(1, 2)', false],
    ['const text = `${shape.area} m`', false],
  ])('tells whether a line reads a property that objects of many shapes may have: %s', (text, reads) => {
    expect(parseSyntax(acorn, text)!.propertyLines.has(1)).toBe(reads);
  });

  it('reads scripts that are no modules', () => {
    expect(names('#!/usr/bin/env node\nwith (a) { function f() {} }\nreturn;')).toEqual(['f']);
  });

  it('gives nothing for what is no JavaScript', () => {
    expect(parseSyntax(acorn, 'const x: number = 1 as any;')).toBeNull();
  });
});

describe('SourceIndex', () => {
  let directory: string;
  const path = (name: string) => join(directory, name);
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'source-'));
    const map = { version: 3, sources: ['../src/app.ts'], names: [], mappings: ';AAIA;EACE' };
    writeFileSync(
      path('beside.js'),
      '"use strict";\nfunction f() {\n  work();\n}\n//# sourceMappingURL=beside.js.map\n',
    );
    writeFileSync(path('beside.js.map'), JSON.stringify(map));
    const inline = Buffer.from(JSON.stringify(map)).toString('base64');
    writeFileSync(
      path('inline.js'),
      `"use strict";\nfunction f() {\n  work();\n}\n//# sourceMappingURL=data:application/json;base64,${inline}\n`,
    );
    writeFileSync(path('broken.js'), 'f();\n//# sourceMappingURL=nowhere.map\n');
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each(['beside.js', 'inline.js'])('shows the lines that the user wrote, for a map %s', (name) => {
    const index = new SourceIndex(acorn);
    expect(index.original({ function: 'f', file: path(name), line: 2 })).toMatchObject({
      file: join(directory, '../src/app.ts'),
      line: 5,
    });
    expect(index.original({ function: 'f', file: path(name), line: 3 })).toMatchObject({ line: 6 });
  });

  it('keeps the executed lines where the map is missing, and for files that are gone', () => {
    const index = new SourceIndex(acorn);
    const broken = { function: 'f', file: path('broken.js'), line: 1 };
    expect(index.original(broken)).toEqual(broken);
    const gone = { function: 'f', file: path('gone.js'), line: 7 };
    expect(index.original(gone)).toEqual(gone);
    expect(index.functionAt(path('gone.js'), 1, 1)).toBeNull();
  });
});

describe('whose code a frame is', () => {
  it.each([
    ['file:///app/src/a.js', 'f', 'user'],
    ['/app/src/a.js', 'f', 'user'],
    ['file:///app/node_modules/x/i.js', 'f', 'dependency'],
    ['C:\\app\\node_modules\\x\\i.js', 'f', 'dependency'],
    ['node:fs', 'readSync', 'node'],
    ['', 'open', 'native'],
    ['', '(garbage collector)', 'gc'],
    ['', '(program)', 'program'],
  ])('%s %s is %s', (url, name, origin) => {
    expect(originOf(url, name)).toBe(origin);
  });

  it('turns file URLs into paths and leaves the others', () => {
    expect(fileOfUrl('file:///a%20b/c.js')).toBe('/a b/c.js');
    expect(fileOfUrl('evalmachine.<anonymous>')).toBe('evalmachine.<anonymous>');
  });
});
