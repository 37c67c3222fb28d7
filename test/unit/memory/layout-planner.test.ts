import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { planLayout, type LayoutPlan } from '../../../dist/memory/layout-planner.js';
import { movedIn } from '../../../dist/memory/layout-moves.js';
import { layoutReport } from '../../../dist/memory/layout-report.js';
import { f64, u8 } from '../../../dist/memory/struct/field-types.js';
import { permutations, randomSource } from './random.js';

interface Row {
  project: string;
  name: string;
  comparable: boolean;
  size: number;
  optimum: number | null;
  fields: string;
  paholeOrder?: number[];
}

const rows = JSON.parse(
  readFileSync(new URL('../../fixtures/structs.json', import.meta.url), 'utf8'),
) as Row[];
const comparable = rows.filter((row) => row.comparable);

function fieldsOf(row: Row) {
  return row.fields.split(' ').map((field, k) => {
    const [sizeBytes, alignBytes] = field.split('/').map(Number) as [number, number];
    return { name: `f${k}`, sizeBytes, alignBytes };
  });
}

interface Extent {
  name: string;
  sizeBytes: number;
  alignBytes: number;
}

function randomFields(random: () => number, count: number): Extent[] {
  return Array.from({ length: count }, (_, k) => {
    const alignBytes = 2 ** Math.floor(random() * 4);
    return { name: `f${k}`, alignBytes, sizeBytes: alignBytes * (1 + Math.floor(random() ** 3 * 6)) };
  });
}

function sizeInOrder(fields: Extent[], order: readonly number[]): number {
  let end = 0;
  for (const index of order) {
    const { sizeBytes, alignBytes } = fields[index]!;
    end = Math.ceil(end / alignBytes) * alignBytes + sizeBytes;
  }
  const align = Math.max(...fields.map((field) => field.alignBytes));
  return Math.ceil(end / align) * align;
}

function expectSound(plan: LayoutPlan, fields: Extent[]): void {
  expect(plan.fields.map((field) => field.name).toSorted()).toEqual(
    fields.map((field) => field.name).toSorted(),
  );
  let end = 0;
  let used = 0;
  for (const field of plan.fields) {
    // Plain conditions: an expect() per field costs more than the plans.
    if (field.offsetBytes % field.alignBytes !== 0) expect.fail(`${field.name} is misaligned`);
    if (field.offsetBytes < end) expect.fail(`${field.name} overlaps`);
    end = field.offsetBytes + field.sizeBytes;
    used += field.sizeBytes;
  }
  expect(plan.sizeBytes).toBeGreaterThanOrEqual(end);
  expect(plan.sizeBytes % plan.alignBytes).toBe(0);
  expect(plan.paddingBytes).toBe(plan.sizeBytes - used);
}

describe('planLayout on real C structs', () => {
  it('lays the declared order out as the C compiler did', () => {
    for (const row of comparable) {
      expect(planLayout(fieldsOf(row), { structPacking: 'declared' }).sizeBytes, row.name).toBe(row.size);
    }
  });

  it('reaches the optimum for every comparable one, with fewer moves than pahole on average', () => {
    let ours = 0;
    let pahole = 0;
    for (const row of comparable) {
      const plan = planLayout(fieldsOf(row));
      expect(plan.sizeBytes, `${row.project} ${row.name}`).toBe(row.optimum);
      ours += plan.moves;
      pahole += row.paholeOrder === undefined ? 0 : movedIn(row.paholeOrder).length;
    }
    expect(comparable.length).toBe(662);
    expect(ours / comparable.length).toBeLessThan(pahole / comparable.length);
  });

  it('puts a quarter of the fields on as few lines as their bytes allow, at the smallest size', () => {
    // Two ways to mean "a quarter of the fields": of all, and of those that a line can hold. No order puts an array
    // that is larger than a line on one, so for the first way the lines in which hot fields begin are what counts.
    const random = randomSource(29);
    const ways = {
      all: (fields: Extent[]) => fields.filter((field) => field.sizeBytes > 0),
      'up to a line': (fields: Extent[]) =>
        fields.filter((field) => field.sizeBytes > 0 && field.sizeBytes <= 64),
    };
    for (const [way, eligible] of Object.entries(ways)) {
      let structs = 0;
      let lines = 0;
      let beginnings = 0;
      let bound = 0;
      for (const row of comparable) {
        const fields = fieldsOf(row);
        const from = eligible(fields);
        const hot: Extent[] = [];
        while (from.length > 0 && hot.length < Math.max(1, Math.round(fields.length / 4))) {
          hot.push(...from.splice(Math.floor(random() * from.length), 1));
        }
        if (hot.length === 0) continue;
        const plan = planLayout(fields, { hot: hot.map((field) => field.name) });
        const least = Math.ceil(hot.reduce((sum, field) => sum + field.sizeBytes, 0) / 64);
        if (plan.hotLines !== least)
          expect.fail(`${row.name}: ${plan.hotLines ?? 0} lines where ${least} would do`);
        if (plan.sizeBytes !== row.optimum) expect.fail(`${row.name}: hot fields cost bytes`);
        structs += 1;
        lines += plan.hotLines;
        bound += least;
        beginnings += new Set(
          plan.fields.filter((field) => plan.hot.includes(field.name)).map((field) => field.cacheLine),
        ).size;
      }
      const mean = (count: number) => (count / structs).toFixed(3);
      console.info(
        `A quarter of the fields hot (${way}), ${structs} structs: ${mean(lines)} lines on average ` +
          `(no order can do with fewer than ${mean(bound)}); they begin in ${mean(beginnings)} lines`,
      );
      if (way === 'up to a line') expect(lines / structs).toBeLessThanOrEqual(1.1);
      expect(beginnings / structs).toBeLessThanOrEqual(1.1);
    }
  });
});

