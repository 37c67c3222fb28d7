/** The name and the place under which a function is reported: as the user wrote it, whatever V8 or a bundler made of it. */
import * as acorn from 'acorn';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FrameResolver } from '../../../dist/profiling/cpu/frames.js';
import { SourceIndex } from '../../../dist/profiling/source/source-index.js';
import { frameOf } from './raw-profile.js';

const folder = mkdtempSync(join(tmpdir(), 'frame-names-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Resolves V8's frame whose function's text begins with `at`. */
function resolve(source: string, at: string, given: string) {
  const url = join(folder, `${Math.random()}.js`);
  writeFileSync(url, source);
  const before = source.slice(0, source.indexOf(at)).split('\n');
  const line = before.length;
  const column = before.at(-1)!.length + 1;
  return new FrameResolver(new SourceIndex(acorn)).resolve(frameOf({ name: given, url, line, column }));
}

describe('the name of a function', () => {
  it.each([
    ['exports.load = function () {};', 'function', 'exports.load', 'load'],
    ['Cart.prototype.total = function () {};', 'function', 'Cart.total', 'total'],
    ['class Cart { get total() {} }', '() {}', 'get total', 'total'],
    ['class Cart { constructor() {} }', '() {}', 'Cart', 'Cart'],
    ['app.get("/", () => {});', '() =>', 'app.get', '(anonymous)'],
    ['function start() { timer(() => {}); }', '() => {}', '', 'start'],
    ['const poll = () => { q.then(() => { all.map((x) => x); }); };', '(x)', '', 'poll'],
    ['function limit() { return (request) => { all.map((x) => x); }; }', '(request)', '', 'limit'],
  ])('in %s', (source, at, given, name) => {
    expect(resolve(source, at, given).name).toBe(name);
  });

  it('is that of the source where a bundler shortened it', () => {
    const map = { version: 3, sources: ['../src/cart.ts'], names: ['totalPrice'], mappings: 'AAAA,SAGSA' };
    const inline = Buffer.from(JSON.stringify(map)).toString('base64');
    const source = `function a(b){return b}a(1);\n//# sourceMappingURL=data:application/json;base64,${inline}\n`;
    expect(resolve(source, '(b)', 'a').name).toBe('totalPrice');
  });
});

it('shows the place of a function that shares its line with others', () => {
  const map = {
    version: 3,
    sources: ['../src/first.ts', '../src/second.ts'],
    names: [],
    mappings: 'AAAA,wBCIA',
  };
  const inline = Buffer.from(JSON.stringify(map)).toString('base64');
  const source = `function a(b){return b} function c(d){for(;d;)d--}\n//# sourceMappingURL=data:application/json;base64,${inline}\n`;
  const url = join(folder, 'bundle.js');
  writeFileSync(url, source);
  const frames = new FrameResolver(new SourceIndex(acorn));
  const frame = frames.resolve(frameOf({ name: 'c', url, line: 1, column: source.indexOf('(d)') + 1 }));
  expect(frames.location(frame, 1)).toMatchObject({ file: join(folder, '../src/second.ts'), line: 5 });
});
