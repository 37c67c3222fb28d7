import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SourceLines } from '../../../dist/facade/source-lines.js';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sysopt-source-'));
  file = join(folder, 'app.js');
  writeFileSync(file, `first();\n    return orders.find((order) => order.id === id);\n\n${'x'.repeat(300)}`);
});
afterAll(() => rmSync(folder, { recursive: true }));
const at = (place: string, line: number) => new SourceLines().at({ function: 'f', file: place, line });

it('gives the line without its indentation, of a path and of a URL', () => {
  expect(at(file, 2)).toBe('return orders.find((order) => order.id === id);');
  expect(at(pathToFileURL(file).href, 1)).toBe('first();');
});

it.each([
  ['an empty line', 3],
  ['a line too long to be read', 4],
  ['a line behind the end', 9],
])('gives nothing for %s', (_, line) => {
  expect(at(file, line)).toBeUndefined();
});

it('gives nothing for what is no file here', () => {
  for (const place of [
    'node:internal/timers',
    join(folder, 'gone.js'),
    'app.js',
    'https://example.com/app.js',
    folder,
  ])
    expect(at(place, 1)).toBeUndefined();
});
