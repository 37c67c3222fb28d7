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

  it('puts a quarter of the fields on as few lines as their bytes allow', () => {
    for (const row of comparable) {
      const fields = fieldsOf(row);
      const hot = fields.filter((field, k) => k % 4 === 1 && field.sizeBytes > 0);
      if (hot.length === 0) continue;
      const plan = planLayout(fields, { hot: hot.map((field) => field.name) });
      const bytes = hot.reduce((sum, field) => sum + field.sizeBytes, 0);
      expect(plan.hotLines, row.name).toBe(Math.ceil(bytes / 64));
      expect(plan.sizeBytes, row.name).toBe(row.optimum);
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
    for (let round = 0; round < 300; round += 1) {
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
    ['an unknown hot field', [good], { hot: ['b'] }],
    ['an unknown packing', [good], { structPacking: 'tight' }],
    ['a line of 32 bytes', [good], { cacheLineBytes: 32 }],
    ['a field with two writers', [good], { writers: { x: ['a'], y: ['a'] } }],
    ['a negative frequency', [good], { frequencies: { a: -1 } }],
  ])('refuses %s', (_, fields, options) => {
    expect(() => planLayout(fields as never, options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
