import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, scratch } from '../fixtures/cli/run-cli.js';

const HEADER = `#include <stdint.h>
#ifndef DEPTH
#define DEPTH 4
#endif
typedef struct order {
  uint8_t side;
  double price;
  uint8_t kind;
  union { int a; double b; } extra;
  struct order *next;
} order_t;
struct level { int price, size; };
struct bits { unsigned a : 3; };
struct book { char index; struct level levels[DEPTH]; long sequence; char last; };
`;

function write(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('sysopt layout', () => {
  it('plans every struct of a header and prints what changes', async () => {
    using folder = scratch();
    const file = write(folder.path, 'order.h', HEADER);
    const { code, stdout, stderr } = await runCli(['layout', file]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${file}:5`);
    expect(stdout).toContain('order: 32 B (40 B as declared, 20 % saved)');
    expect(stdout).toContain('2 of 3 records can be smaller, by 16 B for one of each.');
    expect(stdout).not.toContain('level: 8 B');
    expect(stderr).toContain(`${file}:13: struct bits is left out: bit-field.`);
    const all = await runCli(['layout', '--all', file]);
    expect(all.stdout).toContain('level: 8 B (as declared)');
  });

  it('--check is a gate: a line per record that could be smaller, and exit code 1', async () => {
    using folder = scratch();
    const file = write(folder.path, 'order.h', HEADER);
    const failed = await runCli(['layout', '--check', file]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain(`${file}:5: struct order: 40 B could be 32 B; move `);
    // What --packing adds is no reason to fail.
    const good = write(folder.path, 'level.h', 'struct level { int price, size; };');
    for (const options of [[], ['--packing', 'cache_line'], ['--packing', 'declared']]) {
      const held = await runCli(['layout', '--check', ...options, good]);
      expect(held.code).toBe(0);
      expect(held.stdout).toBe('1 record: none can be smaller.\n');
    }
    const declared = await runCli(['layout', '--check', '--packing', 'declared', file]);
    expect(declared.code).toBe(1);
  });

  it('prints JSON with --json and with --format json', async () => {
    using folder = scratch();
    const file = write(folder.path, 'order.h', HEADER);
    for (const option of [['--json'], ['--format', 'json']]) {
      const { json, stdout } = await runCli(['layout', ...option, file]);
      expect(stdout.trimEnd().split('\n')).toHaveLength(1);
      expect(json.summary).toEqual({ records: 3, removable: 2, removableBytes: 16, skipped: 1 });
      expect(json.records[0]).toMatchObject({ name: 'order', line: 5, sizeBytes: 32, removableBytes: 8 });
      expect(json.skipped).toEqual([{ name: 'bits', reason: 'bit-field', line: 13, file }]);
    }
  });

  it('takes hot fields, cache line, names and macros', async () => {
    using folder = scratch();
    const file = write(folder.path, 'order.h', HEADER);
    const { json } = await runCli([
      ...['layout', '--json', '--hot', 'book.last,sequence', '--cache-line', '128', '-D', 'DEPTH=40'],
      ...['--only', 'book', file],
    ]);
    expect(json.records).toHaveLength(1);
    expect(json.records[0]).toMatchObject({ cacheLineBytes: 128, hot: ['sequence', 'last'], hotLines: 1 });
    expect(json.records[0].fields.find((field: any) => field.name === 'levels').sizeBytes).toBe(320);
  });

  it('writes a header that a C compiler agrees with', async ({ skip }) => {
    if (spawnSync('gcc', ['--version']).status !== 0) skip('there is no gcc here');
    using folder = scratch();
    const file = write(folder.path, 'order.h', HEADER);
    for (const packing of ['minimal_padding', 'cache_line', 'declared']) {
      const out = join(folder.path, `${packing}.h`);
      const { code, stdout } = await runCli(['layout', '--packing', packing, '--out', out, file]);
      expect(code).toBe(0);
      expect(stdout).toContain(`Wrote ${out}.`);
      expect(readFileSync(out, 'utf8')).toContain('static_assert(offsetof(struct book, last) ==');
      execFileSync('gcc', ['-std=c11', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-xc', out]);
    }
  });

  it('prints pages and pictures', async () => {
    using folder = scratch();
    const file = write(folder.path, 'order.h', HEADER);
    const page = await runCli(['layout', '--format', 'html', file]);
    expect(page.stdout).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/);
    const picture = await runCli(['layout', '--format', 'svg', file]);
    expect(picture.stdout).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
  });

  it('reads JSON: fields by type or by extent, hints, several records, and descriptors', async () => {
    using folder = scratch();
    const fields = [
      { name: 'flag', type: 'u8' },
      { name: 'at', type: 'f64[2]' },
      { name: 'name', type: 'utf8(3)' },
      { name: 'key', sizeBytes: 16, alignBytes: 8 },
    ];
    const writers = { producer: ['at'], consumer: ['key'] };
    const file = write(
      folder.path,
      'records.json',
      JSON.stringify({
        structs: [
          { name: 'plain', fields },
          { name: 'apart', fields, writers },
        ],
      }),
    );
    const { json } = await runCli(['layout', '--json', file]);
    expect(json.records.map((record: any) => [record.name, record.sizeBytes])).toEqual([
      ['plain', 40],
      ['apart', 128],
    ]);
    const { struct, u8, f64 } = await import('../../dist/index.js');
    const Type = struct('Type', { a: u8, b: f64, c: u8 }, { packing: 'declared' });
    const descriptor = write(folder.path, 'type.json', JSON.stringify(Type.descriptor));
    expect((await runCli(['layout', '--json', descriptor])).json.records[0]).toMatchObject({
      name: 'Type',
      sizeBytes: 16,
      removableBytes: 8,
    });
  });

  it.each([
    ['a file that is not there', 'none.h', undefined, [], /Cannot read .*none\.h/],
    ['a header without structs', 'a.h', 'int x;', [], /a\.h defines no struct/],
    ['text that is no JSON', 'a.json', '{\n "structs": [\n x\n]}', [], /a\.json:3: no JSON/],
    [
      'an unknown type',
      'a.json',
      '[\n{ "name": "ok", "fields": [{ "name": "a", "type": "u8" }] },\n{ "name": "bad", "fields": [{ "name": "a", "type": "u9" }] }\n]',
      [],
      /a\.json:3: record bad: field "a" is of the unknown type "u9"/,
    ],
    [
      'a misspelt key',
      'a.json',
      '{ "name": "r", "writer": {}, "fields": [{ "name": "a", "type": "u8" }] }',
      [],
      /a\.json:1: record r: unknown key: "writer", did you mean "writers"/,
    ],
    [
      'a hint for no field',
      'a.json',
      '{ "name": "r", "hot": ["b"], "fields": [{ "name": "a", "type": "u8" }] }',
      [],
      /a\.json:1: record r: .*"b"/,
    ],
    ['an unknown record', 'a.h', 'struct a { int b; };', ['--only', 'c'], /no record "c"/],
    ['an unknown hot field', 'a.h', 'struct a { int b; };', ['--hot', 'c'], /field "c" of --hot/],
    ['a wrong macro', 'a.h', 'struct a { int b; };', ['-D', '3=4'], /NAME=value/],
    ['no file', undefined, undefined, [], /missing required argument/],
  ])('refuses %s with exit code 2', async (_, name, text, options, message) => {
    using folder = scratch();
    const files = name === undefined ? [] : [join(folder.path, name)];
    if (name !== undefined && text !== undefined) write(folder.path, name, text);
    const { code, stderr } = await runCli(['layout', ...options, ...files]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('says where a header cannot be written', async () => {
    using folder = scratch();
    const file = write(folder.path, 'order.h', HEADER);
    const { code, stderr } = await runCli(['layout', '--out', join(file, 'x.h'), file]);
    expect(code).toBe(4);
    expect(stderr).toContain('x.h');
    expect(stderr).toContain('--out');
    expect(stderr).not.toContain('storagePath');
  });
});
