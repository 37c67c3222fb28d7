import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateCursorClass } from '../../../dist/memory/struct/accessor-codegen.js';
import { interpretCursorClass } from '../../../dist/memory/struct/accessor-interpreter.js';
import { planAccess } from '../../../dist/memory/struct/access-plan.js';
import { StructArray } from '../../../dist/memory/struct/struct-array.js';
import {
  array,
  bool,
  enumOf,
  f32,
  f64,
  i16,
  i32,
  i64,
  handle32,
  i8,
  pointer,
  u16,
  u32,
  u64,
  u8,
  utf8,
} from '../../../dist/memory/struct/field-types.js';
import {
  arrayFromDescriptor,
  struct,
  structFromDescriptor,
} from '../../../dist/memory/struct/struct-type.js';
import { flagsOf } from '../../../dist/memory/struct/flags.js';
import { Region } from '../../../dist/memory/regions.js';
import { loadNative } from '../../../dist/native/load.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });
const ORDERS = ['aos', 'soa', 'aosoa'] as const;

const Point = struct('Point', { x: f32, y: f32 });
const Everything = struct('Everything', {
  a: u8,
  b: i16,
  big: u64,
  c: i8,
  d: u16,
  negative: i64,
  on: bool,
  e: i32,
  f: u32,
  ratio: f32,
  price: f64,
  side: enumOf('buy', 'sell'),
  state: enumOf({ open: 5, closed: 300 }),
  symbol: utf8(9),
  at: Point,
  history: array(u16, 3),
  legs: array(Point, 2),
  grid: array(array(u8, 2), 3),
  tags: array(utf8(4), 2),
  sides: array(enumOf('x', 'y'), 2),
  flags: array(bool, 3),
  rights: flagsOf('read', 'write', 'admin'),
  marks: flagsOf({ low: 0x1, high: 0x8000_0000 }),
  lamps: array(flagsOf({ red: 0x100, green: 0x2 }), 2),
  address: pointer,
  slot: handle32,
});

function sample(k: number) {
  return {
    a: k & 255,
    b: -k - 1,
    big: 2n ** 63n + BigInt(k),
    c: -1,
    d: 65_535 - k,
    negative: -(2n ** 62n) - BigInt(k),
    on: k % 2 === 0,
    e: -2_000_000_000 + k,
    f: 4_000_000_000 + k,
    ratio: k + 0.5,
    price: k / 3,
    side: k % 2 === 0 ? ('buy' as const) : ('sell' as const),
    state: k % 3 === 0 ? ('open' as const) : ('closed' as const),
    symbol: `é${k}`,
    at: { x: k, y: -k - 1 },
    history: [k, 2 * k, 3],
    legs: [
      { x: k, y: 1 },
      { x: 2, y: k },
    ],
    grid: [
      [1, k & 255],
      [3, 4],
      [k & 255, 6],
    ],
    tags: [`t${k % 10}`, ''],
    sides: ['y' as const, k % 2 === 0 ? ('x' as const) : ('y' as const)],
    flags: [true, false, k % 2 === 0],
    rights: { read: true, write: k % 2 === 0, admin: k % 3 === 0 },
    marks: { low: k % 2 === 1, high: k % 5 === 0 },
    lamps: [
      { red: k % 2 === 0, green: true },
      { red: true, green: k % 7 === 0 },
    ],
    address: 0xffff_8000_0000_0000n + BigInt(k),
    slot: 0x7fff_ffff - k,
  };
}

