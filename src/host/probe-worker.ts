/**
 * Measures in a thread of its own, so that the service's event loop goes on: the chases block for seconds together.
 * Started by probe.ts, and by itself once more as the partner of the false-sharing measurement.
 */
import { readFileSync } from 'node:fs';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { LatencyPoint } from '../model/host-probe.js';
import { CLOCK_COLUMNS, type NativeContract, type RegionGrant } from '../native/contract.js';
import { loadNative } from '../native/load.js';

/** Handed to the worker. */
export interface ProbeOrder {
  readonly sizes: readonly number[];
  readonly budgetMs: number;
  readonly hugePages: boolean;
  /** CPUs of two different cores; undefined where there are not two. */
  readonly cores?: readonly [number, number];
}

/** Handed back. NaN stays inside: probe.ts turns it into reasons. */
export interface ProbeFigures {
  readonly curve: readonly LatencyPoint[];
  readonly curveComplete: boolean;
  readonly pages: 'huge' | 'small';
  /** At the largest size, and on which pages: undefined where such pages were not to be had. */
  readonly largeSmallPagesNs?: number;
  readonly largeHugePagesNs?: number;
  readonly pageWalkBytes: number;
  readonly bandwidth: number;
  readonly clocks: Readonly<Record<(typeof CLOCK_COLUMNS)[number], number>>;
  readonly nativeCallNs: number;
  readonly falseSharing?: FalseSharing;
}

export interface FalseSharing {
  /** Whether the kernel put the two threads where they were to be. */
  readonly onTwoCpus: boolean;
  /** Windows of each kind in which both threads ran. */
  readonly windows: number;
  /** Cost beside a writer of the same line over cost beside one of another; undefined where too few windows count. */
  readonly ratio?: number;
}

/** The partner's orders: in shared memory, since it must not wait for messages while it stores. */
interface PartnerOrder {
  readonly partner: SharedArrayBuffer;
  readonly cpu: number;
}

const LINE_BYTES = 64;
const PAGE_WALK_BYTES = 64 * 2 ** 20;
const HUGE_SHARE = 0.9;

/** Shares of the budget; what is left covers setting up. */
const CURVE_SHARE = 0.5;
const BUSY_FACTOR = 3;
const BANDWIDTH_SHARE = 0.05;

function measure(order: ProbeOrder): ProbeFigures {
  const native = loadNative();
  const largest = order.sizes.at(-1)!;
  const pageWalkBytes = Math.min(PAGE_WALK_BYTES, largest);
  const perPointNs = Math.max(1e6, (order.budgetMs * 1e6 * CURVE_SHARE) / (order.sizes.length + 2));

  const main = reserve(native, largest, order.hugePages);
  // The windows keep to the budget; what a busy machine and setting up take comes on top, within limits.
  const deadline = performance.now() + BUSY_FACTOR * order.budgetMs;
  const pages = main.huge ? 'huge' : 'small';
  const curve: LatencyPoint[] = [];
  for (const sizeBytes of order.sizes) {
    if (performance.now() > deadline && curve.length > 0) break;
    const latencyNs = native.probeLatency(main.bytes, sizeBytes, LINE_BYTES, Math.round(perPointNs));
    if (Number.isFinite(latencyNs)) curve.push({ sizeBytes, latencyNs });
  }
  const bandwidth = native.probeBandwidth(
    main.bytes,
    largest,
    Math.round(order.budgetMs * 1e6 * BANDWIDTH_SHARE),
  );
  const ownLarge = native.probeLatency(main.bytes, pageWalkBytes, LINE_BYTES, Math.round(perPointNs));
  main.close();

  let smallNs = main.huge ? undefined : ownLarge;
  if (main.huge) {
    const small = reserve(native, pageWalkBytes, false);
    if (!small.huge)
      smallNs = native.probeLatency(small.bytes, pageWalkBytes, LINE_BYTES, Math.round(perPointNs));
    small.close();
  }
  const clocks = new Float64Array(CLOCK_COLUMNS.length);
  native.probeClocks(clocks);
  return {
    curve,
    curveComplete: curve.length === order.sizes.length,
    pages,
    pageWalkBytes,
    ...(smallNs !== undefined && { largeSmallPagesNs: smallNs }),
    ...(main.huge && { largeHugePagesNs: ownLarge }),
    bandwidth,
    clocks: Object.fromEntries(
      CLOCK_COLUMNS.map((column, i) => [column, clocks[i]!]),
    ) as ProbeFigures['clocks'],
    nativeCallNs: emptyCallNs(native),
  };
}

/** Resident memory, and whether nearly all of it lies in huge pages. */
function reserve(native: NativeContract, sizeBytes: number, hugePages: boolean) {
  const grant: RegionGrant = native.regionCreate(sizeBytes, 64, hugePages ? 1 : 0, true);
  const bytes = new Uint8Array(grant.buffer, grant.offsetBytes, grant.sizeBytes);
  const residency = new Float64Array(2);
  native.regionResidency(grant.id, residency);
  const huge = residency[1]! >= sizeBytes * HUGE_SHARE;
  return { bytes, huge, close: () => native.regionClose(grant.id) };
}

/** CPU time of this thread, so that waiting for a processor costs nothing; wall-clock time where there is none. */
function usedNs(): number {
  const used = loadNative().threadCpuTimeNs();
  return Number.isNaN(used) ? performance.now() * 1e6 : used;
}

