/**
 * One replicate: both sides in one process, warmed up until steady, then measured in randomised interleaved
 * pairs of batches of about a millisecond. Yields the median log ratio of the pairs.
 *
 * Interleaving makes both sides see the same host: what slows a whole second slows both batches of a pair.
 * Running all of one side and then all of the other, as common harnesses do, turns every drift of the host into
 * a difference between the sides. The median shrugs off the pairs that a preemption fell into.
 *
 * A median would shrug off garbage collections as well, and with them the very cost that pools and layouts
 * save. So pauses are taken out of the batches that they happened to fall into and spread over all batches of
 * the sides, in proportion to what each side allocated.
 */
import type { Batch, Instrument, Side } from './batch.js';
import { calibrateInstrument, runBatch } from './batch.js';
import { GcLog, type GcPause } from './gc-log.js';
import { countPair } from './pair-counters.js';
import { isBimodal, mean, median, medianDeviation, sum } from './statistics.js';
import { warmUp } from './warm-up.js';

const BATCH_MS = 1;
/** Time in measured batches per replicate; more would not help, the spread between processes is greater. */
const MEASURED_MS = 160;
const MIN_PAIRS = 3;
const LONGEST_COUNTED_MS = 20;
const ALLOCATION_BATCH_MS = 0.1;
const ALLOCATION_BATCHES = 15;
const MIN_ALLOCATION_BATCHES = 3;

export interface ReplicateCost {
  readonly name: string;
  readonly unit: string;
  readonly baseline: number;
  readonly candidate: number;
}

/** What a replicate noticed about its own measurement. */
export type ReplicateFlag =
  'timer-too-coarse' | 'bimodal' | 'not-steady' | 'failed-requests' | `dead-code:${'0' | '1'}`;

export interface Replicate {
  /** log(candidate ÷ baseline) of the measure asked for. */
  readonly logRatio: number;
  readonly pairs: number;
  /** Per call, in ns. */
  readonly baselineCost: number;
  readonly candidateCost: number;
  readonly costs: readonly ReplicateCost[];
  readonly flags: readonly ReplicateFlag[];
}

export interface PairOptions {
  readonly measure: 'time' | 'cpu';
  /** Index of the side that is defined and warmed up first: alternated between replicates. */
  readonly first: 0 | 1;
  /** Wrapped as the sides are, does nothing. */
  readonly emptyCall: () => unknown;
  /** Called between pairs, at least every few milliseconds of work. */
  readonly breathe: () => void | Promise<void>;
  /** Time in measured batches; `MEASURED_MS` by default. */
  readonly measuredMs?: number;
  /** A replicate before this one warmed both sides up, in this process. */
  readonly isWarm?: boolean;
}

interface Pair {
  readonly batches: readonly [Batch, Batch];
}

/** Warms both sides up and measures them. @throws SideThrew */
export async function measureReplicate(
  sides: readonly [Side, Side],
  options: PairOptions,
): Promise<Replicate> {
  const asynchronous = sides[0].asynchronous || sides[1].asynchronous;
  const instrument = await calibrateInstrument(options.emptyCall, asynchronous);
  const { first, breathe, isWarm = false } = options;
  const warm = await warmUp(sides, { batchMs: BATCH_MS, first, breathe, isWarm });
  const log = new GcLog();
  try {
    const pairs = await runPairs(sides, warm.callsPerBatch, warm.roundMs, options);
    const bytesPerCall: (number | undefined)[] = [];
    for (const side of [0, 1] as const) {
      const msPerCall = warm.roundMs / 2 / warm.callsPerBatch[side];
      bytesPerCall.push(
        await allocatedPerCall(sides[side], msPerCall, {
          log,
          overheadBytes: instrument.heapOverheadBytes,
          limitMs: options.measuredMs ?? MEASURED_MS,
        }),
      );
    }
    const replicate = summarise(
      pairs,
      await log.pauses(),
      bytesPerCall,
      instrument,
      warm.steady,
      options.measure,
    );
    // Not for long calls: their batches would take longer than the measurement.
    if (warm.roundMs > LONGEST_COUNTED_MS) return replicate;
    const counted = await countPair(sides, warm.callsPerBatch, options.breathe);
    return { ...replicate, costs: [...replicate.costs, ...counted] };
  } finally {
    log.close();
  }
}