describe.each(['generated', 'interpreted'] as const)('%s accessors', (mode) => {
  const make = mode === 'generated' ? generateCursorClass : interpretCursorClass;
  const arrayOf = (order: (typeof ORDERS)[number], length: number) => {
    const plan = planAccess(Everything.node, order, 64);
    return new (StructArray as any)(
      {
        name: 'Everything',
        layout: Everything.layout,
        schema: 'Everything',
        plan,
        cursorClass: make(plan),
        descriptor: Everything.descriptor,
      },
      length,
      {},
    );
  };

  it.each(ORDERS)('read back what was written to every record, order %s', (order) => {
    const records = Array.from({ length: 50 }, (_, k) => sample(k));
    const all = arrayOf(order, 50).fromObjects(records);
    expect(all.toObjects()).toEqual(records);
    // Written again in another sequence, nothing reaches into another record.
    for (let k = 49; k >= 0; k -= 1) all.set(k, records[49 - k]!);
    expect(all.toObjects()).toEqual(records.toReversed());
  });

  it.each(ORDERS)('give flags by name and as raw bits of one integer, order %s', (order) => {
    const all = arrayOf(order, 40);
    const cursor = all.cursor(17);
    cursor.rights.admin = true;
    cursor.rights.read = true;
    expect(cursor.rights.bits).toBe(0b101);
    cursor.rights.admin = false;
    expect(cursor.rights.bits).toBe(0b001);
    cursor.marks.high = true;
    expect(cursor.marks.bits).toBe(0x8000_0000);
    cursor.marks.bits = 0x8000_0006;
    cursor.marks = { low: true };
    expect(cursor.marks.bits).toBe(0x8000_0007);
    cursor.marks.high = false;
    expect(cursor.marks.bits).toBe(7);
    expect(cursor.marks.toObject()).toEqual({ low: true, high: false });
    cursor.lamps.at(1).red = true;
    expect(cursor.lamps.at(1).bits).toBe(0x100);
    cursor.assign({ rights: { write: true, bits: 4 } });
    expect(cursor.rights.toObject()).toEqual({ read: false, write: true, admin: true });
    expect(() => cursor.assign({ rights: { wirte: true } })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => (cursor.rights = 3)).toThrow(code('INVALID_ARGUMENT'));
    expect(cursor.rights.bits).toBe(6);
    for (const other of [16, 18]) {
      cursor.index = other;
      expect([cursor.rights.bits, cursor.marks.bits, cursor.lamps.at(1).bits]).toEqual([0, 0, 0]);
    }
  });

  it.each(ORDERS)('move, assign in part and reach into fields, order %s', (order) => {
    const cursor = arrayOf(order, 20).cursor(7);
    cursor.assign({ price: 2.5, at: { x: 1 }, state: 'open' });
    cursor.price += 1;
    cursor.at.y = 4;
    cursor.history.set(2, 99);
    cursor.legs.at(1).x = 8;
    cursor.grid.at(2).set(1, 5);
    cursor.tags = ['ab'];
    expect(cursor.index).toBe(7);
    expect(cursor.toObject()).toMatchObject({
      price: 3.5,
      at: { x: 1, y: 4 },
      history: [0, 0, 99],
      legs: [{ x: 0 }, { x: 8 }],
      grid: [
        [0, 0],
        [0, 0],
        [0, 5],
      ],
      tags: ['ab', ''],
      side: 'buy',
      on: false,
    });
    expect([...cursor.history]).toEqual([0, 0, 99]);
    expect([cursor.history.length, cursor.legs.length]).toEqual([3, 2]);
    cursor.index = 6;
    expect(cursor.price).toBe(0);
    expect(cursor.state).toBeUndefined(); // zero is no number of that enum: not set yet
    expect(cursor.toObject()).toMatchObject({ price: 0, state: undefined });
  });

  it('wraps and rounds numbers as typed arrays do', () => {
    const cursor = arrayOf('aos', 1).cursor();
    cursor.a = 257;
    cursor.b = 40_000;
    cursor.ratio = 0.1;
    cursor.big = -1n;
    cursor.e = NaN;
    expect([cursor.a, cursor.b, cursor.ratio, cursor.big, cursor.e]).toEqual([
      1,
      40_000 - 65_536,
      Math.fround(0.1),
      2n ** 64n - 1n,
      0,
    ]);
    expect(() => (cursor.big = 1)).toThrow(TypeError);
  });

  it.each([
    ['an unknown name of an enum', (c: any) => (c.side = 'hold')],
    ['a name that objects inherit', (c: any) => (c.side = 'constructor')],
    ['text that is too long', (c: any) => (c.symbol = '0123456789')],
    ['text that is too long in UTF-8 only', (c: any) => (c.symbol = 'ééééé')],
    ['text with NUL', (c: any) => (c.symbol = 'a\0b')],
    ['text that is none', (c: any) => (c.symbol = 5)],
    ['too many values', (c: any) => (c.history = [1, 2, 3, 4])],
    ['values that are no array', (c: any) => (c.history = 'abc')],
    ['a record that is none', (c: any) => (c.at = 5)],
    ['an element beyond the array', (c: any) => c.history.get(3)],
    ['a negative element', (c: any) => c.legs.at(-1)],
    ['an element of NaN', (c: any) => c.history.set(NaN, 1)],
    ['an index beyond the array', (c: any) => (c.index = 2)],
    ['a negative index', (c: any) => (c.index = -1)],
    ['a fractional index', (c: any) => (c.index = 0.5)],
    ['an index of NaN', (c: any) => (c.index = NaN)],
    ['an index of 2^53', (c: any) => (c.index = 2 ** 53)],
    ['an index in a string', (c: any) => (c.index = '1')],
  ])('refuse %s and leave the record as it was', (_, misuse) => {
    const all = arrayOf('aos', 2).fromObjects([sample(1), sample(2)]);
    const cursor = all.cursor(1);
    expect(() => misuse(cursor)).toThrow(code('INVALID_ARGUMENT'));
    expect(cursor.toObject()).toEqual(sample(2));
  });

  it('refuse a number that no name of the enum has', () => {
    const all = arrayOf('soa', 1);
    all.columns.side[0] = 7;
    expect(() => all.cursor().side).toThrow(code('INVALID_ARGUMENT'));
  });

  it('throw CLOSED when moved after close', () => {
    const all = arrayOf('aos', 3);
    const cursor = all.cursor();
    all.close();
    expect(() => (cursor.index = 1)).toThrow(code('CLOSED'));
    expect(() => all.get(0)).toThrow(code('CLOSED'));
    expect(() => all.columns).toThrow(code('CLOSED'));
    expect(() => all.cursor()).toThrow(code('CLOSED'));
  });
});

