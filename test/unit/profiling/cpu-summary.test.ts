import * as acorn from 'acorn';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summariseCpuProfile } from '../../../dist/profiling/cpu/summary.js';
import { SourceIndex } from '../../../dist/profiling/source/source-index.js';
import { cpuProfile, repeat, type FrameSpec } from './raw-profile.js';

const SOURCE = `import { readFileSync } from 'node:fs';
function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
function load(text) {
  return JSON.parse(text);
}
function report(rows) {
  return rows.map((row) => {
    return row.total * 2;
  });
}
function distance(a, b) {
  let sum = 0;
  for (const x of a) sum += x - b;
  return sum;
}
function nearest(points) {
  const best = distance(points, 1);
  return best;
}
function audit(entry) {
  return readFileSync(entry);
}
function handler(request) {
  return audit(request);
}
class OutOfStock extends Fault {
  constructor(sku) {
    super(sku);
  }
}
function take(sku) {
  if (sku > 1) throw new OutOfStock(sku);
}
`;

let directory: string;
let file: string;
const summarise = (frames: readonly FrameSpec[], samples: [string, number][]) =>
  summariseCpuProfile(cpuProfile(frames, samples), new SourceIndex(acorn), 100);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cpu-summary-'));
  file = join(directory, 'app.js');
  writeFileSync(file, SOURCE);
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('functions', () => {
  it('counts a recursive function once in total and every sample in self', () => {
    const inner = { name: 'fibonacci', as: 'deep', url: file, line: 2, column: 19, ticks: { 3: 10 } };
    const { functions } = summarise(
      [{ name: 'fibonacci', as: 'top', url: file, line: 2, column: 19, ticks: { 3: 5 }, children: [inner] }],
      [...repeat('top', 5), ...repeat('deep', 10)],
    );
    expect(functions).toHaveLength(1);
    expect(functions[0]).toMatchObject({
      selfMs: 15,
      totalMs: 15,
      selfShare: 1,
      totalShare: 1,
      hottestLine: 3,
      origin: 'user',
    });
    expect(functions[0]!.location).toMatchObject({ function: 'fibonacci', file, line: 2 });
  });

  it('keeps idle time out of shares and tells the collector apart', () => {
    const { metrics, functions } = summarise(
      [{ name: 'load', url: file, line: 5, column: 14, ticks: { 6: 30 } }],
      [...repeat('load', 30), ...repeat('(garbage collector)', 10), ...repeat('(idle)', 60)],
    );
    expect(metrics['cpu.busy.share']).toBeCloseTo(0.4);
    expect(metrics['cpu.gc.share']).toBeCloseTo(0.25);
    expect(functions[0]!.selfShare).toBeCloseTo(0.75);
  });

  it('names the function that V8 inlined by the line of its ticks', () => {
    const { functions, callTree } = summarise(
      [{ name: 'nearest', url: file, line: 18, column: 17, ticks: { 15: 18, 20: 2 } }],
      repeat('nearest', 20),
    );
    expect(functions[0]!.location.function).toBe('distance');
    expect(functions[0]!.selfMs).toBeCloseTo(18);
    expect(callTree!.children[0]!.children[0]!.name).toBe('distance');
  });

  it('keeps V8’s frame for a line of a function that the frame never calls', () => {
    const { functions } = summarise(
      [{ name: 'load', url: file, line: 5, column: 14, ticks: { 15: 9 } }],
      repeat('load', 9),
    );
    expect(functions[0]!.location.function).toBe('load');
  });

  it('gives shares of nothing for a profile that was idle throughout', () => {
    const { metrics, functions, callTree } = summarise([], repeat('(idle)', 50));
    expect(metrics['cpu.busy.share']).toBe(0);
    expect(functions).toEqual([]);
    expect(callTree).toBeNull();
  });
});

