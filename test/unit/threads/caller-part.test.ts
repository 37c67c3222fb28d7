/** The caller's part in a loop, with a control block and no threads: who does what is then known. */
import { describe, expect, it } from 'vitest';
import { takePart, type PartOutcome } from '../../../dist/threads/caller-part.js';
import { KernelCall } from '../../../dist/threads/kernel.js';
import { LoopControl, Partials } from '../../../dist/threads/loop-control.js';
import { LoopParticipant } from '../../../dist/threads/loop-participant.js';
import { Mailbox } from '../../../dist/threads/mailbox.js';
import { partitionerIndex } from '../../../dist/threads/partition/by-name.js';
import { SplitLedger } from '../../../dist/threads/split-ledger.js';
import { defineTask } from '../../../dist/threads/task.js';
import { fixture, float64, int32, poolWith, rejection } from '../../fixtures/threads/setup.js';

const UNITS = 64;
const task = defineTask('data:text/javascript,', 'kernel');

interface Setup {
  readonly kernel: (start: number, end: number) => unknown;
  readonly firstUnit?: number;
  readonly limitMs?: number;
  readonly pieceUnits?: number;
}

/** A loop over units of two iterations for two participants, in which the caller has the first share. */
function opened({ kernel, firstUnit = 0, limitMs = 1e3, pieceUnits = Infinity }: Setup) {
  const control = new LoopControl(2);
  const start = firstUnit * 2;
  control.open(
    {
      start,
      end: start + UNITS * 2,
      unit: 2,
      wantsPartials: true,
      partitioner: partitionerIndex('stealing'),
    },
    { units: UNITS, participants: 2, grain: null },
    false,
  );
  const loop = {
    task,
    kernel: new KernelCall(kernel, undefined),
    start: 0,
    end: start + UNITS * 2,
    unit: 2,
    partials: undefined,
  };
  const kept = new Map<number, unknown>();
  const partials = new Partials(UNITS);
  partials.clear(UNITS);
  const rest = { start: 0, end: 0 };
  const part = { loop, firstUnit, limitMs, pieceUnits, totalMs: limitMs, rest };
  const join = (share: number, results?: Partials): PartOutcome =>
    takePart(part, control, share, results, (unit, value) => kept.set(unit, value));
  return { control, join, kept, partials };
}

describe('a caller that takes part in its loop', () => {
  it('does all of it where nobody else comes', () => {
    const visits = new Array<number>(UNITS * 2).fill(0);
    const { control, join } = opened({
      kernel: (start, end) => {
        for (let i = start; i < end; i += 1) visits[i]! += 1;
      },
    });
    expect(join(control.join())).toBe('done');
    expect(visits.every((count) => count === 1)).toBe(true);
    expect(control.isDone).toBe(true);
  });

  it('leaves when its time is over, and another goes on with its share', () => {
    const visits = new Array<number>(UNITS * 2).fill(0);
    const kernel = (start: number, end: number) => {
      for (let i = start; i < end; i += 1) visits[i]! += 1;
    };
    const { control, join } = opened({ kernel, limitMs: 0 });
    const share = control.join();
    expect(join(share)).toBe('left');
    const done = visits.filter((count) => count > 0).length;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(UNITS);
    control.handOver(share);
    // The share that was given up comes first, and but once; then the one that never had a participant.
    expect([control.hasRoom, control.join(), control.join(), control.join()]).toEqual([true, share, 1, -1]);
    expect(control.hasRoom).toBe(false);
    let outcome: PartOutcome = 'left';
    while (outcome === 'left') outcome = join(share);
    expect(outcome).toBe('done');
    expect(visits.every((count) => count === 1)).toBe(true);
  });

  it('goes on in the middle of a chunk, where a slice ended', () => {
    const ranges: [number, number][] = [];
    const { control, join, partials } = opened({
      kernel: (start, end) => {
        ranges.push([start, end]);
        return start;
      },
      limitMs: 0,
      pieceUnits: 3,
    });
    const share = control.join();
    expect([join(share, partials), ranges.length]).toEqual(['left', 3]);
    let slices = 1;
    for (let outcome: PartOutcome = 'left'; outcome === 'left'; slices += 1) outcome = join(share, partials);
    // No slice did more than a piece, and no unit was done twice or left out.
    expect(slices).toBeGreaterThanOrEqual(Math.ceil(UNITS / 3));
    expect(ranges.map(([start]) => start).sort((a, b) => a - b)).toEqual(
      Array.from({ length: UNITS }, (_, unit) => unit * 2),
    );
    expect(partials.get(UNITS - 1)).toBe((UNITS - 1) * 2);
  });

  it('does not wait for ever where another holds the last chunk', () => {
    const { control, join } = opened({ kernel: () => undefined });
    const chunk = { start: 0, end: 0 };
    const share = control.join();
    control.partitioner.next(control.partitionState, control.join(), chunk);
    expect(join(share)).toBe('waits');
    expect(control.isDone).toBe(false);
    expect(control.finish(chunk.end - chunk.start)).toBe(true);
    expect(control.isDone).toBe(true);
  });

  it('stops where another participant failed', () => {
    let calls = 0;
    const { control, join } = opened({
      kernel: () => {
        calls += 1;
        control.cancel();
      },
    });
    expect(join(control.join())).toBe('waits');
    expect(calls).toBe(1);
  });

  it('gives partial results by unit, numbers apart from others, wherever the loop began before', () => {
    const { control, join, kept, partials } = opened({
      kernel: (start, end) => (start % 4 === 0 ? start : { start, end }),
      firstUnit: 10,
    });
    expect(join(control.join(), partials)).toBe('done');
    for (let unit = 0; unit < UNITS; unit += 1) {
      const start = (10 + unit) * 2;
      if (start % 4 === 0) expect(partials.get(unit)).toBe(start);
      else expect(kept.get(unit)).toEqual({ start, end: start + 2 });
    }
  });

  it('names the range where the kernel throws', () => {
    const { control, join } = opened({
      kernel: (start, end) => {
        if (start <= 40 && end > 40) throw new RangeError('no');
      },
    });
    const share = control.join();
    expect(() => join(share)).toThrow(/for range \[\d+, \d+\).*no/s);
  });
});