describe('struct without code generation', () => {
  it('works under --disallow-code-generation-from-strings', () => {
    const module = new URL('../../../dist/memory/struct/', import.meta.url).href;
    const program = `
      const { struct } = await import('${module}struct-type.js');
      const { f64, utf8 } = await import('${module}field-types.js');
      const all = struct('T', { x: f64, name: utf8(4) }).array(3);
      const c = all.cursor(2); c.x = 1.5; c.name = 'abc';
      try { new Function('') } catch (error) { console.log(error.name, JSON.stringify(all.toObjects())); }`;
    const out = execFileSync(
      process.execPath,
      ['--disallow-code-generation-from-strings', '--input-type=module', '-e', program],
      { encoding: 'utf8' },
    );
    expect(out.trim()).toBe('EvalError [{"x":0,"name":""},{"x":0,"name":""},{"x":1.5,"name":"abc"}]');
  });
});

describe('struct types', () => {
  it('take the smallest size by default and the offsets of C where asked', () => {
    const fields = { flag: u8, price: f64, side: u8 };
    expect(struct('A', fields).layout).toMatchObject({
      sizeBytes: 16,
      strideBytes: 16,
      alignBytes: 8,
      paddingBytes: 6,
    });
    const declared = struct('B', fields, { packing: 'declared' }).layout;
    expect(declared.fields.map((field) => [field.name, field.offsetBytes])).toEqual([
      ['flag', 0],
      ['price', 8],
      ['side', 16],
    ]);
    expect(struct('C', fields, { packing: 'cache_line', cacheLineBytes: 128 }).layout.strideBytes).toBe(128);
  });

  it.each(ORDERS)('start arrays on a cache line, order %s', (order) => {
    for (const shared of [false, true]) {
      const all = Point.array(100, { order, shared });
      const view = new Uint8Array(all.buffer as ArrayBuffer, all.offsetBytes);
      expect(loadNative().addressOf(view) % 64n).toBe(0n);
      expect(all.shared).toBe(shared);
    }
  });

  it('give columns as plain typed arrays for soa, and say what to do for other orders', () => {
    const all = Everything.array(10, { order: 'soa' });
    all.set(4, sample(4));
    expect(all.columns.price).toBeInstanceOf(Float64Array);
    expect(all.columns.price.length).toBe(10);
    expect(all.columns.price[4]).toBe(4 / 3);
    expect([...all.columns.history.subarray(12, 15)]).toEqual([4, 8, 3]);
    expect(all.columns.at.y[4]).toBe(-5);
    expect(() => Everything.array(10, { order: 'aos' }).columns).toThrow(/order: 'soa'/);
  });

  it('apply a choice to arrays made afterwards; existing ones keep theirs', () => {
    const T = struct('T', { flag: u8, price: f64, side: u8 }, { packing: 'declared' });
    expect(T.choice).toMatchObject({ packing: 'declared', order: 'aos', source: 'declared' });
    const before = T.fromObjects([{ flag: 1, price: 2, side: 3 }]);
    const cursor = before.cursor();
    T.applyChoice(
      { kind: 'memory', packing: 'minimal_padding', cacheLineBytes: 64, order: 'soa', hot: ['side'] },
      'measured',
    );
    expect(T.choice).toMatchObject({ packing: 'minimal_padding', order: 'soa', source: 'measured' });
    expect(T.layout.sizeBytes).toBe(16);
    expect([before.order, before.layout.sizeBytes]).toEqual(['aos', 24]);
    expect(cursor.toObject()).toEqual({ flag: 1, price: 2, side: 3 });
    expect(T.array(2).order).toBe('soa');
    expect(T.array(2, { order: 'aos' }).order).toBe('aos');
  });

  it('refuse choices that cannot be theirs and stay as they were', () => {
    const T = struct('T', { a: u8 });
    const choice = { kind: 'memory', packing: 'declared', cacheLineBytes: 64, order: 'aos' } as const;
    expect(() => T.applyChoice({ ...choice, hot: ['gone'] })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => T.applyChoice({ ...choice, order: 'rows' as never })).toThrow(code('INVALID_ARGUMENT'));
    expect(() =>
      T.applyChoice({ kind: 'thread', threads: 1, schedule: 'auto', grain: null, affinity: 'none' }),
    ).toThrow(code('INVALID_ARGUMENT'));
    expect(T.choice).toMatchObject({ packing: 'minimal_padding', source: 'declared' });
  });

  it('lie in a region where one is given, at any multiple of 128', () => {
    using region = new Region({ sizeBytes: 4096 });
    const first = Point.array(10, { region });
    const second = Point.array(10, { region, offsetBytes: 1024 });
    first.set(9, { x: 1, y: 2 });
    second.set(0, { x: 3, y: 4 });
    expect(first.get(9)).toEqual({ x: 1, y: 2 });
    expect(second.offsetBytes).toBe(region.offsetBytes + 1024);
    expect(() => Point.array(1000, { region })).toThrow(code('OUT_OF_SPACE'));
    expect(() => Point.array(1, { region, offsetBytes: 100 })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => Point.array(1, { region, shared: true })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => Point.array(1, { offsetBytes: 128 })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => Point.array(1, { shared: 'no' as never })).toThrow(code('INVALID_ARGUMENT'));
    const cursor = first.cursor();
    region.close();
    expect(cursor.x).toBeUndefined(); // detached, not freed under our feet
    cursor.x = 5;
  });

  it.each(ORDERS)('say of order %s that their region was closed, whatever is asked of them', (order) => {
    for (const length of [4, 1000]) {
      const region = new Region({ sizeBytes: 65_536 });
      const points = Point.array(length, { order, region });
      const others = Point.array(length);
      const cursor = points.cursor();
      const loop = points.compileLoop((point) => void (point.x += 1));
      const total = points.compileReduce((sum, point) => sum + point.x, 0);
      region.close();
      const uses = {
        sum: () => points.sum('x'),
        min: () => points.min('x'),
        dot: () => points.dot('x', 'y'),
        filter: () => points.filterIndex('x', '<', 1, new Uint32Array(length)),
        gather: () => points.gather('x', [0]),
        fill: () => points.fill({ x: 1 }),
        get: () => points.get(1),
        set: () => points.set(1, { x: 1 }),
        index: () => (cursor.index = 1),
        cursor: () => points.cursor(),
        objects: () => points.toObjects(),
        iterate: () => [...points],
        buffer: () => points.buffer,
        from: () => points.transposeTo(others),
        to: () => others.transposeTo(points),
        loop: () => loop(),
        at: () => loop.at(Uint32Array.of(1)),
        reduce: () => total(),
      };
      for (const [name, use] of Object.entries(uses))
        expect(use, `${name} of ${length}`).toThrow(code('CLOSED'));
    }
  });

  it('refuse a choice that is none', () => {
    expect(() => Point.applyChoice(null as never)).toThrow(code('INVALID_ARGUMENT'));
  });

  it.each([-1, NaN, 0.5, 2 ** 31, 2 ** 53, '5'])('refuse an array of %s records', (length) => {
    expect(() => Point.array(length as never)).toThrow(code('INVALID_ARGUMENT'));
  });

  it('allow an empty array', () => {
    const none = Point.array(0);
    expect(none.toObjects()).toEqual([]);
    expect(() => none.get(0)).toThrow(code('INVALID_ARGUMENT'));
  });

  it.each([
    ['no fields', {}],
    ['a field without a type', { a: 5 }],
    ['a name that is no identifier', { 'a-b': u8 }],
    ['a name with code in it', { 'x(){}; process.exit(); get y': u8 }],
    ['a name that cursors use', { index: u8 }],
    ['a name that objects use', { constructor: u8 }],
  ])('refuse %s', (_, fields) => {
    expect(() => struct('Bad', fields as never)).toThrow(code('INVALID_SCHEMA'));
  });

  it.each([
    () => array(u8, 0),
    () => array(5 as never, 1),
    () => utf8(-1),
    () => utf8(NaN),
    () => enumOf(),
    () => enumOf('a', 'a'),
    () => enumOf({ a: 1, b: 1 }),
    () => enumOf({ a: -1 }),
    () => struct('', { a: u8 }),
    () => struct('A', { a: u8 }, { packing: 'tight' as never }),
    () => struct('A', { a: u8 }, { hot: ['b'] }),
  ])('refuse wrong types and options: %s', (make) => {
    expect(make).toThrow(code('INVALID_ARGUMENT'));
  });
});

