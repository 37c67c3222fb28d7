import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCStructs } from '../../../dist/memory/c-declarations/parse-c-structs.js';
import { structFromC } from '../../../dist/memory/c-declarations/struct-from-c.js';
import { randomSource } from './random.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });

const HEADER = `
#ifndef DEMO_H
#define DEMO_H
#include <stdint.h>
#define NAME_LENGTH (4 * 4)   /* bytes */
#define COUNT 3 // elements
#ifdef WIDE
#define EXTRA int64_t wide;
#else
#define EXTRA
#endif
#if 0
struct hidden { int x; };
#elif defined(__LP64__) && COUNT >= 3
struct shown { long x; };
#endif
#ifdef __cplusplus
extern "C" {
#endif

struct node;
typedef struct node node_t;
enum color { RED, GREEN = 5, BLUE, ALIAS = sizeof(long) };
typedef enum { LOW = -1, HIGH = 1 } level_t;
typedef uint16_t port_t, *port_ptr;

struct node {
  char tag;
  struct node *next, **all;
  node_t *again;
  int (*compare)(const void *, struct node *);
  char name[NAME_LENGTH];
  double matrix[2][COUNT];
  enum color color;
  level_t level;
  port_t port, ports[1 << 2];
  port_ptr pointer;
  struct { short a; int b; } inner;
  union { int i; double d; char bytes[sizeof(double) + 1]; } value;
  struct { unsigned char left; };
  unsigned long long int big;
  signed char small;
  _Bool flag;
  long double precise;
  const volatile float ratio;
  void (*table[2])(int);
  int (*grid)[4];
  EXTRA
};

typedef struct { int32_t x, y; } point_t;
struct __attribute__((aligned(32))) aligned_one { char c; _Alignas(16) int i; };
struct aligned_two { char c; int i __attribute__((aligned(8))); alignas(double) char d; } __attribute__((aligned(16)));
static inline int area(const point_t *p) { struct local { int x; } l; return p->x * p->y; }
int counter = 5, table[] = { 1, 2, 3 };
extern struct node *head;
struct after { point_t points[2]; node_t last; };
#ifdef __cplusplus
}
#endif
#endif
`;