describe('operations', () => {
  it('tells JSON by the line of the ticks', () => {
    const { operations } = summarise(
      [{ name: 'load', url: file, line: 5, column: 14, ticks: { 6: 30 } }],
      repeat('load', 30),
    );
    expect(operations[0]).toMatchObject({
      kind: 'json',
      name: 'JSON.parse',
      totalMs: 30,
      share: 1,
      functionLine: 5,
    });
    expect(operations[0]!.location).toMatchObject({ function: 'load', line: 6 });
    expect(operations[0]!.longestRunMs).toBe(30);
  });

  it('ends a run where the loop idles', () => {
    const { operations } = summarise(
      [{ name: 'load', url: file, line: 5, column: 14, ticks: { 6: 30 } }],
      [...repeat('load', 10), ...repeat('(idle)', 1), ...repeat('load', 20)],
    );
    expect(operations[0]!.longestRunMs).toBe(20);
  });

  it('gives the time in an exception’s constructor to who throws it, whatever the class is called', () => {
    const make = { name: 'OutOfStock', url: file, line: 29, column: 14, ticks: { 30: 12 } };
    const { operations } = summarise(
      [{ name: 'take', url: file, line: 33, column: 14, ticks: {}, children: [make] }],
      repeat('OutOfStock', 12),
    );
    expect(operations[0]).toMatchObject({ kind: 'exception', name: 'throw' });
    expect(operations[0]!.location).toMatchObject({ function: 'take', line: 34 });
  });

  it('gives a file call in Node’s own code to the user’s function, inlined or not', () => {
    const read = { name: 'readFileSync', url: 'node:fs', line: 400, ticks: { 410: 12 } };
    const { operations } = summarise(
      [{ name: 'handler', url: file, line: 25, column: 17, ticks: {}, children: [read] }],
      repeat('readFileSync', 12),
    );
    expect(operations[0]).toMatchObject({ kind: 'sync-fs', name: 'fs.readFileSync' });
    expect(operations[0]!.location).toMatchObject({ function: 'audit', line: 23 });
  });

  it('gives a dependency’s time to the user’s caller and names the dependency', () => {
    const url = 'file:///app/node_modules/%40scope/pkg/lib/x.js';
    const { operations } = summarise(
      [
        {
          name: 'handler',
          url: file,
          line: 25,
          column: 17,
          ticks: {},
          children: [{ name: 'crunch', url, line: 7, ticks: { 8: 25 } }],
        },
      ],
      repeat('crunch', 25),
    );
    expect(operations[0]).toMatchObject({ kind: 'own-code', totalMs: 25 });
    expect(operations[0]!.location.function).toBe('handler');
    expect(operations[0]!.via).toMatchObject({ function: 'crunch', line: 7 });
  });

  it('counts an anonymous callback as part of the function that it stands in, while that is on the stack', () => {
    const callback = { name: '', as: 'callback', url: file, line: 9, column: 19, ticks: { 10: 16 } };
    const { operations } = summarise(
      [{ name: 'report', url: file, line: 8, column: 16, ticks: { 9: 4 }, children: [callback] }],
      [...repeat('report', 4), ...repeat('callback', 16)],
    );
    expect(operations).toHaveLength(1);
    expect(operations[0]!.location).toMatchObject({ function: 'report', line: 10 });
    expect(operations[0]!.totalMs).toBe(20);
  });

  it('names the regular expression that V8 compiled', () => {
    const { operations } = summarise(
      [
        {
          name: 'handler',
          url: file,
          line: 25,
          column: 17,
          ticks: {},
          children: [{ name: 'RegExp: ^(a+)+$' }],
        },
      ],
      repeat('RegExp: ^(a+)+$', 5),
    );
    expect(operations[0]).toMatchObject({ kind: 'regexp', name: '/^(a+)+$/' });
  });

  it('marks time below the module loader as startup', () => {
    const loader = { name: 'Module._compile', url: 'node:internal/modules/cjs/loader', line: 1000 };
    const { operations, metrics } = summarise(
      [{ ...loader, children: [{ name: 'load', url: file, line: 5, column: 14, ticks: { 6: 8 } }] }],
      repeat('load', 8),
    );
    expect(operations[0]!.startupMs).toBe(8);
    expect(metrics['cpu.startup.share']).toBe(1);
  });

  it('works without a parser, on V8’s own frames', () => {
    const profile = cpuProfile(
      [{ name: 'nearest', url: file, line: 18, column: 17, ticks: { 15: 9 } }],
      repeat('nearest', 9),
    );
    const { functions } = summariseCpuProfile(profile, new SourceIndex(null), 10);
    expect(functions[0]!.location.function).toBe('nearest');
  });
});
