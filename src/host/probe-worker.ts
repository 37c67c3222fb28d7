/**
 * Measures in a thread of its own, so that the service's event loop goes on: the chases block for seconds together.
 * Started by probe.ts, and by itself once more as the partner of the false-sharing measurement.
 */
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
  readonly falseSharing?: number;
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

// --- False sharing: this thread stores to a line, its partner to the same one or to another ------------------

const [STATE, PLACE, PROGRESS] = [0, 1, 2];
/** Where the partner stores, in Int32 elements from the control words: on our line, or four lines behind. */
const [OWN, SAME_LINE, OTHER_LINE] = [64, 65, 128];
const STORES = 200_000;
/** Many short windows: those in which something else had the partner's core say nothing, and are left out. */
const ROUNDS = 60;
const MIN_VALID = 7;
const PARTNER_BATCH = 500;
const [IDLE, STORING, DONE] = [0, 1, 2];

async function measureFalseSharing([own, other]: readonly [number, number]): Promise<number | undefined> {
  const shared = new SharedArrayBuffer(1024);
  const words = new Int32Array(shared);
  const order: PartnerOrder = { partner: shared, cpu: other };
  const partner = new Worker(new URL(import.meta.url), { workerData: order });
  const gone = new Promise<void>((resolve) => partner.once('exit', () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => partner.once('message', resolve).once('error', reject));
    pin(own);
    store(words, OWN, STORES); // compiled before it is timed
    const [same, apart]: number[][] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      same!.push(...timeBeside(words, SAME_LINE));
      apart!.push(...timeBeside(words, OTHER_LINE));
    }
    if (Math.min(same!.length, apart!.length) < MIN_VALID) return undefined;
    const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1]!;
    return median(same!) / median(apart!);
  } finally {
    Atomics.store(words, STATE, DONE);
    Atomics.notify(words, STATE);
    await gone;
  }
}

/** Time of our stores while the partner stores too; nothing where it did not get to it. */
function timeBeside(words: Int32Array, place: number): number[] {
  Atomics.store(words, PLACE, place);
  Atomics.store(words, STATE, STORING);
  Atomics.notify(words, STATE);
  const seen = Atomics.load(words, PROGRESS);
  const giveUp = performance.now() + 20;
  while (Atomics.load(words, PROGRESS) === seen && performance.now() < giveUp);
  const before = Atomics.load(words, PROGRESS);
  const start = usedNs();
  store(words, OWN, STORES);
  const elapsed = usedNs() - start;
  const stored = Atomics.load(words, PROGRESS) - before;
  Atomics.store(words, STATE, IDLE);
  return stored * PARTNER_BATCH >= STORES / 3 ? [elapsed] : [];
}

function store(words: Int32Array, place: number, count: number): void {
  for (let i = 0; i < count; i += 1) words[place] = (words[place]! + i) | 0;
}

function bePartner({ partner, cpu }: PartnerOrder): void {
  const words = new Int32Array(partner);
  pin(cpu);
  parentPort?.postMessage('ready');
  for (;;) {
    const state = Atomics.load(words, STATE);
    if (state === DONE) return;
    if (state === IDLE) Atomics.wait(words, STATE, IDLE, 1000);
    else {
      store(words, Atomics.load(words, PLACE), PARTNER_BATCH);
      Atomics.add(words, PROGRESS, 1);
    }
  }
}

function pin(cpu: number): void {
  try {
    loadNative().setAffinity(0, Int32Array.of(cpu));
  } catch {
    // Where threads cannot be pinned the scheduler keeps two busy ones apart by itself, mostly.
  }
}

const given = workerData as ProbeOrder | PartnerOrder;
if ('partner' in given) {
  bePartner(given);
} else {
  const figures = measure(given);
  const ratio = given.cores && (await measureFalseSharing(given.cores));
  parentPort?.postMessage({
    ...figures,
    ...(ratio !== undefined && { falseSharing: ratio }),
  } satisfies ProbeFigures);
}