describe('descriptors', () => {
  it('rebuild a type with the same offsets, through JSON', () => {
    const T = struct('T', { a: u8, p: Point, b: f64 }, { hot: ['b'], packing: 'cache_line', order: 'soa' });
    const again = structFromDescriptor(JSON.parse(JSON.stringify(T.descriptor)));
    expect(again.layout.fields).toEqual(T.layout.fields);
    expect(again.node).toEqual(T.node);
    expect(again.choice).toEqual(T.choice);
  });

  it.each(ORDERS)('attach to the same shared memory, order %s', (order) => {
    const all = Everything.array(20, { shared: true, order });
    all.set(13, sample(13));
    const seen = arrayFromDescriptor(structuredClone(all.descriptor));
    expect(seen.get(13)).toEqual(sample(13));
    seen.set(2, sample(2));
    expect(all.get(2)).toEqual(sample(2));
    expect(() => Everything.array(1).descriptor).toThrow(/shared: true/);
  });

  it.each([
    null,
    5,
    {},
    { version: 2 },
    { ...Point.descriptor, node: { ...Point.node, sizeBytes: 4 } },
    { ...Point.descriptor, node: { ...Point.node, fields: [] } },
    { ...Point.descriptor, node: { ...Point.node, alignBytes: '4' } },
    { ...Point.descriptor, node: { ...Point.node, alignBytes: Symbol('4') } },
    { ...Point.descriptor, node: { ...Point.node, name: 5 } },
    { ...Point.descriptor, node: { ...Point.node, fields: [{ name: 'x}', offsetBytes: 0, node: u8.node }] } },
    {
      ...Point.descriptor,
      node: {
        ...Point.node,
        fields: [
          { name: 'x', offsetBytes: 0, node: f32.node },
          { name: 'y', offsetBytes: 0, node: f32.node },
        ],
      },
    },
    { ...Point.descriptor, node: { ...Point.node, fields: [{ name: 'x', offsetBytes: 2, node: f32.node }] } },
  ])('from outside are checked: %o', (descriptor) => {
    expect(() => structFromDescriptor(descriptor as never)).toThrow(code('INVALID_SCHEMA'));
  });

  it('of recording types must come with memory that holds their counts, and no other', () => {
    const good = Point.recording().descriptor;
    const { byteLength } = good.recording!;
    const tampered: unknown[] = [
      null,
      5,
      {},
      { byteLength },
      new ArrayBuffer(byteLength),
      new Uint8Array(byteLength),
      new SharedArrayBuffer(byteLength - 8),
      new SharedArrayBuffer(byteLength + 8),
      new SharedArrayBuffer(0),
    ];
    for (const recording of tampered) {
      expect(() => structFromDescriptor({ ...good, recording } as never)).toThrow(code('INVALID_SCHEMA'));
    }
    expect(() => structFromDescriptor(good)).not.toThrow();
  });

  it('of recording types survive garbage in the memory of their counts', () => {
    for (const garbage of [0xff, 0x7f, 0x80]) {
      const good = Point.recording().descriptor;
      new Uint8Array(good.recording!).fill(garbage);
      const again = structFromDescriptor(good) as unknown as typeof Point;
      const cursor = again.array(4).cursor();
      for (let k = 0; k < 200; k += 1) {
        cursor.index = k & 3;
        cursor.x = k;
        expect(cursor.x).toBe(k);
      }
      expect(Object.keys(again.accesses()!)).toEqual(Point.layout.fields.map(({ name }) => name));
    }
  });

  it('of arrays must fit their buffer', () => {
    const good = Point.array(4, { shared: true }).descriptor;
    expect(() => arrayFromDescriptor({ ...good, length: 1_000_000 })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => arrayFromDescriptor({ ...good, buffer: new ArrayBuffer(64) as never })).toThrow(
      code('INVALID_ARGUMENT'),
    );
    expect(() => arrayFromDescriptor(undefined as never)).toThrow(code('INVALID_ARGUMENT'));
  });
});

