/**
 * Timing of one batch: n calls of one side between two clock reads.
 *
 * The loops below are shared by all functions and made megamorphic before use. So every call is a real call:
 * V8 cannot inline the body into the loop, hoist it out, or drop it because its result goes unused. Generating
 * a loop per function (as mitata does) avoids two nanoseconds of call cost and has to fight all three.
 */
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** One side, ready to be timed. */
export interface Side {
  readonly label: string;
  readonly call: () => unknown;
  /** Its calls return promises: each is awaited before the next begins. */
  readonly asynchronous: boolean;
}

export interface Batch {
  readonly calls: number;
  readonly startMs: number;
  readonly timeMs: number;
  readonly cpuMs: number;
  /** Growth of the heap and of external memory. Wrong where a collection fell into the batch. */
  readonly grownBytes: number;
  readonly pageFaults: number;
}

/** Keeps the last result reachable, so that no batch is without effect. */
let lastResult: unknown;

function callLoop(call: () => unknown, calls: number): void {
  let result: unknown;
  for (let i = 0; i < calls; i += 1) result = call();
  lastResult = result;
}

async function awaitLoop(call: () => unknown, calls: number): Promise<void> {
  let result: unknown;
  for (let i = 0; i < calls; i += 1) result = await call();
  lastResult = result;
}

let primed = false;

/** Shows the loops and the bound calls several targets, after which V8 gives up on specialising them. */
async function prime(): Promise<void> {
  if (primed) return;
  primed = true;
  const targets = [() => 1, () => 'a', () => null, () => [], () => lastResult, () => 0.5];
  for (let round = 0; round < 50; round += 1) {
    for (const target of targets) {
      callLoop(target, 20);
      await awaitLoop(target, 2);
      for (const args of [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]) callLoop(bindCall(target, args), 20);
    }
  }
}

function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** A side threw, or its promise was rejected. */
export class SideThrew extends Error {
  readonly label: string;

  constructor(label: string, cause: unknown) {
    super(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause), { cause });
    this.label = label;
  }
}

/** Runs and measures one batch. @throws SideThrew */
export async function runBatch(side: Side, calls: number): Promise<Batch> {
  const before = process.resourceUsage();
  const heapBefore = heapBytes();
  const startMs = performance.now();
  try {
    if (side.asynchronous) await awaitLoop(side.call, calls);
    else callLoop(side.call, calls);
  } catch (cause) {
    throw new SideThrew(side.label, cause);
  }
  const endMs = performance.now();
  const heapAfter = heapBytes();
  const after = process.resourceUsage();
  return {
    calls,
    startMs,
    timeMs: endMs - startMs,
    cpuMs: (after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1e3,
    grownBytes: heapAfter - heapBefore,
    pageFaults: after.minorPageFault + after.majorPageFault - before.minorPageFault - before.majorPageFault,
  };
}

/**
 * Wall time of `calls` calls alone, in ms, after `lead` calls that are not timed: they bring a side's code and data back
 * into the caches that another side had in between. Much cheaper than {@link runBatch}, so that a batch can be short.
 * The loops must have been primed, as {@link calibrateInstrument} does.
 *
 * @returns a promise for an asynchronous side, else the time itself.
 * @throws SideThrew
 */
export function timeCalls(side: Side, lead: number, calls: number): number | Promise<number> {
  if (side.asynchronous) return timeAwaited(side, lead, calls);
  try {
    if (lead > 0) callLoop(side.call, lead);
    const startMs = performance.now();
    callLoop(side.call, calls);
    return performance.now() - startMs;
  } catch (cause) {
    throw new SideThrew(side.label, cause);
  }
}

async function timeAwaited({ call, label }: Side, lead: number, calls: number): Promise<number> {
  try {
    if (lead > 0) await awaitLoop(call, lead);
    const startMs = performance.now();
    await awaitLoop(call, calls);
    return performance.now() - startMs;
  } catch (cause) {
    throw new SideThrew(label, cause);
  }
}

/** What this clock and the loops cost by themselves. */
export interface Instrument {
  /** Smallest step of the clock. */
  readonly clockStepMs: number;
  /** One call of a function that does nothing. */
  readonly emptyCallMs: number;
  /** Heap growth that one measurement causes itself. */
  readonly heapOverheadBytes: number;
}

/** Measures the instrument itself. `emptyCall` must be wrapped as the sides are. Takes a few milliseconds. */
export async function calibrateInstrument(
  emptyCall: () => unknown,
  asynchronous: boolean,
): Promise<Instrument> {
  await prime();
  const empty: Side = { label: 'empty', call: emptyCall, asynchronous };
  const rounds = 12;
  let emptyCallMs = Infinity;
  const growth: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const batch = await runBatch(empty, asynchronous ? 2_000 : 50_000);
    emptyCallMs = Math.min(emptyCallMs, batch.timeMs / batch.calls);
    growth.push((await runBatch(empty, asynchronous ? 0 : 1)).grownBytes);
  }
  growth.sort((a, b) => a - b);
  return { clockStepMs: clockStep(), emptyCallMs, heapOverheadBytes: growth[rounds / 2]! };
}

function clockStep(): number {
  let smallest = Infinity;
  for (let i = 0; i < 50; i += 1) {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    smallest = Math.min(smallest, now - start);
  }
  return smallest;
}

/** Binds arguments without spreading them on every call, which would cost more than many bodies do. */
export function bindCall(fn: (...args: unknown[]) => unknown, args: readonly unknown[]): () => unknown {
  const [a, b, c] = args;
  switch (args.length) {
    case 0:
      return fn;
    case 1:
      return () => fn(a);
    case 2:
      return () => fn(a, b);
    case 3:
      return () => fn(a, b, c);
    default:
      return () => fn(...args);
  }
}