describe('planLayout on random schemas', () => {
  it('reaches the size and the fewest moves that exhaustive search finds, up to seven fields', () => {
    const random = randomSource(7);
    for (let round = 0; round < 300; round += 1) {
      const fields = randomFields(random, 1 + Math.floor(random() * 7));
      let size = Infinity;
      let moves = Infinity;
      for (const order of permutations(fields.length)) {
        const found = sizeInOrder(fields, order);
        if (found > size) continue;
        const moved = movedIn(order).length;
        moves = found < size ? moved : Math.min(moves, moved);
        size = found;
      }
      const plan = planLayout(fields);
      expectSound(plan, fields);
      expect([plan.sizeBytes, plan.moves], JSON.stringify(fields)).toEqual([size, moves]);
    }
  });

  it('finds the smallest size also where sizes are no multiples of alignments', () => {
    const random = randomSource(11);
    for (let round = 0; round < 150; round += 1) {
      const fields = randomFields(random, 1 + Math.floor(random() * 6)).map((field) => ({
        ...field,
        sizeBytes: 1 + Math.floor(random() * 20),
      }));
      const best = Math.min(...permutations(fields.length).map((order) => sizeInOrder(fields, order)));
      expect(planLayout(fields).sizeBytes, JSON.stringify(fields)).toBe(best);
    }
  });

  it('holds alignment and never overlaps, for every packing, with hot fields and writers', () => {
    const random = randomSource(13);
    for (let round = 0; round < 100; round += 1) {
      const fields = randomFields(random, 1 + Math.floor(random() * 30));
      const pick = () => fields.filter(() => random() < 0.3).map((field) => field.name);
      const hot = pick();
      const [a, b] = [pick(), pick()];
      const writers = { a, b: b.filter((name) => !a.includes(name)) };
      for (const structPacking of ['minimal_padding', 'cache_line', 'declared'] as const) {
        for (const cacheLineBytes of [64, 128] as const) {
          expectSound(planLayout(fields, { structPacking, hot, cacheLineBytes }), fields);
          expectSound(planLayout(fields, { structPacking, writers, cacheLineBytes }), fields);
        }
      }
    }
  });

  it('is pure: the same request gives the same plan and leaves its arguments alone', () => {
    const fields = Object.freeze(randomFields(randomSource(17), 12).map((field) => Object.freeze(field)));
    const options = Object.freeze({ hot: Object.freeze(['f3', 'f1']) });
    expect(planLayout(fields, options)).toEqual(planLayout(fields, options));
  });

  it('plans eighty fields in reasonable effort, with far fewer moves than a sort', () => {
    const random = randomSource(19);
    const fields = randomFields(random, 80);
    const plan = planLayout(fields);
    const sum = fields.reduce((total, field) => total + field.sizeBytes, 0);
    expect(plan.sizeBytes).toBe(Math.ceil(sum / 8) * 8);
    const sorted = fields
      .map((_, k) => k)
      .toSorted((x, y) => fields[y]!.alignBytes - fields[x]!.alignBytes || x - y);
    expect(plan.moves).toBeLessThan(movedIn(sorted).length / 2);
  });
});