describe('toCHeader', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'struct-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  // The header asserts every offset and size, so compiling it is the comparison with the compiler.
  it.each([
    ['C', 'gcc', ['-std=c11', '-xc']],
    ['C++', 'g++', ['-std=c++17', '-xc++']],
  ])('agrees with a %s compiler on every offset', (_, compiler, flags) => {
    const types = [
      Everything,
      struct('Declared', { a: u8, p: array(Point, 3), b: f64 }, { packing: 'declared' }),
      struct('Lines', { a: u8, b: f64, c: utf8(60) }, { packing: 'cache_line', cacheLineBytes: 128 }),
      struct('Queue', { head: u32, tail: u32, size: u32 }, { writers: { in: ['tail'], out: ['head'] } }),
      // Words that C or C++ keeps for itself, and names that differ in characters only that C does not know.
      struct('class', { int: u8, template: f64, state: enumOf('foo-bar', 'foo_bar', 'ä', 'ö') }),
    ];
    types.forEach((type, k) => {
      const file = join(directory, `header-${k}.h`);
      writeFileSync(file, type.toCHeader());
      execFileSync(compiler, [
        ...flags,
        '-fsyntax-only',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-Wno-pragma-once-outside-header',
        file,
      ]);
    });
    const wrong = Everything.toCHeader().replace(/(price\) == )\d+/, '$13');
    writeFileSync(join(directory, 'wrong.h'), wrong);
    expect(() =>
      execFileSync(compiler, [...flags, '-fsyntax-only', join(directory, 'wrong.h')], { stdio: 'pipe' }),
    ).toThrow(/static assertion/);
  });
});