function emptyCallNs(native: NativeContract): number {
  if (native.implementation === 'fallback') return NaN;
  const CALLS = 20_000;
  const rounds = Array.from({ length: 9 }, () => {
    const start = usedNs();
    for (let i = 0; i < CALLS; i += 1) native.emptyCall();
    return (usedNs() - start) / CALLS;
  });
  return rounds.sort((a, b) => a - b)[rounds.length >> 1]!;
}

// --- False sharing: both threads add to words of one line, or of two -------------------------------------------------

const [PLACE, PROGRESS, DONE] = [0, 1, 2];
/** Where the partner adds, in Int32 elements from the control words: on our line, or four lines behind. */
const [OWN, SAME_LINE, OTHER_LINE] = [64, 65, 128];
/** Some 100 µs of additions to a line that is fought for: many windows fit where both threads have their CPUs. */
const ADDITIONS = 1_000;
/** Windows in which something else had the partner's core say nothing, and are left out. */
const [MAX_WINDOWS, MIN_WINDOWS] = [200, 15];
const PARTNER_BATCH = 25;
/** Of our additions: a partner that made fewer was not there for most of the window. */
const MIN_PARTNER_SHARE = 0.2;
/** A quiet machine needs 50 ms; a busy one gets longer, since most of its windows do not count. */
const LEAST_SHARING_MS = 300;
const PARTNER_PATIENCE_MS = 5;

/**
 * Atomic additions, because a plain store waits in the store buffer while the loop goes on: whether that hides the other
 * core's line depends on the processor, and mostly did (0.94 to 1.0 with plain stores). Both threads are pinned, and
 * where they really run is asked of the kernel: without two CPUs there is nothing to measure.
 */
async function measureFalseSharing(
  [own, other]: readonly [number, number],
  budgetMs: number,
): Promise<FalseSharing> {
  const words = new Int32Array(new SharedArrayBuffer(1024));
  const order: PartnerOrder = { partner: words.buffer, cpu: other };
  const partner = new Worker(new URL(import.meta.url), { workerData: order });
  const gone = new Promise<void>((resolve) => partner.once('exit', () => resolve()));
  try {
    const partnerCpu = await new Promise<number>((resolve, reject) =>
      partner.once('message', resolve).once('error', reject),
    );
    pin(own);
    const onTwoCpus = currentCpu() === own && partnerCpu === other;
    const windows = { same: [] as number[], apart: [] as number[] };
    if (!onTwoCpus) return { onTwoCpus, windows: 0 };
    add(words, OWN, 100 * ADDITIONS); // compiled before it is timed
    const deadline = performance.now() + Math.max(LEAST_SHARING_MS, budgetMs);
    while (
      Math.min(windows.same.length, windows.apart.length) < MAX_WINDOWS &&
      performance.now() < deadline
    ) {
      windows.same.push(...timeBeside(words, SAME_LINE));
      windows.apart.push(...timeBeside(words, OTHER_LINE));
    }
    const counted = Math.min(windows.same.length, windows.apart.length);
    if (counted < MIN_WINDOWS) return { onTwoCpus, windows: counted };
    const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1]!;
    return { onTwoCpus, windows: counted, ratio: median(windows.same) / median(windows.apart) };
  } finally {
    Atomics.store(words, DONE, 1);
    await gone;
  }
}

/** CPU time of our additions while the partner adds too; nothing where it did not get to it. */
function timeBeside(words: Int32Array, place: number): number[] {
  Atomics.store(words, PLACE, place);
  // Twice: the first batch that ends may have begun at the other place.
  const seen = Atomics.load(words, PROGRESS);
  const giveUp = performance.now() + PARTNER_PATIENCE_MS;
  while (Atomics.load(words, PROGRESS) - seen < 2 && performance.now() < giveUp);
  const before = Atomics.load(words, PROGRESS);
  const start = usedNs();
  add(words, OWN, ADDITIONS);
  const elapsed = usedNs() - start;
  const added = (Atomics.load(words, PROGRESS) - before) * PARTNER_BATCH;
  return added >= ADDITIONS * MIN_PARTNER_SHARE ? [elapsed] : [];
}

function add(words: Int32Array, place: number, count: number): void {
  for (let i = 0; i < count; i += 1) Atomics.add(words, place, 1);
}

/** The CPU that the calling thread runs on: field 39 of its stat file (proc(5)); -1 where the kernel does not tell. */
function currentCpu(): number {
  try {
    const text = readFileSync('/proc/thread-self/stat', 'utf8');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[36]);
  } catch {
    return -1;
  }
}

function bePartner({ partner, cpu }: PartnerOrder): void {
  const words = new Int32Array(partner);
  pin(cpu);
  parentPort?.postMessage(currentCpu());
  while (Atomics.load(words, DONE) === 0) {
    add(words, Atomics.load(words, PLACE) || OTHER_LINE, PARTNER_BATCH);
    Atomics.add(words, PROGRESS, 1);
  }
}

function pin(cpu: number): void {
  try {
    loadNative().setAffinity(0, Int32Array.of(cpu));
  } catch {
    // Not permitted, or not on this platform: what the kernel says of the CPU decides.
  }
}

const given = workerData as ProbeOrder | PartnerOrder;
if ('partner' in given) {
  bePartner(given);
} else {
  const figures = measure(given);
  const falseSharing = given.cores && (await measureFalseSharing(given.cores, given.budgetMs));
  parentPort?.postMessage({
    ...figures,
    ...(falseSharing !== undefined && { falseSharing }),
  } satisfies ProbeFigures);
}