async function runPairs(
  sides: readonly [Side, Side],
  calls: readonly [number, number],
  roundMs: number,
  options: PairOptions,
): Promise<Pair[]> {
  const wished = Math.ceil((options.measuredMs ?? MEASURED_MS) / roundMs);
  const count = Math.max(wished, roundMs > 1000 ? 1 : MIN_PAIRS);
  const pairs: Pair[] = [];
  for (const first of balancedOrder(count, options.first)) {
    const second = first === 0 ? 1 : 0;
    const earlier = await runBatch(sides[first], calls[first]);
    const later = await runBatch(sides[second], calls[second]);
    pairs.push({ batches: first === 0 ? [earlier, later] : [later, earlier] });
    await options.breathe();
  }
  return pairs;
}

/** Which side goes first in each pair: each equally often, in random order. */
function balancedOrder(count: number, first: 0 | 1): (0 | 1)[] {
  const order = Array.from({ length: count }, (_, i) => ((i + first) % 2) as 0 | 1);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function summarise(
  pairs: readonly Pair[],
  pauses: readonly GcPause[],
  bytesPerCall: readonly (number | undefined)[],
  instrument: Instrument,
  steady: boolean,
  measure: 'time' | 'cpu',
): Replicate {
  const sides = ([0, 1] as const).map((side) => {
    const batches = pairs.map((pair) => pair.batches[side]);
    const stopped = batches.map((batch) => pausesWithin(batch, pauses));
    const pauseLengths = stopped.flat();
    const calls = sum(batches.map((batch) => batch.calls));
    return {
      batches,
      stoppedMs: stopped.map(sum),
      calls,
      bytesPerCall: bytesPerCall[side],
      pauseLengths,
      pauseMs: sum(pauseLengths),
      faultsPerCall: sum(batches.map((batch) => batch.pageFaults)) / calls,
      cpuMsPerCall: sum(batches.map((batch) => batch.cpuMs)) / calls,
    };
  }) as unknown as [SideFigures, SideFigures];

  const shares = collectionShares(sides);
  const totalPauseMs = sides[0].pauseMs + sides[1].pauseMs;
  const totalPauses = sides[0].pauseLengths.length + sides[1].pauseLengths.length;
  const gcMsPerCall = sides.map((side, i) => (totalPauseMs * shares[i]!) / side.calls);
  const times = sides.map((side, i) =>
    side.batches.map((batch, k) => {
      const ownMs = Math.max(batch.timeMs - side.stoppedMs[k]!, 0);
      return ownMs / batch.calls + gcMsPerCall[i]!;
    }),
  ) as [number[], number[]];

  // CPU time does not see preemption, so nothing has to be cut off: totals keep everything that was spent.
  const logRatio =
    measure === 'cpu'
      ? Math.log(sides[1].cpuMsPerCall / sides[0].cpuMsPerCall)
      : median(times[0].map((time, k) => Math.log(times[1][k]! / time)));

  const [a, b] = sides;
  const costs: ReplicateCost[] = [];
  const cost = (name: string, unit: string, values: readonly (number | undefined)[]) => {
    const [baseline, candidate] = values;
    if (baseline !== undefined && candidate !== undefined) costs.push({ name, unit, baseline, candidate });
  };
  if (measure === 'cpu') cost('time', 'ns', [median(times[0]) * 1e6, median(times[1]) * 1e6]);
  else cost('cpu time', 'ns', [a.cpuMsPerCall * 1e6, b.cpuMsPerCall * 1e6]);
  cost('allocated', 'bytes', [a.bytesPerCall, b.bytesPerCall]);
  cost('gc pause', 'ns', [gcMsPerCall[0]! * 1e6, gcMsPerCall[1]! * 1e6]);
  cost(
    'gc count',
    'per 1000 calls',
    sides.map((side, i) => (1000 * totalPauses * shares[i]!) / side.calls),
  );
  cost(
    'page faults',
    'per 1000 calls',
    sides.map((side) => 1000 * side.faultsPerCall),
  );

  return {
    logRatio,
    pairs: pairs.length,
    baselineCost: 1e6 * (measure === 'cpu' ? a.cpuMsPerCall : median(times[0])),
    candidateCost: 1e6 * (measure === 'cpu' ? b.cpuMsPerCall : median(times[1])),
    costs,
    flags: flagsOf(sides, times, instrument, steady),
  };
}

interface SideFigures {
  readonly batches: readonly Batch[];
  readonly stoppedMs: readonly number[];
  readonly calls: number;
  readonly bytesPerCall: number | undefined;
  readonly pauseLengths: readonly number[];
  readonly pauseMs: number;
  readonly faultsPerCall: number;
  readonly cpuMsPerCall: number;
}

/** Lengths of the pauses that began within a batch, in ms. `pauses` are in order of time. */
function pausesWithin(batch: Batch, pauses: readonly GcPause[]): number[] {
  const endMs = batch.startMs + batch.timeMs;
  const lengths: number[] = [];
  for (const pause of pauses) {
    if (pause.startMs >= endMs) break;
    if (pause.startMs >= batch.startMs) lengths.push(pause.durationMs);
  }
  return lengths;
}

/**
 * Bytes that one call allocates: median over batches that are short enough for most to pass without a
 * collection. Undefined where single calls allocate so much that they hardly ever do. Of slow calls as many are made as take
 * as long as the pairs did, or three.
 */
async function allocatedPerCall(
  side: Side,
  msPerCall: number,
  { log, overheadBytes, limitMs }: { log: GcLog; overheadBytes: number; limitMs: number },
): Promise<number | undefined> {
  const calls = Math.max(1, Math.min(64, Math.floor(ALLOCATION_BATCH_MS / msPerCall)));
  const batches: Batch[] = [];
  let spentMs = 0;
  while (
    batches.length < MIN_ALLOCATION_BATCHES ||
    (batches.length < ALLOCATION_BATCHES && spentMs < limitMs)
  ) {
    const batch = await runBatch(side, calls);
    batches.push(batch);
    spentMs += batch.timeMs;
  }
  const pauses = await log.pauses();
  const undisturbed = batches.filter((batch) => pausesWithin(batch, pauses).length === 0);
  if (undisturbed.length < MIN_ALLOCATION_BATCHES) return undefined;
  return Math.max(
    0,
    Math.round(median(undisturbed.map((batch) => (batch.grownBytes - overheadBytes) / calls))),
  );
}

/**
 * Share of all pauses that each side answers for. How many collections a side causes follows from what it
 * allocates, and so does their length, unless the sides keep very different amounts alive: then pauses within
 * one side's batches are plainly longer, and their typical length counts too. (Lengths as measured would bring
 * in more noise than they explain where the sides are alike.)
 */
function collectionShares(sides: readonly [SideFigures, SideFigures]): readonly [number, number] {
  const bytes = sides.map((side) => (side.bytesPerCall === undefined ? NaN : side.bytesPerCall * side.calls));
  let [a, b] = [sides[0].pauseMs, sides[1].pauseMs];
  if (bytes[0]! + bytes[1]! > 0) {
    const lengths = typicalLengths(sides[0].pauseLengths, sides[1].pauseLengths);
    a = bytes[0]! * lengths[0];
    b = bytes[1]! * lengths[1];
  }
  const total = a + b;
  return total > 0 ? [a / total, b / total] : [0.5, 0.5];
}

/** Typical pause of each side where they surely differ, else the same for both. */
function typicalLengths(a: readonly number[], b: readonly number[]): readonly [number, number] {
  if (Math.min(a.length, b.length) < 8) return [1, 1];
  const [first, second] = [median(a), median(b)];
  const errorOf = (lengths: readonly number[], centre: number) =>
    (1.25 * medianDeviation(lengths)) / centre / Math.sqrt(lengths.length);
  const error = Math.hypot(errorOf(a, first), errorOf(b, second));
  return Math.abs(Math.log(second / first)) > Math.max(0.2, 4 * error) ? [first, second] : [1, 1];
}

function flagsOf(
  sides: readonly [SideFigures, SideFigures],
  times: readonly [number[], number[]],
  instrument: Instrument,
  steady: boolean,
): ReplicateFlag[] {
  const flags: ReplicateFlag[] = [];
  const batchMs = Math.min(...sides.map((side) => mean(side.batches.map((batch) => batch.timeMs))));
  if (instrument.clockStepMs > batchMs / 100) flags.push('timer-too-coarse');
  if (times.some(isBimodal)) flags.push('bimodal');
  if (!steady) flags.push('not-steady');
  for (const side of [0, 1] as const) {
    // A sixth more than an empty call is within what alignment of the loop alone can cause.
    if (median(times[side]) < instrument.emptyCallMs * 1.17) flags.push(`dead-code:${side}`);
  }
  return flags;
}