/** What an order of fields, some of which begin a line, comes to: the planner's aims, judged independently of it. */
function judged(
  fields: Extent[],
  order: readonly number[],
  begins: (index: number) => boolean,
  { hot, groups, alignBytes }: { hot: number[]; groups: number[][]; alignBytes: number },
): number[] {
  const at: number[] = [];
  let end = 0;
  for (const index of order) {
    const { sizeBytes, alignBytes: align } = fields[index]!;
    const step = begins(index) ? Math.max(64, align) : align;
    at[index] = Math.ceil(end / step) * step;
    end = at[index] + sizeBytes;
  }
  const size = Math.ceil(end / alignBytes) * alignBytes;
  const linesOf = (indices: number[], base = 0) => {
    const lines = new Set<number>();
    for (const index of indices) {
      const from = base + at[index]!;
      for (let byte = from; byte < from + fields[index]!.sizeBytes; byte += 1) lines.add(byte >> 6);
    }
    return lines;
  };
  let total = 0;
  let starts = 0;
  for (let base = 0; starts === 0 || base % 64 !== 0; base += size) {
    total += linesOf(hot, base).size;
    starts += 1;
  }
  const owners = groups.flatMap((group) => [...linesOf(group)]);
  const straddling = order.filter((i) => fields[i]!.sizeBytes <= 64 && linesOf([i]).size > 1).length;
  return [
    groups.length > 1 ? owners.length - new Set(owners).size : 0,
    size,
    linesOf(hot).size,
    new Set(hot.map((index) => at[index]! >> 6)).size,
    total / starts,
    alignBytes % 64 === 0 ? straddling : 0,
    movedIn(order).length,
  ];
}

describe('planLayout against every arrangement of up to five fields', () => {
  const compareAims = (a: number[], b: number[]) => {
    const k = a.findIndex((value, index) => value !== b[index]);
    return k < 0 ? 0 : a[k]! - b[k]!;
  };
  it.each([
    ['hot fields', 'minimal_padding', true, false],
    ['whole lines', 'cache_line', false, false],
    ['hot fields on whole lines', 'cache_line', true, false],
    ['writers', 'minimal_padding', false, true],
    ['writers with hot fields', 'minimal_padding', true, true],
  ] as const)(
    '%s: the best in the order of aims, fewest moves last',
    (_, structPacking, isHot, isWritten) => {
      const random = randomSource(31);
      for (let round = 0; round < 30; round += 1) {
        const fields = randomFields(random, 2 + Math.floor(random() * 4)).map((field) => ({
          ...field,
          // Up to 80 bytes, so that whole lines have something to decide.
          sizeBytes: structPacking === 'cache_line' ? 2 * field.sizeBytes : field.sizeBytes,
        }));
        const all = fields.map((_field, index) => index);
        const hot = isHot ? all.filter(() => random() < 0.4) : [];
        const drawn: number[][] = [[], [], []];
        if (isWritten) for (const index of all) drawn[Math.floor(random() * 3)]!.push(index);
        const groups = drawn.slice(0, 2).filter((group) => group.length > 0);
        const onLines = structPacking === 'cache_line' || groups.length > 1;
        const natural = Math.max(...fields.map((field) => field.alignBytes));
        const rules = { hot, groups, alignBytes: onLines ? 64 : natural };
        let best: number[] | undefined;
        for (const order of permutations(fields.length)) {
          for (let mask = 0; mask < (onLines ? 2 ** fields.length : 1); mask += 1) {
            const found = judged(fields, order, (index) => ((mask >> index) & 1) === 1, rules);
            if (best === undefined || compareAims(found, best) < 0) best = found;
          }
        }
        const name = (index: number) => `f${index}`;
        const plan = planLayout(fields, {
          structPacking,
          hot: hot.map(name),
          writers: groups.map((group) => group.map(name)),
        });
        const lineOf = new Map(plan.fields.map((field) => [field.name, field.cacheLine]));
        const reached = [
          plan.sharedWriterLines,
          plan.sizeBytes,
          plan.hotLines ?? 0,
          new Set(hot.map((index) => lineOf.get(name(index)))).size,
          plan.meanHotLines ?? 0,
          onLines ? plan.straddlingFields.length : 0,
          plan.moves,
        ];
        expect(reached, JSON.stringify({ fields, hot, groups })).toEqual(best);
      }
    },
  );
});

