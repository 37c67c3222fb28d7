import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { col, literal, param, rowIndex, type Num } from '../../../dist/computation/expression.js';
import { compileLoop } from '../../../dist/computation/fusion-codegen.js';
import { interpretLoop } from '../../../dist/computation/fusion-interpreter.js';
import { fuse } from '../../../dist/computation/fusion.js';
import { count, fold, greatest, least, mean, sum } from '../../../dist/computation/reductions.js';
import { seededRandom } from '../../../dist/computation/random.js';
import { f64, u32 } from '../../../dist/memory/struct/field-types.js';
import { struct } from '../../../dist/memory/struct/struct-type.js';

const SPECIAL = [0, -0, NaN, Infinity, -Infinity, 1, -1, 0.1, 2 ** 53, 5e-324];

/** A random expression, and the function of a row that does the same in plain JavaScript. */
type Row = { x: number; y: number; k: number; i: number; p: number };
type Both = { of: Num; plain: (row: Row) => number };
function randomExpression(random: () => number, depth: number, shared: Both[]): Both {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const inner = () => randomExpression(random, depth - 1, shared);
  const value = pick(SPECIAL);
  const leaves: Both[] = [
    { of: col('x'), plain: ({ x }) => x },
    { of: col('y'), plain: ({ y }) => y },
    { of: col('k'), plain: ({ k }) => k },
    { of: rowIndex(), plain: ({ i }) => i },
    { of: param('p'), plain: ({ p }) => p },
    { of: literal(value), plain: () => value },
    ...shared,
  ];
  if (depth === 0) return pick(leaves);
  const [a, b] = [inner(), inner()];
  const made = pick<() => Both>([
    () => ({ of: a.of.add(b.of), plain: (row) => a.plain(row) + b.plain(row) }),
    () => ({ of: a.of.sub(b.of), plain: (row) => a.plain(row) - b.plain(row) }),
    () => ({ of: a.of.mul(b.of), plain: (row) => a.plain(row) * b.plain(row) }),
    () => ({ of: a.of.div(b.of), plain: (row) => a.plain(row) / b.plain(row) }),
    () => ({ of: a.of.mod(b.of), plain: (row) => a.plain(row) % b.plain(row) }),
    () => ({ of: a.of.min(b.of), plain: (row) => Math.min(a.plain(row), b.plain(row)) }),
    () => ({ of: a.of.max(b.of), plain: (row) => Math.max(a.plain(row), b.plain(row)) }),
    () => ({ of: a.of.neg(), plain: (row) => -a.plain(row) }),
    () => ({ of: a.of.abs().sqrt(), plain: (row) => Math.sqrt(Math.abs(a.plain(row))) }),
    () => ({
      of: a.of.floor().add(b.of.ceil()),
      plain: (row) => Math.floor(a.plain(row)) + Math.ceil(b.plain(row)),
    }),
    () => ({ of: a.of.round(), plain: (row) => Math.round(a.plain(row)) }),
    () => ({ of: a.of.exp().log(), plain: (row) => Math.log(Math.exp(a.plain(row))) }),
    () => ({
      of: a.of.lt(b.of).and(a.of.ne(0)).or(b.of.ge(1).not()).choose(a.of, b.of),
      plain: (row) => {
        const [left, right] = [a.plain(row), b.plain(row)];
        return (left < right && left !== 0) || !(right >= 1) ? left : right;
      },
    }),
    () => ({
      of: a.of
        .eq(b.of)
        .or(a.of.le(0).and(b.of.gt(a.of)))
        .choose(b.of, a.of.mul(a.of)),
      plain: (row) => {
        const [left, right] = [a.plain(row), b.plain(row)];
        return left === right || (left <= 0 && right > left) ? right : left * left;
      },
    }),
  ])();
  shared.push(made); // Later expressions may use it again: what is shared is computed once.
  return made;
}