/** What the compiler says about each struct, or undefined where there is none. */
function withCompiler(header: string, program: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'c-structs-'));
  try {
    writeFileSync(join(folder, 'it.h'), header);
    writeFileSync(
      join(folder, 'it.c'),
      `#include <stddef.h>\n#include <stdbool.h>\n#include <stdalign.h>\n#include "it.h"\n${program}`,
    );
    execFileSync('gcc', ['-std=gnu11', '-fsyntax-only', '-w', join(folder, 'it.c')], { stdio: 'pipe' });
    return '';
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    return String((error as { stderr?: unknown }).stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function assertions(
  structs: ReturnType<typeof parseCStructs>['structs'],
  isTypedef: (name: string) => boolean,
) {
  return structs
    .filter(({ name }) => !name.includes('.'))
    .flatMap(({ name, sizeBytes, alignBytes, fields }) => {
      const type = isTypedef(name) ? name : `struct ${name}`;
      return [
        `_Static_assert(sizeof(${type}) == ${sizeBytes}, "size of ${name}");`,
        `_Static_assert(_Alignof(${type}) == ${alignBytes}, "alignment of ${name}");`,
        ...fields
          .filter((field) => !field.name.startsWith('anonymous_'))
          .map(
            (field) =>
              `_Static_assert(offsetof(${type}, ${field.name}) == ${field.offsetBytes} && ` +
              `sizeof(((${type} *)0)->${field.name}) == ${field.sizeBytes}, "${name}.${field.name}");`,
          ),
      ];
    })
    .join('\n');
}

describe('parseCStructs', () => {
  const { structs, skipped } = parseCStructs(HEADER);

  it('finds every struct that is defined, by tag, typedef or place', () => {
    expect(structs.map(({ name }) => name)).toEqual([
      'shown',
      'node',
      'node.inner',
      'point_t',
      'aligned_one',
      'aligned_two',
      'after',
    ]);
    expect(skipped).toEqual([]);
  });

  it('lays them out as the compiler does', (context) => {
    const errors = withCompiler(
      HEADER,
      assertions(structs, (name) => name.endsWith('_t')),
    );
    if (errors === undefined) return context.skip('no gcc here');
    expect(errors).toBe('');
  });

  it('gives types as C writes them, and places', () => {
    const node = structs.find(({ name }) => name === 'node')!;
    const types = Object.fromEntries(node.fields.map((field) => [field.name, field.type]));
    expect(types).toMatchObject({
      next: 'struct node *',
      all: 'struct node * *',
      compare: 'int (*)()',
      name: 'char[16]',
      matrix: 'double[2][3]',
      big: 'unsigned long long int',
      grid: 'int (*)[4]',
      port: 'port_t',
    });
    const lines = HEADER.split('\n');
    expect(lines[node.line - 1]).toBe('struct node {');
    for (const { name, line, column } of node.fields.filter((each) => !each.name.startsWith('anonymous_'))) {
      expect(lines[line - 1]!.slice(column - 1)).toMatch(new RegExp(`^${name}\\b`));
    }
  });

  it('takes macros and types from the caller', () => {
    const source = 'struct s { EXPORT char data[SIZE]; mutex_t lock; };';
    expect(parseCStructs(source).skipped).toHaveLength(1);
    const given = parseCStructs(source, {
      defines: { SIZE: 12, EXPORT: '' },
      types: { mutex_t: { sizeBytes: 40, alignBytes: 8 } },
    });
    expect(given.skipped).toEqual([]);
    expect(given.structs[0]).toMatchObject({ sizeBytes: 56, alignBytes: 8 });
    expect(given.structs[0]!.fields[1]).not.toHaveProperty('node');
  });

  it.each([
    ['a bit-field', 'int a : 3;', 'bit-field'],
    ['an unnamed bit-field', 'int a; int : 0;', 'bit-field'],
    ['a flexible array member', 'int n; char data[];', /^flexible array member/],
    ['a flexible array of the old kind', 'int n; char data[0];', /^flexible array member/],
    ['a packed field', 'char c; int i __attribute__((packed));', 'packed'],
    ['an unknown type', 'int a; thing_t b;', /^type "thing_t" is unknown \(field "b"\)$/],
    ['an unknown length', 'int a[LENGTH];', /LENGTH/],
    ['a negative length', 'int a[1 - 2];', /array length/],
    ['a length divided by 0', 'int a[1 / 0];', /array length/],
    ['a struct that is declared only', 'struct other o;', /struct other is declared/],
    ['itself', 'int a; struct s b;', /struct s is declared/],
    ['two fields of one name', 'int a; int a;', /two fields/],
    ['nothing', '', 'no fields'],
    ['more than can be addressed', 'char a[1073741824], b[1073741824], c[8];', 'larger than 2 GiB'],
    ['a macro with arguments', 'LIST_ENTRY(node) link;', /expected|unknown/],
  ])('leaves out a struct with %s and goes on', (_, body, reason) => {
    const { structs, skipped } = parseCStructs(
      `struct ok { int a; };\nstruct s {\n  ${body}\n};\nstruct next { int b; };`,
    );
    expect(structs.map(({ name }) => name)).toEqual(['ok', 'next']);
    expect(skipped).toHaveLength(1);
    expect(skipped[0]).toMatchObject({ name: 's', reason: expect.stringMatching(reason) });
    expect(skipped[0]!.line).toBeGreaterThanOrEqual(2);
    expect(skipped[0]!.column).toBeGreaterThan(0);
  });

  it.each([
    ['struct __attribute__((packed)) s { char c; int i; };'],
    ['struct s { char c; int i; } __attribute__((__packed__));'],
    ['struct s { char c; int i; } __packed;'],
    ['#pragma pack(push, 1)\nstruct s { char c; int i; };\n#pragma pack(pop)'],
    ['struct PACKED s { char c; int i; };'],
    ['typedef struct { char c; int i; } ODD_MACRO s;'],
  ])('does not guess at %s', (source) => {
    const { structs, skipped } = parseCStructs(`${source}\nstruct next { char c; int i; };`);
    expect(structs.map(({ name }) => name)).toEqual(['next']);
    expect(skipped.map(({ name }) => name)).toEqual(['s']);
  });

  it('leaves out what holds a struct that was left out, and says why', () => {
    const { skipped } = parseCStructs('struct a { int x : 1; };\nstruct b { struct a a; };');
    expect(skipped[1]).toMatchObject({
      name: 'b',
      line: 2,
      reason: 'struct a was left out: bit-field (field "a")',
    });
  });

  it('reads places from the line markers of a preprocessor', () => {
    const { structs } = parseCStructs(
      '# 1 "a.c"\n# 20 "/usr/include/sys.h" 1 3 4\n\nstruct sys { int x; };\n# 3 "a.c" 2\nstruct own { int x; };\n',
    );
    expect(structs).toMatchObject([
      { name: 'sys', file: '/usr/include/sys.h', line: 21, isSystemHeader: true },
      { name: 'own', file: 'a.c', line: 3, isSystemHeader: false },
    ]);
  });

  it('agrees with the compiler on random structs', (context) => {
    const next = randomSource(7);
    const pick = <T>(from: readonly T[]) => from[Math.floor(next() * from.length)]!;
    const types = [
      'char',
      'short',
      'int',
      'long',
      'float',
      'double',
      'long double',
      'void *',
      'struct r0',
      'union u',
    ];
    let header = 'union u { short s; char c[5]; };\nstruct r0 { short a; char b; };\n';
    for (let k = 1; k <= 60; k += 1) {
      const fields = Array.from({ length: 1 + Math.floor(next() * 9) }, (_, f) => {
        const dimension = next() < 0.3 ? `[${1 + Math.floor(next() * 5)}]` : '';
        return `${pick(k > 5 ? [...types, `struct r${k - 3}`] : types)} f${f}${dimension};`;
      });
      header += `struct r${k} { ${fields.join(' ')} };\n`;
    }
    const { structs, skipped } = parseCStructs(header);
    expect([structs.length, skipped.length]).toEqual([61, 0]);
    const errors = withCompiler(
      header,
      assertions(structs, () => false),
    );
    if (errors === undefined) return context.skip('no gcc here');
    expect(errors).toBe('');
  });

  it('ends on text that is no C, whatever it is', () => {
    const next = randomSource(11);
    const pieces =
      'struct union enum typedef { } ( ) [ ] ; , * : = int x y 3 0x " \' /* */ // # \\\n \n #if #endif #define'
        .split(' ')
        .concat(['#define A B B\n', '__attribute__((', 'sizeof', '?', '{ int a; }', '\0', 'é']);
    for (let round = 0; round < 400; round += 1) {
      const source = Array.from({ length: 60 }, () => pieces[Math.floor(next() * pieces.length)]).join(' ');
      const { structs } = parseCStructs(source);
      for (const { sizeBytes, fields } of structs) expect(sizeBytes).toBeGreaterThanOrEqual(fields.length);
    }
    for (const nested of [
      '(',
      '[',
      '{',
      'struct {',
      'struct s { struct {',
      '*',
      'int a[(',
      '-',
      'union { struct {',
    ]) {
      expect(parseCStructs(nested.repeat(20_000)).structs).toEqual([]);
    }
    expect(parseCStructs(`struct s { int a[${'1 ? 1 : '.repeat(20_000)} 1]; };`).skipped).toHaveLength(1);
  });

  it('refuses macros that multiply', () => {
    const macros = Array.from({ length: 40 }, (_, k) => `#define M${k} M${k + 1} M${k + 1}\n`).join('');
    expect(() => parseCStructs(`${macros}M0`)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => parseCStructs(`${macros}#define M40\nM0`)).toThrow(code('INVALID_ARGUMENT'));
  });

  it.each([
    ['source that is no text', () => parseCStructs(5 as never)],
    ['options that are none', () => parseCStructs('', 5 as never)],
    ['a type without size', () => parseCStructs('', { types: { a: { alignBytes: 8 } as never } })],
    [
      'a type with an odd alignment',
      () => parseCStructs('', { types: { a: { sizeBytes: 9, alignBytes: 3 } } }),
    ],
  ])('refuses %s', (_, call) => {
    expect(call).toThrow(code('INVALID_ARGUMENT'));
  });
});

describe('structFromC', () => {
  const source = `
    enum side { BUY, SELL };
    struct leg { double price; uint32_t quantity; };
    typedef struct { uint64_t id; char symbol[8]; enum side side; struct leg legs[2]; void *next; } order_t;`;

  it('makes a type with the offsets of C', () => {
    const Order = structFromC(source, 'order_t');
    expect(Order.layout).toMatchObject({ sizeBytes: 64, alignBytes: 8 });
    const orders = Order.array(2);
    orders.set(1, {
      id: 7n,
      symbol: 'ACME',
      side: 'SELL',
      legs: [{ price: 1.5, quantity: 3 }],
      next: 0xdeadn,
    });
    expect(orders.get(1)).toEqual({
      id: 7n,
      symbol: 'ACME',
      side: 'SELL',
      legs: [
        { price: 1.5, quantity: 3 },
        { price: 0, quantity: 0 },
      ],
      next: 0xdeadn,
    });
    expect(Order.toCHeader()).toContain('offsetof(struct order_t, legs) == 24');
  });

  it('reads enums as numbers on request, takes the last struct, renames', () => {
    const Type = structFromC('enum e { A = 1 }; struct s { enum e e; int index; };', undefined, {
      enums: 'numbers',
      rename: { index: 'at' },
    });
    expect(Type.array(1).get(0)).toEqual({ e: 0, at: 0 });
  });

  it.each([
    ['a bit-field', 'struct s { int a : 3; };', 's', /line 1, column 16: bit-field/],
    ['a union', 'struct s { union { int a; } u; };', 's', /line 1, column 29: field "u"/],
    ['long double', 'struct s {\n  long double d; };', 's', /line 2, column 15/],
    ['no struct', 'int x;', undefined, /no struct/],
    ['another struct', 'struct a { int x; };', 'b', /no struct.*a/],
  ])('refuses %s and says where', (_, text, name, message) => {
    expect(() => structFromC(text, name)).toThrow(code('C_DECLARATION'));
    expect(() => structFromC(text, name)).toThrow(message);
  });

  it('refuses names that cursors need', () => {
    expect(() => structFromC('struct s { int index; };')).toThrow(code('INVALID_SCHEMA'));
  });
});