/** Some milliseconds of work on any machine: more than the caller does alone, less than it leaves at once. */
const ROWS = 2_600;

describe('loops of a few milliseconds under auto', () => {
  it('give what a serial loop gives, again and again', async () => {
    const pool = poolWith();
    await pool.start();
    const { triangle } = await import('../../fixtures/threads/tasks.js');
    const [output, expected] = [float64(ROWS), float64(ROWS)];
    triangle(0, ROWS, { output: expected });
    const shared = { output };
    for (let run = 0; run < 40; run += 1) {
      output.fill(-1);
      await pool.parallelFor({ task: fixture('triangle'), range: [0, ROWS], shared });
      expect(output.every((value, i) => value === expected[i])).toBe(true);
    }
  });

  it('reduce in the order of the range', async () => {
    const pool = poolWith();
    await pool.start();
    for (let run = 0; run < 20; run += 1) {
      const parts = await pool.parallelReduce({
        task: fixture<(start: number, end: number) => number[][]>('collectSlowly'),
        range: [0, 600],
        shared: undefined,
        combine: (left, right) => [...left, ...right],
      });
      expect(parts!.flat()[0]).toBe(0);
      expect(parts!.at(-1)![1]).toBe(600);
      parts!.forEach(([from], index) => expect(from).toBe(parts![index - 1]?.[1] ?? 0));
    }
  });

  it('reject with the range that threw, whoever ran it, and the next loop runs', async () => {
    const pool = poolWith();
    await pool.start();
    const visits = int32(601);
    const loop = { range: [0, 600] as const, task: fixture('throwSlowlyAt') };
    const shared = { words: int32(1), visits };
    shared.words[0] = -1;
    for (let run = 0; run < 10; run += 1) await pool.parallelFor({ ...loop, shared });
    for (const bad of [0, 299, 300, 599]) {
      shared.words[0] = bad;
      const error = await rejection(pool.parallelFor({ ...loop, shared }));
      expect(error).toMatchObject({ code: 'TASK_THREW', cause: { message: `${bad} is bad` } });
      const left = visits.slice();
      await pool.run(fixture('double'), 1);
      expect([...visits]).toEqual([...left]);
      shared.words[0] = -1;
      visits.fill(0);
      await pool.parallelFor({ ...loop, shared });
      expect(visits.subarray(0, 600).every((count) => count === 1)).toBe(true);
    }
  });
});

/** Some tens of milliseconds: the caller takes part in slices. */
const MANY_ROWS = 9_000;

