import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  array,
  bool,
  f32,
  f64,
  i16,
  i32,
  i64,
  i8,
  u16,
  u32,
  u64,
  u8,
  type FieldType,
} from '../../../dist/memory/struct/field-types.js';
import { struct, type StructType } from '../../../dist/memory/struct/struct-type.js';

/**
 * Members of 718 structs of curl, libuv, lua, memcached, nginx, redis, sqlite and zlib as their debug information has them. A member is
 * `name@offset=type[count]`; a type is a scalar, `p` (pointer), `#k` (the k-th struct of the file), `o16/8` (an inner
 * struct or union of 16 bytes, aligned at 8, whose members the file does not have) or `:4` (a bit-field).
 */
interface Row {
  project: string;
  name: string;
  size: number;
  align: number;
  leftOut: string;
  fields: string;
}

const rows = JSON.parse(
  readFileSync(new URL('../../fixtures/struct-members.json', import.meta.url), 'utf8'),
) as Row[];

const SCALARS: Record<string, FieldType> = {
  u8,
  u16,
  u32,
  u64,
  i8,
  i16,
  i32,
  i64,
  f32,
  f64,
  b: bool,
  p: u64,
};
const UNSIGNED: Record<number, FieldType> = { 1: u8, 2: u16, 4: u32, 8: u64 };
/** Properties that cursors have themselves. */
const TAKEN = new Set(['index', 'array', 'toObject', 'assign', 'toJSON', 'constructor']);

interface Member {
  name: string;
  offset: number;
  type: string;
  count: number | undefined;
}

function membersOf(row: Row): Member[] {
  return row.fields.split(' ').map((text) => {
    const [, name, offset, type, count] = /^(\w+)@(\d+)=([^[]+)(?:\[(\d+)\])?$/.exec(text)!;
    return {
      name: TAKEN.has(name!) ? `${name!}_` : name!,
      offset: Number(offset),
      type: type!,
      count: count === undefined ? undefined : Number(count),
    };
  });
}

type Packing = 'declared' | 'minimal_padding' | 'cache_line';

/** The struct in our types, or why they cannot say it. Inner structs keep their declared layout, as a C library's do. */
function express(k: number, packing: Packing, prefix = ''): StructType | string {
  const row = rows[k]!;
  if (row.leftOut !== '') return row.leftOut;
  const name = `${prefix}${row.project.replace(/\W/g, '_')}_${k}_${row.name.replace(/\W/g, '_')}`;
  const fields: Record<string, FieldType> = {};
  for (const { name: member, type, count } of membersOf(row)) {
    let token: FieldType | string | undefined = SCALARS[type];
    if (type.startsWith('#')) token = express(Number(type.slice(1)), 'declared', `${name}__${member}__`);
    if (type.startsWith('o')) {
      const [bytes, align] = type.slice(1).split('/').map(Number) as [number, number];
      token = array(UNSIGNED[align]!, bytes / align);
    }
    if (typeof token === 'string') return `an inner struct with ${token}`;
    fields[member] = count === undefined ? token! : array(token!, count);
  }
  const type = struct(name, fields, { packing });
  if (packing === 'declared' && type.sizeBytes !== row.size) return 'unnamed members';
  return type;
}

const compiler = spawnSync('gcc', ['--version']).status === 0 ? 'gcc' : undefined;
if (compiler === undefined) console.info('Headers of real structs are not compiled: there is no gcc here.');

describe('real C structs in our types', () => {
  it('have the offsets and sizes that gcc gave them, and all but those with a printed reason can be said', () => {
    const why: Record<string, number> = {};
    let said = 0;
    let withStorage = 0;
    rows.forEach((row, k) => {
      const type = express(k, 'declared');
      if (typeof type === 'string') {
        why[type] = (why[type] ?? 0) + 1;
        return;
      }
      said += 1;
      if (/=o\d/.test(row.fields)) withStorage += 1;
      const offsets = new Map(type.layout.fields.map((field) => [field.name, field.offsetBytes]));
      for (const { name, offset } of membersOf(row)) {
        if (offsets.get(name) !== offset) expect.fail(`${row.project} ${row.name}.${name}`);
      }
      if (type.sizeBytes !== row.size || type.alignBytes !== row.align) expect.fail(row.name);
    });
    const reasons = Object.entries(why).map(([reason, count]) => `${count} for ${reason}`);
    console.info(
      `${said} of ${rows.length} real structs in our types, ${withStorage} of them with inner members as plain ` +
        `storage; left out: ${reasons.join(', ')}`,
    );
    expect(said).toBeGreaterThanOrEqual(650);
    expect(said + Object.values(why).reduce((sum, count) => sum + count, 0)).toBe(718);
  });

  it.skipIf(compiler === undefined).each(['declared', 'minimal_padding', 'cache_line'] as const)(
    'have headers (%s) on whose every offset gcc agrees',
    (packing) => {
      const directory = mkdtempSync(join(tmpdir(), 'real-structs-'));
      try {
        const headers = rows
          .map((_, k) => express(k, packing))
          .filter((type) => typeof type !== 'string')
          .map((type) => type.toCHeader());
        expect(headers.join('').match(/static_assert\(offsetof/g)!.length).toBeGreaterThan(4_800);
        const file = join(directory, 'all.c');
        writeFileSync(file, headers.join('\n'));
        execFileSync(compiler!, ['-std=c11', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', file], {
          stdio: 'pipe',
        });
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
  );
});