describe('cache lines', () => {
  const blob = (name: string, sizeBytes: number) => ({ name, sizeBytes, alignBytes: 1 });

  it('cache_line starts every record on a line and keeps fields off the boundary where the size allows', () => {
    const fields = [blob('a', 40), blob('b', 40), blob('c', 20), blob('d', 20)];
    const plan = planLayout(fields, { structPacking: 'cache_line' });
    expect(plan.sizeBytes).toBe(128);
    expect(plan.alignBytes).toBe(64);
    expect(plan.straddlingFields).toEqual([]);
    expect(planLayout(fields, { structPacking: 'declared' }).straddlingFields).toEqual(['b']);
  });

  it('gives writers lines of their own and reports the cost', () => {
    const fields = ['head', 'tail', 'size', 'mask'].map((name) => ({ name, sizeBytes: 8, alignBytes: 8 }));
    const plan = planLayout(fields, { writers: { producer: ['tail'], consumer: ['head'] } });
    const line = (name: string) => plan.fields.find((field) => field.name === name)!.cacheLine;
    expect(line('head')).not.toBe(line('tail'));
    expect(plan.sharedWriterLines).toBe(0);
    expect(plan.sizeBytes).toBe(128);
    expect(plan.savings.sizeBytes).toBe(32 - 128);
    expect(
      planLayout(fields, { structPacking: 'declared', writers: [['tail'], ['head']] }).sharedWriterLines,
    ).toBe(1);
  });

  it('separates random writers, with no more lines than they and the other fields need', () => {
    const random = randomSource(23);
    for (let round = 0; round < 100; round += 1) {
      const fields = randomFields(random, 4 + Math.floor(random() * 12));
      const groups: string[][] = [[], [], []];
      for (const { name } of fields) groups[Math.floor(random() * 4)]?.push(name);
      const used = groups.filter((group) => group.length > 0);
      if (used.length < 2) continue;
      const plan = planLayout(fields, { writers: groups });
      expectSound(plan, fields);
      expect(plan.sharedWriterLines).toBe(0);
      const bytes = (names: string[]) =>
        fields.filter((f) => names.includes(f.name)).reduce((sum, f) => sum + f.sizeBytes, 0);
      const own = used.reduce((sum, group) => sum + Math.ceil(bytes(group) / 64), 0);
      const free = fields.filter((f) => !used.flat().includes(f.name)).map((f) => f.name);
      expect(plan.sizeBytes / 64).toBeLessThanOrEqual(own + Math.ceil(bytes(free) / 64));
    }
  });

  it('takes the hot fields from frequencies', () => {
    const fields = Array.from({ length: 40 }, (_, k) => ({ name: `f${k}`, sizeBytes: 8, alignBytes: 8 }));
    const plan = planLayout(fields, { frequencies: { f39: 500, f20: 450, f1: 30, f2: 20 } });
    expect(plan.hot).toEqual(['f39', 'f20']);
    expect(plan.hotLines).toBe(1);
  });

  it('does not move fields of a record whose hot fields already share a line', () => {
    const fields = ['a', 'b', 'c', 'd'].map((name) => ({ name, sizeBytes: 8, alignBytes: 8 }));
    expect(planLayout(fields, { hot: ['b', 'c'], structPacking: 'cache_line' }).moves).toBe(0);
  });
});

describe('the plan for people', () => {
  it('says what moved, where holes are and what was saved', () => {
    const plan = planLayout([
      { name: 'flag', type: u8 },
      { name: 'price', type: f64 },
      { name: 'side', type: u8 },
    ]);
    expect(plan).toMatchObject({ sizeBytes: 16, moves: 1, savings: { sizeBytes: 8 } });
    const text = layoutReport(plan, 'Order');
    expect(text).toContain('Order: 16 B (24 B as declared, 33.3 % saved)');
    expect(text).toContain(plan.moved[0]!);
    expect(text).toMatch(/padding\s+6 B/);
  });
});

describe('bad requests', () => {
  const good = { name: 'a', sizeBytes: 4, alignBytes: 4 };
  it.each([
    ['no fields', [], {}],
    ['fields that are no list', 'x', {}],
    ['a duplicate name', [good, good], {}],
    ['an alignment of 3', [{ ...good, alignBytes: 3 }], {}],
    ['an alignment of 0', [{ ...good, alignBytes: 0 }], {}],
    ['a negative size', [{ ...good, sizeBytes: -4 }], {}],
    ['a size of NaN', [{ ...good, sizeBytes: NaN }], {}],
    ['a size of 2^53', [{ ...good, sizeBytes: 2 ** 53 }], {}],
    ['a field that is none', [undefined], {}],
    ['a type by its name', [{ name: 'a', type: 'u8' }], {}],
    ['an unknown hot field', [good], { hot: ['b'] }],
    ['an unknown packing', [good], { structPacking: 'tight' }],
    ['a line of 32 bytes', [good], { cacheLineBytes: 32 }],
    ['a field with two writers', [good], { writers: { x: ['a'], y: ['a'] } }],
    ['a negative frequency', [good], { frequencies: { a: -1 } }],
    ['a frequency as text', [good], { frequencies: { a: '1' } }],
    ['frequencies that are no object', [good], { frequencies: 5 }],
    ['one hot field without a list', [good], { hot: 'a' }],
    ['writers that are no object', [good], { writers: 5 }],
    ['a writer without a list', [good], { writers: { x: 'a' } }],
    ['a mistyped option', [good], { packing: 'declared' }],
    ['options that are none', [good], null],
  ])('refuses %s', (_, fields, options) => {
    expect(() => planLayout(fields as never, options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
