import { describe, expect, it } from 'vitest';
import { diffTrees, flameDiffSection, selfChanges } from '../../../dist/report/flame-diff.js';
import { changeClass } from '../../../dist/report/flame-graph.js';
import { allocationTree } from '../../../dist/report/allocation-tree.js';
import { threadLanes } from '../../../dist/report/thread-lanes.js';
import { renderHtml } from '../../../dist/report/html.js';
import { ThreadLanes } from '../../../dist/profiling/samplers/thread-lanes.js';
import type { StackNode } from '../../../dist/model/signals.js';
import { callTree, result } from './sample.js';

const node = (name: string, value: number, children: StackNode[] = [], line = 1): StackNode => ({
  name,
  value,
  children,
  file: `/srv/${name}.js`,
  line,
});
const before = node('root', 100, [node('parse', 60, [node('scan', 50)]), node('render', 40)]);
const after = node('root', 50, [node('parse', 20, [node('scan', 15)], 9), node('store', 30)]);

describe('two profiles', () => {
  it('are matched along the path by name and file, whatever the line, and scaled to one length', () => {
    const tree = diffTrees(before, after, 0.5);
    expect([tree.value, tree.before]).toEqual([50, 50]);
    expect(tree.children.map(({ name, value, before: then }) => [name, value, then])).toEqual([
      ['parse', 20, 30],
      ['store', 30, 0],
    ]);
    expect(tree.children[0]!.children[0]).toMatchObject({ name: 'scan', value: 15, before: 25 });
  });

  it('keep several functions without a name of one file apart', () => {
    const anonymous = (value: number, line: number) => ({
      ...node('', value, [], line),
      file: '/srv/app.js',
    });
    const earlier = node('root', 60, [anonymous(10, 5), anonymous(30, 9), anonymous(20, 20)]);
    const unchanged = diffTrees(earlier, earlier, 1);
    expect(unchanged.children.map(({ before: then }) => then)).toEqual([10, 30, 20]);
    // Two lines were put in above the last two, and one function behind them.
    const later = node('root', 60, [
      anonymous(4, 30),
      anonymous(20, 22),
      anonymous(26, 11),
      anonymous(10, 5),
    ]);
    const tree = diffTrees(earlier, later, 1);
    expect(tree.children.map(({ line, before: then }) => [line, then])).toEqual([
      [30, 0],
      [22, 20],
      [11, 30],
      [5, 10],
    ]);
  });

  it('give the change of each function’s own cost, of those too that are gone', () => {
    expect(
      selfChanges(before, after, 0.5).map(({ name, before: then, after: now }) => [name, then, now]),
    ).toEqual([
      ['store', 0, 30],
      ['render', 20, 0],
      ['scan', 25, 15],
      ['root', 0, 0],
      ['parse', 5, 5],
    ]);
    expect(selfChanges(before, after, 0.5).find(({ name }) => name === 'parse')!.line).toBe(9);
  });

  it('of which one is the other show no change anywhere', () => {
    const same = diffTrees(callTree, callTree, 1);
    const pending = [same];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      expect(changeClass(next.value, next.before, same.value)).toBe('d-same');
      pending.push(...next.children);
    }
  });

  it('colour a frame by its change of the whole', () => {
    expect([
      changeClass(51, 50, 1000),
      changeClass(70, 50, 1000),
      changeClass(100, 50, 1000),
      changeClass(500, 50, 1000),
      changeClass(50, 500, 1000),
    ]).toEqual(['d-same', 'd-more1', 'd-more2', 'd-more3', 'd-less3']);
  });

  it('of different kinds are not compared', () => {
    expect(flameDiffSection({ ...result, type: 'memory' }, result, '')).toBeUndefined();
    expect(flameDiffSection({ ...result, callTree: null }, result, '')).toBeUndefined();
  });

  it('stand in the report with the older one named', () => {
    const older = { ...result, id: 'cpu-older', callTree: before };
    const page = renderHtml({ results: [result], profiles: [], against: older });
    expect(page).toContain('id="difference"');
    expect(page).toContain('cpu-older');
    expect(page).toContain('d-more3');
    expect(renderHtml({ results: [result], profiles: [] })).not.toContain('id="difference"');
  });
});

describe('the allocation tree', () => {
  it('opens the large branches, sums the small ones up and keeps names as text', () => {
    const tree = node('root', 1000, [
      node('<b>big</b>', 900, [node('leaf', 890)]),
      ...Array.from({ length: 15 }, (_, index) => node(`small${index}`, index < 3 ? 12 : 5)),
    ]);
    const { text } = allocationTree(tree, '/srv');
    expect(text).toContain('<details open>');
    expect(text).toContain('&lt;b&gt;big');
    expect(text).toContain('in smaller branches');
    expect(text.match(/small\d/g)!.length).toBeGreaterThanOrEqual(3);
    expect(text).not.toContain('small9');
  });
});

describe('lanes', () => {
  it('hold shares of each step, of threads too that began or ended on the way', () => {
    const lanes = new ThreadLanes();
    const at = (onCpuMs: number, runnableMs = 0) => ({ onCpuMs, runnableMs });
    lanes.begin(
      new Map([
        [1, at(100)],
        [2, at(0)],
      ]),
    );
    lanes.step(
      new Map([
        [1, at(150, 25)],
        [2, at(100)],
      ]),
      100,
    );
    lanes.step(
      new Map([
        [1, at(150, 25)],
        [3, at(50)],
      ]),
      100,
    );
    expect(lanes.of(1)).toEqual({ stepMs: 100, onCpu: [0.5, 0], runnable: [0.25, 0] });
    expect(lanes.of(2)).toEqual({ stepMs: 100, onCpu: [1, 0], runnable: [0, 0] });
    expect(lanes.of(3)).toEqual({ stepMs: 100, onCpu: [0, 0.5], runnable: [0, 0] });
    expect(lanes.of(4)).toBeUndefined();
  });

  it('stay bounded, and keep the sums when steps are joined', () => {
    const lanes = new ThreadLanes();
    lanes.begin(new Map([[1, { onCpuMs: 0, runnableMs: 0 }]]));
    for (let i = 1; i <= 1000; i += 1) lanes.step(new Map([[1, { onCpuMs: i * 30, runnableMs: 0 }]]), 100);
    const { onCpu, stepMs } = lanes.of(1)!;
    expect(onCpu.length).toBeLessThan(240);
    expect(onCpu.every((share) => Math.abs(share - 0.3) < 1e-9)).toBe(true);
    expect(stepMs * onCpu.length).toBeCloseTo(100_000);
  });

  it('are drawn one a thread, and left out where a result has none', () => {
    const lane = { stepMs: 500, onCpu: [0.5, 1], runnable: [0.25, 0] };
    const thread = { tid: 1, name: 'main', onCpuMs: 750, runnableMs: 125, role: 'main' as const };
    const { text } = threadLanes([{ ...thread, lane }], 1000)!;
    expect(text).toContain('M0 100L0 50L50 50L50 0L100 0L100 100Z');
    expect(text).toContain('main: 75 % on a CPU');
    expect(threadLanes([thread], 1000)).toBeUndefined();
  });
});
