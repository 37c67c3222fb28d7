/** What `auto` thinks that a loop costs, with threads that are played: how long they were busy is then known. */
import { describe, expect, it } from 'vitest';
import { LoopControl } from '../../../dist/threads/loop-control.js';
import { LoopPrograms } from '../../../dist/threads/loop-program.js';
import { ParallelLoops } from '../../../dist/threads/parallel-loops.js';
import { partitionerIndex } from '../../../dist/threads/partition/by-name.js';
import { leavesOf } from '../../../dist/threads/shared-data.js';
import { fixture, float64 } from '../../fixtures/threads/setup.js';

const ROWS = 12_000;

/** A triangular loop, and threads that say how long all of them together spent on it. */
function played() {
  const shared = { output: float64(ROWS) };
  const programs = new LoopPrograms(2, () => []);
  const threads = { busyMs: 0, runs: 0 };
  const runner = {
    programs,
    run: ({ plan }: { plan: { participants: number } }) => {
      if (plan.participants > 1) threads.runs += 1;
      return Promise.resolve({ partials: [], busyMs: threads.busyMs });
    },
  };
  const loops = new ParallelLoops(runner as never, {
    maxThreads: 2,
    usefulThreads: () => 2,
    hasReadyWorkers: () => true,
    wakeMs: () => 0.03,
    startThreads: () => {},
    used: () => {},
  });
  const task = fixture('triangle');
  const run = async (busyMs: number, range: readonly [number, number] = [0, ROWS]) => {
    threads.busyMs = busyMs;
    await loops.for({ task, range, shared });
    const program = programs.get(task, shared, leavesOf(shared));
    return (program.iterationNs! * (range[1] - range[0])) / 1e6;
  };
  return { run, threads };
}

describe('the forecast of a loop on threads', () => {
  it('is what they spent on it, however little its first iterations cost', async () => {
    const { run, threads } = played();
    await run(50);
    for (let i = 0; i < 40; i += 1) expect(await run(50)).toBeCloseTo(50, 3);
    // It never stayed on the caller, where the first iterations of the same loop take next to nothing.
    expect(threads.runs).toBe(41);
  });

  it('falls as code gets faster, and does not rise where threads hold each other up', async () => {
    const { run } = played();
    await run(200);
    expect(await run(50)).toBeCloseTo(50, 3);
    expect(await run(90)).toBeCloseTo(50, 3);
    expect(await run(40)).toBeCloseTo(40, 3);
  });

  it('is learnt anew for another range, whose iterations cost something else', async () => {
    const { run } = played();
    await run(50);
    await run(50);
    // The first half is a quarter of the work, the second half the rest.
    expect(await run(13, [0, ROWS / 2])).toBeCloseTo(13, 3);
    expect(await run(37, [ROWS / 2, ROWS])).toBeCloseTo(37, 3);
    expect(await run(50)).toBeCloseTo(50, 3);
  });
});

describe('the time that participants of a loop spent on it', () => {
  it('adds up over shares, and begins anew with each run', () => {
    const control = new LoopControl(3);
    const range = {
      start: 0,
      end: 9,
      unit: 1,
      wantsPartials: false,
      partitioner: partitionerIndex('stealing'),
    };
    const plan = { units: 9, participants: 3, grain: null };
    control.open(range, plan, false);
    const ofAnother = new LoopControl(control.buffer);
    control.addBusy(0, 1.5);
    ofAnother.addBusy(2, 2);
    ofAnother.addBusy(2, 0.25);
    expect([control.busyMs, ofAnother.busyMs]).toEqual([3.75, 3.75]);
    control.shut();
    control.open(range, plan, false);
    expect(control.busyMs).toBe(0);
  });

  it('leaves the ranges alone that lie beside it', () => {
    const control = new LoopControl(4);
    const range = {
      start: 0,
      end: 64,
      unit: 1,
      wantsPartials: false,
      partitioner: partitionerIndex('stealing'),
    };
    control.open(range, { units: 64, participants: 4, grain: null }, false);
    for (let share = 0; share < 4; share += 1) control.addBusy(share, Math.PI);
    const chunk = { start: 0, end: 0 };
    const seen: number[] = [];
    const other = new LoopControl(control.buffer);
    while (other.partitioner.next(other.partitionState, 3, chunk)) {
      for (let unit = chunk.start; unit < chunk.end; unit += 1) seen.push(unit);
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, unit) => unit));
    expect(control.iterationOf(64)).toBe(64);
  });
});