describe('loops of tens of milliseconds under auto', () => {
  it('give what a serial loop gives, and let the event loop turn meanwhile', async () => {
    const pool = poolWith({ maxThreads: 2 });
    await pool.start();
    const { triangle } = await import('../../fixtures/threads/tasks.js');
    const [output, expected] = [float64(MANY_ROWS), float64(MANY_ROWS)];
    triangle(0, MANY_ROWS, { output: expected });
    for (let run = 0; run < 8; run += 1) {
      output.fill(-1);
      let turns = 0;
      let isOver = false;
      const count = () => {
        turns += 1;
        if (!isOver) setImmediate(count);
      };
      setImmediate(count);
      await pool.parallelFor({ task: fixture('triangle'), range: [0, MANY_ROWS], shared: { output } });
      isOver = true;
      expect(output.every((value, i) => value === expected[i])).toBe(true);
      // The first runs learn what an iteration costs.
      if (run > 2) expect(turns).toBeGreaterThan(2);
    }
  });

  it('end when they are aborted, and then nobody writes any more', async () => {
    const pool = poolWith({ maxThreads: 2 });
    await pool.start();
    const output = float64(MANY_ROWS);
    const loop = { task: fixture('triangle'), range: [0, MANY_ROWS] as const, shared: { output } };
    for (let run = 0; run < 3; run += 1) await pool.parallelFor(loop);
    for (let run = 0; run < 5; run += 1) {
      output.fill(-1);
      const controller = new AbortController();
      setImmediate(() => controller.abort());
      expect((await rejection(pool.parallelFor({ ...loop, signal: controller.signal }))).code).toBe(
        'ABORTED',
      );
      const left = output.slice();
      await pool.run(fixture('double'), 1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(output.every((value, i) => value === left[i])).toBe(true);
    }
    await pool.parallelFor(loop);
    expect(pool.stats().runningLoops).toBe(0);
  });
});

describe('the ledger of what splitting wins and loses', () => {
  it('stops after losses, and allows another try when the caller has worked for fifty times as long', () => {
    const ledger = new SplitLedger();
    expect(ledger.allows).toBe(true);
    ledger.ranSplit(4, 1);
    expect(ledger.allows).toBe(true);
    ledger.ranSplit(4, 1);
    // 1 ms below what was free.
    expect(ledger.allows).toBe(false);
    ledger.ranOnCaller(49);
    expect(ledger.allows).toBe(false);
    ledger.ranOnCaller(2);
    expect(ledger.allows).toBe(true);
  });

  it('is the more patient the more was won, within limits', () => {
    const ledger = new SplitLedger();
    for (let run = 0; run < 1_000; run += 1) ledger.ranSplit(1, 2);
    ledger.ranSplit(9, 0);
    expect(ledger.allows).toBe(true);
    ledger.ranSplit(2, 0);
    expect(ledger.allows).toBe(false);
  });

  it('costs at most its first and what it earned, where every try loses', () => {
    const ledger = new SplitLedger();
    let lostMs = 0;
    let workedMs = 0;
    for (let run = 0; run < 100_000; run += 1) {
      workedMs += 0.5;
      if (ledger.allows) {
        ledger.ranSplit(3.5, 0.5);
        lostMs += 3;
      } else ledger.ranOnCaller(0.5);
    }
    expect(lostMs).toBeGreaterThan(100);
    expect(lostMs).toBeLessThan(0.02 * workedMs + 5 + 3);
  });
});

describe('a worker that comes late', () => {
  /** A reduction over four units, whose memory for partial results is as old as the worker was told. */
  const invite = (told: number) => {
    const control = new LoopControl(2);
    control.partialsVersion = 1;
    const range = { start: 0, end: 4, unit: 1, wantsPartials: true, partitioner: partitionerIndex('static') };
    control.open(range, { units: 4, participants: 1, grain: null }, true);
    const mailbox = new Mailbox();
    const partials = new Partials(4);
    const sent: unknown[] = [];
    new LoopParticipant({
      loop: 7,
      kernel: (start: number) => start,
      loaded: true,
      shared: undefined,
      control,
      partials,
      partialsVersion: told,
      mailbox,
      send: (message) => sent.push(message),
    }).takePart();
    return { control, mailbox, sent, partials };
  };

  it('leaves a run alone whose partial results it does not know where to put', () => {
    const { control, mailbox, sent } = invite(0);
    expect([control.isDone, control.hasRoom, mailbox.inside, sent]).toEqual([false, true, 0, []]);
  });

  it('does its part where it knows', () => {
    const { control, sent, partials } = invite(1);
    expect([control.isDone, sent.length]).toEqual([true, 1]);
    expect([0, 1, 2, 3].map((unit) => partials.get(unit))).toEqual([0, 1, 2, 3]);
  });
});
