/**
 * Compiled loops over struct arrays: equal to the same function over a cursor, for random schemas and programs, in every
 * order; what cannot be compiled is refused by name.
 *
 * `STRUCT_LOOPS_CASES` sets the number of random programs (120 by default).
 */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { interpretCursorClass } from '../../../dist/memory/struct/accessor-interpreter.js';
import {
  array,
  bool,
  enumOf,
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
  utf8,
  type FieldType,
} from '../../../dist/memory/struct/field-types.js';
import { flagsOf } from '../../../dist/memory/struct/flags.js';
import { loopKernels } from '../../../dist/memory/struct/loop-kernels.js';
import { struct, type StructType } from '../../../dist/memory/struct/struct-type.js';
import type { StructArray } from '../../../dist/memory/struct/struct-array.js';
import { randomSource } from './random.js';

const ORDERS = ['aos', 'soa', 'aosoa'] as const;
const CASES = Number(process.env.STRUCT_LOOPS_CASES ?? 120);
const code = (wanted: string) => expect.objectContaining({ code: wanted });

type AnyArray = StructArray<any>;

// --- Random programs ---------------------------------------------------------------------------------------------------

/** Paths to the scalars of a record as a program writes them, by kind. */
interface Paths {
  number: string[];
  bigint: string[];
  bool: string[];
  enum: string[];
  text: string[];
  /** Fixed arrays of numbers, with their lengths. */
  list: [path: string, count: number][];
}

class Program {
  private readonly random: () => number;
  readonly paths: Paths = { number: [], bigint: [], bool: [], enum: [], text: [], list: [] };
  readonly type: StructType<any>;
  private locals = 0;

  constructor(seed: number) {
    this.random = randomSource(seed);
    const inner = this.fields(1 + this.below(3), false, 'i');
    const Inner = struct('Inner', inner);
    const fields: Record<string, FieldType> = this.fields(2 + this.below(6), true, 'f');
    if (this.below(2) === 0) fields.part = Inner;
    if (this.below(2) === 0) fields.parts = array(Inner, 1 + this.below(4));
    if (this.below(3) === 0) fields.grid = array(array(u16, 3), 2);
    const shuffled = Object.entries(fields).toSorted(() => this.random() - 0.5);
    this.type = struct('Record', Object.fromEntries(shuffled), {
      packing: this.pick(['minimal_padding', 'declared', 'cache_line']),
    });
    for (const [name, type] of shuffled) this.collect(`p.${name}`, type.node);
  }