describe('options', () => {
  it('that are mistyped are refused, with those there are', () => {
    expect(() => struct('P', { x: f64 }, { paking: 'declared' } as never)).toThrow(/"paking".*packing/s);
    expect(() => Point.array(4, { ordr: 'soa' } as never)).toThrow(/"ordr".*order/s);
  });
});

describe('flags and pointers', () => {
  const State = struct('State', { id: u32, is: flagsOf('paid', 'sent'), at: pointer });

  it('take the smallest integer that holds their bits, or the one that is asked for', () => {
    expect(flagsOf('a').sizeBytes).toBe(1);
    expect(flagsOf({ a: 0x80 }).sizeBytes).toBe(1);
    expect(flagsOf({ a: 0x100 }).sizeBytes).toBe(2);
    expect(flagsOf({ a: 0x1_0000 }).sizeBytes).toBe(4);
    expect(flagsOf({ a: 1 }, 'u32').sizeBytes).toBe(4);
    expect(flagsOf(...Array.from({ length: 32 }, (_, k) => `f${k}`)).sizeBytes).toBe(4);
  });

  it.each([
    ['no flag', () => flagsOf()],
    ['no mask', () => flagsOf({})],
    ['equal names', () => flagsOf('a', 'a')],
    ['equal masks', () => flagsOf({ a: 1, b: 1 })],
    ['two bits', () => flagsOf({ a: 3 })],
    ['no bit', () => flagsOf({ a: 0 })],
    ['a fraction', () => flagsOf({ a: 0.5 })],
    ['a negative bit', () => flagsOf({ a: -1 })],
    ['a bit beyond the storage', () => flagsOf({ a: 0x100 }, 'u8')],
    ['a bit beyond all', () => flagsOf({ a: 2 ** 32 })],
    ['an unknown storage', () => flagsOf({ a: 1 }, 'u64' as any)],
    ['33 flags', () => flagsOf(...Array.from({ length: 33 }, (_, k) => `f${k}`))],
  ])('refuse %s', (_, make) => expect(make).toThrow(code('INVALID_ARGUMENT')));

  it.each(['bits', 'toObject', '__proto__', 'a-b', '', 'a; process.exit()'])(
    'refuse "%s" for a flag, also in descriptors',
    (name) => {
      expect(() => flagsOf(name)).toThrow(code('INVALID_SCHEMA'));
      const descriptor = JSON.parse(JSON.stringify(State.descriptor));
      descriptor.node.fields[1].node.bits = Object.fromEntries([[name, 1]]);
      expect(() => structFromDescriptor(descriptor)).toThrow(code('INVALID_SCHEMA'));
    },
  );

  it('refuse descriptors whose flags are no bits, and pointers of another type', () => {
    const change = (edit: (fields: any) => void) => {
      const descriptor = JSON.parse(JSON.stringify(State.descriptor));
      edit(descriptor.node.fields);
      return () => structFromDescriptor(descriptor);
    };
    const refused = code('INVALID_SCHEMA');
    expect(change((fields) => (fields[1].node.bits = { a: '1+1' }))).toThrow(refused);
    expect(change((fields) => (fields[1].node.bits = { a: 256 }))).toThrow(refused);
    expect(change((fields) => (fields[1].node.bits = null))).toThrow(refused);
    expect(change((fields) => (fields[1].node.scalar = 'f32'))).toThrow(refused);
    expect(change((fields) => (fields[2].node.scalar = 'f64'))).toThrow(refused);
    expect(change(() => undefined)).not.toThrow();
  });

  it('go through a descriptor in JSON', () => {
    const again = structFromDescriptor(JSON.parse(JSON.stringify(State.descriptor)));
    expect(again.node).toEqual(State.node);
    const record = { id: 1, is: { paid: false, sent: true }, at: 7n };
    expect(again.fromObjects([record]).toObjects()).toEqual([record]);
  });

  it('are constants and `void *` in C', () => {
    const header = State.toCHeader();
    expect(header).toContain('void *at;');
    expect(header).toContain('uint8_t is;');
    expect(header).toMatch(/enum State_is \{\s+STATE_IS_PAID = 1u,\s+STATE_IS_SENT = 2u\s+\};/);
  });

  it.each(ORDERS)('are columns, filters and moves between orders, order %s', (order) => {
    const all = State.array(700, { order });
    for (let k = 0; k < 700; k += 1) all.set(k, { id: k, is: { paid: k % 3 === 0, sent: k % 2 === 0 } });
    const out = new Uint32Array(700);
    expect(all.filterIndex('is.paid', '==', true, out)).toBe(234);
    expect([...out.subarray(0, 3)]).toEqual([0, 3, 6]);
    expect(all.filterIndex('is.paid', '!=', true, out)).toBe(466);
    expect(all.filterIndex('is.bits', '==', 3, out)).toBe(117);
    expect(all.sum('is.bits')).toBe(234 + 2 * 350);
    expect(() => all.sum('is.paid')).toThrow(code('INVALID_ARGUMENT'));
    expect(() => all.filterIndex('is.paid', '<', true, out)).toThrow(code('INVALID_ARGUMENT'));
    for (const other of ORDERS) {
      const moved = all.transposeTo(State.array(700, { order: other }));
      expect(moved.toObjects()).toEqual(all.toObjects());
    }
    if (order === 'soa') expect(all.columns.is.bits[6]).toBe(3);
  });
});

