/**
 * The watchdog's thread: while the main thread's count stands still, it profiles it through an inspector session
 * to that thread, which V8 answers between two of the blocked program's own steps. The profiler is made anew for
 * each block. Where the block outlasts its profile, what was found is reported from here: the main thread may never
 * come to it, and whoever kills the process would take it along.
 */
import { Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import type { RawCpuProfile } from './cpu/raw.js';

/** Who reports a block that lasts on: a module with an export `reportBlock`, and what that needs. */
export interface BlockReporter {
  /** URL of the module. */
  readonly module: string;
  /** Handed to it as it is: of what `structuredClone` takes. */
  readonly argument: unknown;
}

/** @returns the id of the result that it stored; undefined where the block is the tool's own. */
export type ReportBlock = (
  block: { readonly blockedMs: number; readonly limitMs: number; readonly profile: RawCpuProfile },
  argument: unknown,
) => Promise<string | undefined>;

/** Told to the main thread when it comes round. */
export interface WatchdogMessage {
  readonly blockedMs: number;
  readonly profile: RawCpuProfile;
  readonly resultId?: string;
}

const { beats, blockedMs, reporter } = workerData as {
  beats: Int32Array;
  blockedMs: number;
  reporter?: BlockReporter;
};
/** A longer block says nothing new about itself. */
const MOST_MS = 5000;
const SAMPLING_INTERVAL_US = 1000;
const POLL_MS = 10;
const KEEP_ALIVE_MS = 60_000;

let seen = Atomics.load(beats, 0);
let changedAt = performance.now();
// A program that begins with a long block never counted yet: its start is not watched.
let isArmed = false;

function comesRound(): boolean {
  const now = Atomics.load(beats, 0);
  if (now === seen) return false;
  seen = now;
  changedAt = performance.now();
  isArmed = true;
  return true;
}

async function profileBlock(): Promise<void> {
  const since = changedAt;
  const session = new Session();
  session.connectToMainThread();
  const post = (method: string, params: object = {}) =>
    new Promise<unknown>((resolve, reject) => {
      (
        session.post as (m: string, p: object, done: (error: Error | null, result: unknown) => void) => void
      ).call(session, method, params, (error, result) => (error === null ? resolve(result) : reject(error)));
    });
  try {
    await post('Profiler.enable');
    await post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
    await post('Profiler.start');
    // Discards code that was optimised before: V8 cannot name the function of a sample in it (see samplers/cpu-profile.ts).
    // Under the profiler's eyes: between two commands a loop that spins for long is optimised again.
    await post('Profiler.startPreciseCoverage', { callCount: false, detailed: false });
    await post('Profiler.stopPreciseCoverage');
    const startedAt = performance.now();
    while (!comesRound() && performance.now() - startedAt < MOST_MS)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const { profile } = (await post('Profiler.stop')) as { profile: RawCpuProfile };
    const lastsOn = changedAt === since && !comesRound();
    const resultId = lastsOn ? await report(performance.now() - since, profile) : undefined;
    // How long it lasted is known when it is over, also where it outlasts the profile.
    while (changedAt === since && !comesRound())
      await new Promise((resolve) => setTimeout(resolve, blockedMs / 4));
    const message: WatchdogMessage = {
      blockedMs: changedAt - since,
      profile,
      ...(resultId !== undefined && { resultId }),
    };
    parentPort!.postMessage(message);
  } finally {
    session.disconnect();
  }
}

async function report(lastedMs: number, profile: RawCpuProfile): Promise<string | undefined> {
  if (reporter === undefined) return undefined;
  try {
    const { reportBlock } = (await import(reporter.module)) as { reportBlock: ReportBlock };
    return await reportBlock({ blockedMs: lastedMs, limitMs: blockedMs, profile }, reporter.argument);
  } catch {
    // A store that cannot be written: the main thread tries again, and can say so, when it comes round.
    return undefined;
  }
}

// An answer of the main thread alone does not keep this thread alive.
setInterval(() => {}, KEEP_ALIVE_MS);

for (;;) {
  await new Promise((resolve) => setTimeout(resolve, blockedMs / 4));
  if (comesRound() || !isArmed || performance.now() - changedAt < blockedMs) continue;
  await profileBlock().catch(() => {
    // Another profiler of the main thread was in the way, or the process ends: the next block is a new one.
  });
}