  below(n: number): number {
    return Math.floor(this.random() * n);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  private fields(count: number, withLists: boolean, letter: string): Record<string, FieldType> {
    const kinds: FieldType<any, any>[] = [u8, u16, u32, i8, i16, i32, f32, f64, u64, i64, bool];
    kinds.push(enumOf('a', 'b', 'c'), enumOf({ a: 0, b: 7, c: 70_000 }), flagsOf('on', 'off'), utf8(3));
    kinds.push(flagsOf({ on: 1, off: 0x8000_0000 }));
    const made: Record<string, FieldType> = {};
    for (let k = 0; k < count; k += 1) {
      const type = this.pick(kinds);
      made[`${letter}${k}`] = withLists && this.below(4) === 0 ? array(type, 1 + this.below(5)) : type;
    }
    return made;
  }

  private collect(path: string, node: any): void {
    switch (node.kind) {
      case 'scalar':
        if (node.scalar === 'bool') this.paths.bool.push(path);
        else this.paths[node.scalar.endsWith('64') && node.scalar !== 'f64' ? 'bigint' : 'number'].push(path);
        return;
      case 'enum':
        this.paths.enum.push(path);
        return;
      case 'utf8':
        this.paths.text.push(path);
        return;
      case 'flags':
        this.paths.bool.push(`${path}.on`, `${path}.off`);
        this.paths.number.push(`${path}.bits`);
        return;
      case 'struct':
        for (const field of node.fields) this.collect(`${path}.${field.name}`, field.node);
        return;
      case 'array': {
        const { element, count } = node;
        const at = () =>
          this.pick([String(this.below(count)), `(i % ${count})`, `((i * 7 + c.n) % ${count})`]);
        if (element.kind === 'array') {
          this.paths.list.push([`${path}.at(${at()})`, element.count]);
        } else if (element.kind === 'struct') {
          for (let k = 0; k < 2; k += 1) this.collect(`${path}.at(${at()})`, element);
        } else if (element.kind === 'scalar' && element.scalar !== 'bool' && !/64/.test(element.scalar)) {
          this.paths.list.push([path, count]);
        } else if (element.kind === 'flags') {
          this.collect(`${path}.at(${at()})`, element);
        }
      }
    }
  }

  number(depth = 0): string {
    const { number, list, bool: bools, enum: enums, text } = this.paths;
    const leaves = ['i', 'c.n', 'c.x', String(this.below(300)), '1.5', 'p.index'];
    for (let k = 0; k < 3; k += 1) if (number.length > 0) leaves.push(this.pick(number));
    if (list.length > 0) {
      const [path, count] = this.pick(list);
      leaves.push(`${path}.get(${this.pick([String(this.below(count)), `i % ${count}`])})`, `${path}.length`);
    }
    if (depth > 2 || this.below(2) === 0) return this.pick(leaves);
    const next = () => this.number(depth + 1);
    const choices = [
      () => `(${next()} ${this.pick(['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>>'])} ${next()})`,
      () => `Math.${this.pick(['max', 'min', 'imul'])}(${next()}, ${next()})`,
      () => `(- ${next()})`,
    ];
    if (bools.length > 0) choices.push(() => `(${this.pick(bools)} ? ${next()} : ${next()})`);
    if (enums.length > 0) choices.push(() => `(${this.pick(enums)} === 'b' ? ${next()} : ${next()})`);
    if (text.length > 0) choices.push(() => `${this.pick(text)}.length`);
    return this.pick(choices)();
  }

  statement(depth = 0): string {
    const { number, bigint, bool: bools, enum: enums, text, list } = this.paths;
    const made: (() => string)[] = [() => '{ const q = c.n; void q; }'];
    const local = `l${(this.locals += 1)}`;
    if (number.length > 0) {
      const target = () => this.pick(number);
      made.push(
        () => `${target()} = ${this.number()}`,
        () =>
          `${target()} ${this.pick(['+=', '-=', '*=', '^=', '>>>=', '||=', '&&=', '??='])} ${this.number()}`,
        () => `${this.pick(['++', '--'])}${target()}`,
        () => `${target()} = ${target()}++`,
        () => `const ${local} = (${target()} = ${this.number()}); ${target()} = ${local}`,
        () => `let { ${this.shorthand(local)} } = p; ${target()} = ${local}`,
      );
    }
    if (bigint.length > 0) {
      made.push(
        () => `${this.pick(bigint)} += ${this.pick(['1n', '-1n', 'c.big', this.pick(bigint)])}`,
        () => `${this.pick(bigint)} = ${this.pick(bigint)} * 3n`,
        () => `${this.pick(bigint)}--`,
      );
    }
    if (bools.length > 0) {
      const bool = () => this.pick(bools);
      made.push(
        () => `${bool()} = ${this.pick([`${this.number()} > ${this.number()}`, 'c.truthy', `!${bool()}`])}`,
        () => `${bool()} ${this.pick(['||=', '&&=', '??=', '^='])} ${bool()}`,
        () => `c.seen.push(${bool()} = c.truthy)`,
      );
    }
    if (enums.length > 0) {
      made.push(
        () => `${this.pick(enums)} = ${this.pick(["'a'", "'b'", "'c'", this.pick(enums), 'c.name'])}`,
        () => `c.seen.push(${this.pick(enums)} = 'c')`,
        () => `${this.pick(enums)} &&= 'a'`,
      );
    }
    if (text.length > 0) {
      made.push(() => `${this.pick(text)} = ${this.pick(["'xy'", 'c.name', this.pick(text)])}`);
    }
    if (list.length > 0) {
      const [path, count] = this.pick(list);
      made.push(
        () => `${path}.set(${this.pick([`i % ${count}`, String(this.below(count))])}, ${this.number()})`,
        () =>
          `for (let k = 0; k < ${path}.length; k += 1) { ${path}.set(k, ${path}.get(k) + ${this.number(2)}) }`,
      );
    }
    if (depth < 2) {
      const inner = () => this.statement(depth + 1);
      const test = () => `${this.number()} > ${this.number()}`;
      made.push(
        () => `if (${test()}) { ${inner()}\n ${inner()} } else { ${inner()} }`,
        () => `for (let k = 0; k < 3; k += 1) { ${inner()}; if (${test()}) break; }`,
        () => `switch (c.n % 3) { case 0: ${inner()}; break; default: ${inner()} }`,
        () => `try { ${inner()} } finally { ${inner()} }`,
      );
      if (depth === 0) {
        made.push(
          () => `if (${test()}) return`,
          () => `while (c.n > 1e9) { if (${test()}) continue; else return; }`,
        );
      }
    }
    return this.pick(made)();
  }

  private shorthand(name: string): string {
    const plain = this.paths.number.filter((path) => /^p\.\w+$/.test(path));
    return plain.length > 0 ? `${this.pick(plain).slice(2)}: ${name}` : `index: ${name}`;
  }

  body(): string {
    // Lines without semicolons, so that the text relies on their insertion.
    return Array.from({ length: 1 + this.below(5) }, () => this.statement()).join('\n');
  }

  /** Records of random values, without garbage in text. */
  fill(all: AnyArray, seed: number): void {
    const random = randomSource(seed);
    const value = (node: any): unknown => {
      switch (node.kind) {
        case 'scalar':
          if (node.scalar === 'bool') return random() < 0.5;
          if (node.scalar === 'u64' || node.scalar === 'i64')
            return BigInt(Math.floor(random() * 1e9)) << 20n;
          return node.scalar.startsWith('f') ? random() * 1e4 - 5e3 : Math.floor(random() * 2 ** 32);
        case 'enum':
          return Object.keys(node.values)[Math.floor(random() * 3)];
        case 'utf8':
          return ['', 'é', 'abc'][Math.floor(random() * 3)];
        case 'flags':
          return { on: random() < 0.5, off: random() < 0.5 };
        case 'array':
          return Array.from({ length: node.count }, () => value(node.element));
        case 'struct':
          return Object.fromEntries(node.fields.map((field: any) => [field.name, value(field.node)]));
      }
      return undefined;
    };
    for (let k = 0; k < all.length; k += 1) all.set(k, value(this.type.node) as any);
  }
}

const context = () => ({
  n: 12_345,
  x: 0.1,
  big: 2n ** 63n - 7n,
  truthy: 'yes',
  name: 'b',
  seen: [] as unknown[],
});

type Step = (...values: any[]) => unknown;

/** The reference: the function called with a cursor, element accessors being objects of their own. */
function overCursor(
  all: AnyArray,
  step: Step,
  at: Iterable<number>,
  c: unknown,
  isReduce: boolean,
  value?: unknown,
) {
  const cursor = new (interpretCursorClass(all.plan, true))(all);
  for (const index of at) {
    cursor.index = index;
    if (isReduce) value = step(value, cursor, c, index);
    else step(cursor, c, index);
  }
  return value;
}

function outcome(run: () => unknown): unknown {
  try {
    return { value: run() };
  } catch (error) {
    return { threw: (error as Error).message };
  }
}

/** Functions that the compiler or the linter would refuse here. */
function evaluated(text: string): () => void {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  return new Function(`return ${text}`)() as () => void;
}

describe('compiled loops over random records', () => {
  it(`do what the function does over a cursor (${CASES} programs)`, () => {
    for (let seed = 1; seed <= CASES; seed += 1) {
      const program = new Program(seed);
      const length = program.pick([0, 1, 15, 16, 17, 40, 53]);
      const order = program.pick(ORDERS);
      const make = (): AnyArray => {
        const all = program.type.array(length, { order, shared: seed % 2 === 0 });
        program.fill(all, seed);
        return all;
      };
      const isReduce = program.below(3) === 0;
      const text = isReduce
        ? `(v, p, c, i) => { ${program.body().replaceAll(/return(?=;|$)/gm, 'return v + 1')}\n return v + ${program.number()} }`
        : program.pick([
            `function (p, c, i) { ${program.body()} }`,
            `(p, c, i) => { ${program.body()} }`,
            `(p, c, i) => { ${program.body()}\n return ${program.number()} }`,
          ]);
      // eslint-disable-next-line @typescript-eslint/no-implied-eval
      const step = new Function(`'use strict'; return ${text}`)() as Step;
      const say = `seed ${seed}, ${order}, ${JSON.stringify(program.type.node.fields.map((f) => [f.name, f.node.kind]))}\n${text}`;
      const indices = Uint32Array.from({ length }, () => program.below(length));
      const expected = make();
      const kernels = loopKernels(
        expected.plan,
        interpretCursorClass(expected.plan, true),
        step,
        isReduce ? 'reduce' : 'loop',
        false,
      );
      expect(kernels.compiled, say).toBe(true);
      const wantedContext = context();
      const wanted = outcome(() => [
        overCursor(expected, step, Array(length).keys(), wantedContext, isReduce, 0),
        overCursor(expected, step, indices, wantedContext, isReduce, 0),
      ]);
      for (const own of [false, true]) {
        const actual = make();
        const used = own ? (kernels.forArray?.(actual) ?? kernels) : kernels;
        const c = context();
        const got = outcome(() => [
          used.range(actual, 0, length, c, isReduce ? 0 : undefined),
          used.at(actual, indices, 0, length, c, isReduce ? 0 : undefined),
        ]);
        if (isReduce || 'threw' in (wanted as object)) expect(got, say).toEqual(wanted);
        else expect('value' in (got as object), say).toBe(true);
        expect(c, say).toEqual(wantedContext);
        expect(actual.toObjects(), say).toEqual(expected.toObjects());
      }
    }
  });
});

// --- The public face ---------------------------------------------------------------------------------------------------

const Leg = struct('Leg', { price: f64, size: u8 });
const Row = struct('Row', {
  x: f64,
  vx: f32,
  hits: u32,
  big: u64,
  on: bool,
  side: enumOf('buy', 'sell'),
  late: enumOf({ open: 5 }),
  state: flagsOf('paid', 'sent'),
  name: utf8(4),
  leg: Leg,
  legs: array(Leg, 2),
  history: array(u16, 3),
});
const rows = (order: (typeof ORDERS)[number], length = 50) => {
  const all = Row.array(length, { order });
  for (let k = 0; k < length; k += 1) all.set(k, { x: k, vx: k / 2, hits: k });
  return all;
};

describe.each(ORDERS)('compileLoop, order %s', (order) => {
  it('visits all records, a range, and records by index', () => {
    const all = rows(order);
    const step = all.compileLoop((p, { by }: { by: number }, index) => {
      p.hits += by;
      p.x = index;
    });
    step({ by: 1 });
    step.range(10, 12, { by: 100 });
    step.at(Uint32Array.of(49, 3, 3), { by: 1000 });
    step.at(Int32Array.of(), { by: 5 });
    step.range(7, 7, { by: 5 });
    const expected = Array.from({ length: 50 }, (_, k) => k + 1);
    expected[10]! += 100;
    expected[11]! += 100;
    expected[49]! += 1000;
    expected[3]! += 2000;
    expect(all.toObjects().map(({ hits }) => hits)).toEqual(expected);
    expect([step.compiled, step.reason]).toEqual([true, undefined]);
  });

  it('reduces in the order of the records, numbers and bigints', () => {
    const all = rows(order);
    expect(all.compileReduce((sum, { x, vx }) => sum + x * vx, 0)()).toBe(
      Array.from({ length: 50 }, (_, k) => (k * k) / 2).reduce((a, b) => a + b, 0),
    );
    const digits = all.compileReduce((value, p) => (value * 3 + p.hits) % 1_000_003, 7);
    expect(digits()).toBe(
      Array.from({ length: 50 }, (_, k) => k).reduce((v, k) => (v * 3 + k) % 1_000_003, 7),
    );
    expect(digits.at(Int32Array.of(4, 2))).toBe((7 * 3 + 4) * 3 + 2);
    all.fill({ big: 2n ** 60n });
    expect(all.compileReduce((sum, p) => sum + p.big, 0n)()).toBe(50n * 2n ** 60n);
    expect(Row.array(0, { order }).compileReduce((sum, p) => sum + p.x, 42)()).toBe(42);
  });

  it('goes on with kernels of its own after many visits, with the same results', () => {
    const all = rows(order, 5000);
    const count = all.compileLoop((p) => {
      p.hits += 1;
    });
    const sum = all.compileReduce((value, p) => value + p.hits, 0);
    const places = Uint32Array.from({ length: 9000 }, (_, k) => k % 5000);
    for (let turn = 0; turn < 60; turn += 1) count();
    for (let turn = 0; turn < 30; turn += 1) count.at(places);
    const before = (5000 * 4999) / 2;
    for (let turn = 0; turn < 60; turn += 1) expect(sum()).toBe(before + 60 * 5000 + 30 * 9000);
    all.close();
    expect(() => count()).toThrow(code('CLOSED'));
    expect(() => count.at(places)).toThrow(code('CLOSED'));
  });

  it('writes each element of a fixed array where it says', () => {
    const all = rows(order);
    all.set(3, {
      legs: [
        { price: 1, size: 2 },
        { price: 3, size: 4 },
      ],
    });
    all.compileLoop((p) => {
      p.legs.at(0).price = p.legs.at(1).price * 2;
      p.history.set(2, p.history.length);
    })();
    expect(all.get(3)).toMatchObject({ legs: [{ price: 6 }, { price: 3 }], history: [0, 0, 3] });
  });

  it('refuses indices outside of the array and of fixed arrays when it meets them', () => {
    const all = rows(order);
    const count = all.compileLoop((p, c: { k: unknown }) => {
      p.hits = 0;
      p.history.get(c.k as number);
    });
    for (const bad of [Uint32Array.of(1, 50), Uint32Array.of(1, 2 ** 31), Int32Array.of(1, -1)]) {
      all.set(1, { hits: 9 });
      expect(() => count.at(bad, { k: 0 })).toThrow(code('INVALID_ARGUMENT'));
      expect(all.get(1).hits).toBe(0);
    }
    for (const k of [3, -1, 0.5, NaN, '1', undefined]) {
      expect(() => count({ k })).toThrow(code('INVALID_ARGUMENT'));
    }
    expect(() => count.range(0, 51, { k: 0 })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => count.range(2, 1, { k: 0 })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => count.at([1] as never, { k: 0 })).toThrow(code('INVALID_ARGUMENT'));
  });

  it('lets errors of enums and text through', () => {
    const all = rows(order);
    const write = all.compileLoop((p, c: { side: unknown; name: unknown }) => {
      p.side = c.side as 'buy';
      p.name = c.name as string;
    });
    expect(() => write({ side: 'keep', name: '' })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => write({ side: 'sell', name: 'too long' })).toThrow(code('INVALID_ARGUMENT'));
    const seen: unknown[] = [];
    all
      .compileLoop((p, c: { seen: unknown[] }) => {
        c.seen.push(p.late, p.side, p.name);
      })
      .range(0, 1, { seen });
    expect(seen).toEqual([undefined, 'sell', '']);
  });
});

describe('compileLoop', () => {
  it('shares what it compiled between arrays of a type, and keeps it apart by order', () => {
    const body = (p: { hits: number }) => {
      p.hits += 1;
    };
    const [one, two, other] = [rows('aos', 5), rows('aos', 7), rows('soa', 5)];
    for (const all of [one, two, other]) all.compileLoop(body)();
    expect(two.get(6).hits).toBe(7);
    expect(other.get(4).hits).toBe(5);
    expect(one.get(4).hits).toBe(5);
  });

  it('sees the text, not the names: those that begin like its own are told apart', () => {
    const all = rows('aos', 5);
    all.compileLoop((p, $context: { $i: number }, $$) => {
      const $i = $context.$i;
      const $v_u32 = $i + $$;
      p.hits = $v_u32;
    })({ $i: 10 });
    expect(all.toObjects().map(({ hits }) => hits)).toEqual([10, 11, 12, 13, 14]);
  });

  const outside = 1;
  it.each<[string, RegExp, (all: ReturnType<typeof rows>) => unknown]>([
    ['a variable from outside', /"outside" .* Hand it in/, (all) => all.compileLoop((p) => (p.x = outside))],
    ['the record itself', /`p`: the record itself/, (all) => all.compileLoop((p) => void p)],
    ['an alias', /record itself/, (all) => all.compileLoop((p) => { const q = p; q.x = 1; })], // prettier-ignore
    ['a struct within as a whole', /Row\.leg is used as a whole/, (all) => all.compileLoop((p) => { const q = p.leg; q.price = 1; })], // prettier-ignore
    ['a list as a whole', /\.get\(k\)/, (all) => all.compileLoop((p) => { for (const h of p.history) p.hits = h; })], // prettier-ignore
    [
      'an element by brackets',
      /\.get\(k\)/,
      (all) => all.compileLoop((p) => (p.hits = (p.history as never)[0])),
    ],
    ['a field chosen at run time', /at run time/, (all) => all.compileLoop((p, c: 'x') => (p[c] = 1))],
    [
      'a field that is not there',
      /no field "z".*Use one of x, vx/,
      (all) => all.compileLoop((p) => ((p as any).z = 1)),
    ],
    [
      'a method of cursors',
      /"toObject" needs a cursor/,
      (all) => all.compileLoop((p) => (p as any).toObject()),
    ],
    ['a function within', /function within/, (all) => all.compileLoop((p) => { p.x = [1].map((v) => v)[0]!; })], // prettier-ignore
    ['this', /no meaning/, (all) => all.compileLoop(function (this: any, p) { p.x = this.x; })], // prettier-ignore
    ['var', /var would keep/, (all) => all.compileLoop(evaluated('(p) => { var q = 1; p.x = q; }'))], // prettier-ignore
    ['arguments', /"arguments"/, (all) => all.compileLoop(function (p) { p.x = arguments.length; })], // prettier-ignore
    ['moving the record', /run\.at\(indices\)/, (all) => all.compileLoop((p) => ((p as any).index = 1))],
    ['moving the record by ++', /loop moves/, (all) => all.compileLoop((p) => (p as any).index++)],
    ['the record declared again', /declared again/, (all) => all.compileLoop((p) => { { const p = 1; void p; } p.x = 1; })], // prettier-ignore
    ['a pattern of fields', /by a pattern/, (all) => all.compileLoop((p) => { [p.x, p.vx] = [p.vx, p.x]; })], // prettier-ignore
    ['a default', /a default/, (all) => all.compileLoop((p, c: number = 1) => (p.x = c))],
    ['an async function', /async/, (all) => all.compileLoop(evaluated('async (p) => { p.x = 1; }'))], // prettier-ignore
    ['a native function', /no function whose source/, (all) => all.compileLoop(Math.abs as never)],
    ['a bound function', /no function whose source/, (all) => all.compileLoop((() => 1).bind(null))],
    ['no record', /parameters are missing/, (all) => all.compileLoop(() => 1)],
    ['too many parameters', /too many/, (all) => all.compileLoop(((p: any, c: any, i: any, j: any) => [p.x, c, i, j]) as never)], // prettier-ignore
    ['a path without return', /not every path returns/, (all) => all.compileReduce(evaluated('(v, p) => { if (p.x > 1) return v; }') as () => number, 0)], // prettier-ignore
    ['a return of nothing', /returns the new value/, (all) => all.compileReduce(((v: any, p: any) => { if (p.x > 1) return; return v; }) as never, 0)], // prettier-ignore
    ['counting a boolean up', /is no number/, (all) => all.compileLoop((p) => { (p as any).on++; })], // prettier-ignore
    ['deleting a field', /cannot be deleted/, (all) => all.compileLoop((p) => { delete (p as any).x; })], // prettier-ignore
  ])('refuses %s, and says where and what to do', (_, message, compile) => {
    for (const order of ORDERS) {
      expect(() => compile(rows(order))).toThrow(code('LOOP_NOT_COMPILABLE'));
      expect(() => compile(rows(order))).toThrow(message);
    }
  });

  it('runs over a cursor where that is asked for', () => {
    const all = rows('soa');
    const step = all.compileLoop((p) => (p.x = outside), { otherwise: 'cursor' });
    step();
    expect([step.compiled, all.sum('x')]).toEqual([false, 50]);
    expect(step.reason).toMatch(/"outside" is a variable/);
    expect(() => all.compileLoop((p) => (p.x = outside), { otherwise: 'hope' as never })).toThrow(
      code('INVALID_ARGUMENT'),
    );
  });

  it('counts accesses in recording types', () => {
    const Recorded = struct('R', { x: f64, y: f64 }).recording();
    const all = Recorded.array(10);
    const step = all.compileLoop((p) => (p.x += 1));
    step();
    expect(step.compiled).toBe(false);
    expect(Recorded.accesses()).toMatchObject({ x: { reads: 10, writes: 10 }, y: { reads: 0 } });
  });

  it('refuses what is no function, other initial values, and use after close', () => {
    const all = rows('aos');
    expect(() => all.compileLoop(5 as never)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => all.compileReduce((v: number, p) => v + p.x, [] as never)).toThrow(code('INVALID_ARGUMENT'));
    const step = all.compileLoop((p, c: StructArray<any>) => {
      p.x = 1;
      c.close();
    });
    step(all);
    expect(() => step(all)).toThrow(code('CLOSED'));
    expect(() => step.range(0, 1, all)).toThrow(code('CLOSED'));
    expect(() => all.compileLoop((p) => (p.x = 1))).toThrow(code('CLOSED'));
  });

  it('works under --disallow-code-generation-from-strings, with the same refusals', () => {
    const module = new URL('../../../dist/memory/struct/', import.meta.url).href;
    const program = `
      const { struct } = await import('${module}struct-type.js');
      const { f64, u8, array } = await import('${module}field-types.js');
      const Leg = struct('Leg', { n: u8 });
      const all = struct('T', { x: f64, legs: array(Leg, 2) }).array(40, { order: 'aosoa' });
      const step = all.compileLoop((p, { by }, i) => { p.x += by * i; p.legs.at(0).n = p.legs.at(1).n + 300; });
      step({ by: 2 });
      step.at(Uint32Array.of(3), { by: 1 });
      const sum = all.compileReduce((v, p) => v + p.x + p.legs.at(0).n, 0);
      let refused; try { all.compileLoop((p) => { p.x = sum; }); } catch (error) { refused = error.code; }
      console.log(step.compiled, sum(), all.get(3).legs, refused);`;
    const out = execFileSync(
      process.execPath,
      ['--disallow-code-generation-from-strings', '--input-type=module', '-e', program],
      { encoding: 'utf8' },
    );
    expect(out.trim()).toBe(`false ${2 * 780 + 3 + 40 * 44} [ { n: 44 }, { n: 0 } ] LOOP_NOT_COMPILABLE`);
  });
});

describe('a loop without its context', () => {
  const Point = struct('PointOfLoop', { x: f64, y: u32 });
  const points = () => Point.fromObjects([{ x: 1 }, { x: 2 }]);
  const missing = expect.objectContaining({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining("the loop's context is undefined"),
    cause: expect.any(TypeError),
  });
  const run = (loop: unknown, ...given: unknown[]) => (loop as (...all: unknown[]) => unknown)(...given);

  it('says so where the function takes it apart or reads of it', () => {
    const all = points();
    const apart = all.compileLoop((p, { dt }: { dt: number }) => {
      p.x += dt;
    });
    const named = all.compileReduce((sum, p, c: { scale: number }) => sum + p.x * c.scale, 0);
    const interpreted = all.compileLoop(
      (p, { dt }: { dt: number }) => {
        p.x += [dt].map((one) => one)[0]!;
      },
      { otherwise: 'cursor' },
    );
    for (const loop of [apart, named, interpreted] as any[]) {
      expect(() => run(loop)).toThrow(missing);
      expect(() => loop.range(0, 1)).toThrow(missing);
      expect(() => loop.at(Uint32Array.of(1))).toThrow(missing);
      expect(() => run(loop, null)).toThrow("the loop's context is null");
    }
    expect(all.toObjects().map(({ x }) => x)).toEqual([1, 2]);
  });

  it('runs where the function does without, and leaves its own errors alone', () => {
    const all = points();
    const optional = all.compileLoop((p, c: { dt: number } | undefined) => {
      p.x += c === undefined ? 10 : c.dt;
    });
    optional();
    optional({ dt: 1 });
    expect(all.toObjects().map(({ x }) => x)).toEqual([12, 13]);
    const throwing = all.compileLoop((p, c: undefined) => {
      if (c === undefined && p.x > 0) throw new TypeError('not of this kind');
    });
    expect(() => throwing()).toThrow(new TypeError('not of this kind'));
  });
});