describe('the first long loop over a cursor', () => {
  it.each(ORDERS)('keeps its sum out of the heap, order %s', (order) => {
    const program = `
      import { struct } from ${JSON.stringify(new URL('../../../dist/memory/struct/struct-type.js', import.meta.url).href)};
      import { f64 } from ${JSON.stringify(new URL('../../../dist/memory/struct/field-types.js', import.meta.url).href)};
      const records = struct('Point', { x: f64, y: f64 }).array(400_000, { order: '${order}' });
      const p = records.cursor();
      for (let k = 0; k < 400_000; k += 1) { p.index = k; p.x = k / 8; }
      globalThis.gc();
      // Locals, not variables of the module: V8 checks those for their initialisation in every turn.
      const total = (records, p) => {
        let sum = 0;
        for (let k = 0; k < records.length; k += 1) { p.index = k; sum += p.x; }
        return sum;
      };
      const before = process.memoryUsage().heapUsed;
      total(records, p);
      console.log((process.memoryUsage().heapUsed - before) / records.length);`;
    const flags = ['--expose-gc', '--no-concurrent-recompilation', '--no-concurrent-osr'];
    const room = ['--min-semi-space-size=64', '--max-semi-space-size=64'];
    const bytes = execFileSync(process.execPath, [...flags, ...room, '--input-type=module', '-e', program]);
    // 16 where the sum is an object.
    expect(Number(bytes)).toBeLessThan(4);
  });

  it.each(['generated', 'interpreted'] as const)('is refused what is no index, %s', (mode) => {
    const plan = planAccess(Point.node, 'aos', 64);
    const cursorClass = (mode === 'generated' ? generateCursorClass : interpretCursorClass)(plan);
    const points = Point.array(3);
    const cursor = new cursorClass(points) as any;
    for (const wrong of [
      -1,
      3,
      0.5,
      NaN,
      Infinity,
      2 ** 32,
      null,
      undefined,
      true,
      [],
      1n,
      '',
      '1',
      'length',
      'fill',
      'at',
      '__proto__',
    ]) {
      expect(() => (cursor.index = wrong), String(wrong)).toThrow(code('INVALID_ARGUMENT'));
    }
    cursor.index = -0;
    expect(Object.is(cursor.index, 0)).toBe(true);
    points.close();
    expect(() => (cursor.index = 0)).toThrow(code('CLOSED'));
  });
});

describe('iteration', () => {
  it('gives one cursor and one step for all records, each in turn', () => {
    const points = Point.fromObjects([0, 1, 2].map((x) => ({ x, y: -x })));
    const seen: number[] = [];
    const cursors = new Set<unknown>();
    for (const point of points) {
      seen.push(point.x);
      cursors.add(point);
    }
    expect(seen).toEqual([0, 1, 2]);
    expect(cursors.size).toBe(1);
    const steps = points[Symbol.iterator]();
    expect(steps.next()).toBe(steps.next());
    expect([...steps].length).toBe(1);
    expect(steps.next()).toEqual({ done: true, value: undefined });
    expect([...Point.array(0)]).toEqual([]);
  });

  it('ends where the array is closed within', () => {
    const points = Point.array(5);
    let count = 0;
    for (const point of points) {
      count += 1;
      if (point.index === 1) points.close();
    }
    expect(count).toBe(2);
    expect(() => [...points]).toThrow(code('CLOSED'));
  });
});