describe('a fused chain', () => {
  it('gives bit for bit what array methods give, compiled and interpreted', () => {
    const random = seededRandom(17);
    for (let trial = 0; trial < 150; trial += 1) {
      const rows = Math.floor(random() * 40);
      const number = () =>
        random() < 0.2 ? SPECIAL[Math.floor(random() * SPECIAL.length)]! : (random() - 0.5) * 100;
      const x = Float64Array.from({ length: rows }, number);
      const y =
        trial % 3 === 0 ? Array.from({ length: rows }, number) : Float32Array.from({ length: rows }, number);
      const k = Int16Array.from({ length: rows }, () => random() * 100 - 50);
      const p = number();
      const shared: Both[] = [];
      const [m, c, v] = [1, 2, 3].map(() => randomExpression(random, 3, shared)) as [Both, Both, Both];
      const chain = fuse()
        .map({ m: m.of })
        .filter(col('m').lt(c.of).not())
        .map({ m: col('m').add(v.of), old: col('m') })
        .filter(col('m').eq(p).not());
      const records: (Row & { m: number; old: number })[] = Array.from({ length: rows }, (_, i) => {
        const row = { x: x[i]!, y: y[i]!, k: k[i]!, i, p };
        return { ...row, m: m.plain(row), old: NaN };
      })
        .filter((row) => !(row.m < c.plain(row)))
        .map((row) => ({ ...row, m: row.m + v.plain(row), old: row.m }))
        .filter((row) => row.m !== p);
      const of = { x, y, k };

      expect(
        chain
          .reduce({
            total: sum(col('m')),
            rows: count(),
            mean: mean(col('old')),
            least: least(col('m')),
            greatest: greatest(col('x')),
            decayed: fold(1, (value) => value.mul(0.5).add(col('k'))),
          })
          .run(of, { p }, rows),
      ).toEqual({
        total: records.reduce((total, row) => total + row.m, 0),
        rows: records.length,
        mean: records.reduce((total, { old }) => total + old, 0) / records.length,
        least: records.reduce((value, row) => Math.min(value, row.m), Infinity),
        greatest: records.reduce((value, row) => Math.max(value, row.x), -Infinity),
        decayed: records.reduce((value, row) => value * 0.5 + row.k, 1),
      });
      const collect = chain.collect({
        m: [col('m'), Float64Array],
        k: [col('k').add(col('old')), Int8Array],
      });
      expect(collect.run(of, { p }, rows)).toEqual({
        m: Float64Array.from(records, (row) => row.m),
        k: Int8Array.from(records, (row) => row.k + row.old),
      });
    }
  });

  it('has the same loop where code may not be generated', () => {
    const random = seededRandom(4);
    for (let trial = 0; trial < 80; trial += 1) {
      const shared: Both[] = [];
      const [a, b] = [1, 2].map(() => randomExpression(random, 4, shared)) as [Both, Both];
      const plan = {
        filters: [a.of.gt(b.of).node],
        accumulators: {
          s: {
            initial: -0,
            next: { kind: 'binary', op: 'add', a: { kind: 'carried' }, b: a.of.node },
            perRow: true,
          },
        },
        outputs: { o: b.of.node },
        columns: ['x', 'y', 'k'],
        params: ['p'],
      } as const;
      const columns = [1, 2, 3].map(() => Float64Array.from({ length: 30 }, () => 10 * random() - 5));
      const [compiled, interpreted] = [compileLoop(plan)!, interpretLoop(plan)].map((loop) => {
        const [outputs, results] = [[new Float64Array(30)], new Float64Array(1)];
        const kept = loop(columns, [2.5], 30, outputs, results);
        return { kept, outputs, results };
      });
      expect(interpreted).toEqual(compiled);
    }
    const script = `
      import { col, fuse, reduction } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
      const values = new Float64Array([1, 2, 3]);
      console.log(fuse().filter(col('v').gt(1)).reduce({ total: reduction.sum(col('v')) }).run({ v: values }).total);`;
    const output = execFileSync(
      process.execPath,
      ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    expect(output.trim()).toBe('5');
  });

  it('runs over the columns of a struct array, and any names are safe', () => {
    const Order = struct('FusionOrder', { price: f64, quantity: u32 });
    const orders = Order.array(3, { order: 'soa' });
    for (let i = 0; i < 3; i += 1) orders.set(i, { price: i + 0.5, quantity: i * 10 });
    const turnover = fuse().reduce({ total: sum(col('price').mul(col('quantity'))) });
    expect(turnover.run(orders.columns)).toEqual({ total: 1.5 * 10 + 2.5 * 20 });
    const evil = '"]; throw new Error("out"); //';
    const named = fuse().reduce({ [evil]: sum(col(evil).mul(param(evil))), __proto__x: count() });
    expect(named.run({ [evil]: [1, 2] }, { [evil]: 3 })).toEqual({ [evil]: 9, __proto__x: 2 });
  });

  it('computes a shared expression once, however often it is used', () => {
    let value = col('x');
    for (let i = 0; i < 60; i += 1) value = value.add(value).mul(0.5); // 2^60 if every use were written out.
    expect(
      fuse()
        .reduce({ total: sum(value) })
        .run({ x: [1, 2, 4] }),
    ).toEqual({ total: 7 });
  });

  it('computes what is made of a carried value once too, for each reduction on its own', () => {
    const sixty = (carried: Num) => {
      let value = carried.add(col('x'));
      for (let i = 0; i < 60; i += 1) value = value.add(value).mul(0.5);
      return value;
    };
    const ends = { total: fold(0, sixty), from: fold(100, sixty) };
    expect(
      fuse()
        .reduce(ends)
        .run({ x: [1, 2, 4] }),
    ).toEqual({ total: 7, from: 107 });
    // One and the same expression in both: each has a value of its own in it.
    const shared = sixty(col('x'));
    const plan = {
      filters: [shared.lt(5).node],
      accumulators: {
        a: { initial: 0, next: ends.total.accumulator.next, perRow: false },
        b: { initial: 100, next: ends.total.accumulator.next, perRow: true },
      },
      outputs: { o: shared.node },
      columns: ['x'],
      params: [],
    };
    const results = [compileLoop(plan)!, interpretLoop(plan)].map((loop) => {
      const [outputs, numbers] = [[new Float64Array(3)], new Float64Array(2)];
      return [loop([[1, 2, 4]], [], 3, outputs, numbers), ...outputs[0]!, ...numbers];
    });
    expect(results[0]).toEqual([2, 2, 4, 0, 3, 51.5]);
    expect(results[1]).toEqual(results[0]);
  });

  it('takes no text of a node that was built by hand, and no constructor of a column', () => {
    const { constructor: Made } = col('x') as any;
    const forged = (node: object) => fuse().reduce({ s: sum(new Made(node)) });
    const evil = '(() => { throw new Error("out"); })()';
    expect(() => forged({ kind: 'literal', value: evil }).run({}, {}, 1)).toThrow('A literal is no number.');
    const unary = { kind: 'unary', op: `abs(${evil}) || Math.abs`, a: col('x').node };
    expect(() => forged(unary).run({ x: [1] })).toThrow('A node is no operation.');
    const bare = Object.assign([1, 2], { constructor: undefined });
    expect(
      fuse()
        .reduce({ s: sum(col('x')) })
        .run({ x: bare }),
    ).toEqual({ s: 3 });
  });

  it('takes the rows that are meant, and needs none to be read', () => {
    const squares = fuse().collect({ square: [rowIndex().mul(rowIndex()), Uint16Array] });
    expect(squares.run({}, {}, 4).square).toEqual(Uint16Array.of(0, 1, 4, 9));
    expect(
      fuse()
        .reduce({ n: sum(col('x')) })
        .run({ x: [1, 2, 3] }, {}, 2),
    ).toEqual({ n: 3 });
    expect(
      fuse()
        .reduce({ m: mean(col('x')), l: least(col('x')) })
        .run({ x: [] }),
    ).toEqual({
      m: NaN,
      l: Infinity,
    });
  });

  it.each([
    [
      'a missing column',
      () =>
        fuse()
          .reduce({ s: sum(col('x')) })
          .run({ y: [1] }),
      /column "x" is undefined/,
    ],
    [
      'BigInts',
      () =>
        fuse()
          .reduce({ s: sum(col('x')) })
          .run({ x: new BigInt64Array(1) as any }),
      /none of BigInts/,
    ],
    [
      'columns of two lengths',
      () =>
        fuse()
          .reduce({ s: sum(col('x').add(col('y'))) })
          .run({ x: [1], y: [1, 2] }),
      /column "y" is 2 values long/,
    ],
    [
      'a missing parameter',
      () =>
        fuse()
          .reduce({ s: sum(param('p')) })
          .run({}, {}, 1),
      /param "p" is undefined/,
    ],
    ['no number of rows', () => fuse().reduce({ s: count() }).run({}), /rows is undefined/],
    [
      'more rows than there are',
      () =>
        fuse()
          .reduce({ s: sum(col('x')) })
          .run({ x: [1] }, {}, 2),
      /from 0 to 1/,
    ],
    ['a condition as a number', () => col('x').add(col('y').gt(1) as any), /operand is a condition/],
    ['a number as a condition', () => fuse().filter(col('x') as any), /an expression that gives a number/],
    ['no reduction', () => fuse().reduce({ s: col('x') as any }), /sum\(…\), count\(\)/],
    ['no array type', () => fuse().collect({ s: [col('x'), Array as any] }), /type of s/],
    ['a function for names', () => fuse().map(((x: number) => x) as any), /values is function/],
    ['no reductions', () => (fuse() as any).reduce(), /reductions is undefined/],
    ['no reduction at all', () => fuse().reduce({}), /an object without keys/],
    [
      'a carried value outside of its fold',
      () => {
        let leaked = col('x');
        fold(0, (carried) => (leaked = carried));
        fuse().filter(leaked.gt(0));
      },
      /operand is the carried value of a fold/,
    ],
    ['no step', () => (fold as any)(0), /step is undefined/],
    ['a column of BigInts', () => fuse().collect({ s: [col('x'), BigInt64Array as any] }), /none of BigInts/],
    ['no columns', () => (fuse().reduce({ s: count() }) as any).run(), /columns is undefined/],
    [
      'no parameters',
      () =>
        fuse()
          .reduce({ s: count() })
          .run({}, null as any, 1),
      /params is null/,
    ],
    ['a column without a type', () => fuse().collect({ a: col('a') as any }), /a value and its type/],
    [
      'texts',
      () =>
        fuse()
          .reduce({ s: sum(col('x')) })
          .run({ x: ['1'] as any }),
      /column "x" is an array with "1" in it/,
    ],
    ['no name', () => col(''), /name is/],
    ['no initial value', () => fold('0' as any, (value) => value), /initial is/],
  ])('refuses %s', (_, act, message) => {
    expect(act).toThrow(message);
    expect(act).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
