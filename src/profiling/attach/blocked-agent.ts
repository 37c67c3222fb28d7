/**
 * A profile by the agent inside a program, also where the program's event loop is blocked, so that the agent cannot
 * begin or cannot answer.
 *
 * Method. The agent says when its profile has begun. Where it does not within three seconds, or gives no answer three
 * seconds after the window, the loop is blocked: then the program is profiled from outside through its inspector, which
 * V8 answers between two of the program's own steps. Whoever is done first is taken: a loop that comes round has the
 * fuller profile.
 *
 * Rejected: a watchdog thread in every program with the agent. It costs each of them its start and about 9 MB for what
 * few need, and the inspector does the same from here. (`optimizer.monitor` has one, for services that want it.)
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../../errors.js';
import type { Signals } from '../../model/signals.js';
import type { ProfileType } from '../../model/types.js';
import type { Agent, AgentProfileOptions } from '../controller.js';
import { END_KEY, NO_ROOM, SNAPSHOTS_MS } from '../protocol.js';
import { openInspector } from './inspector-access.js';
import { readNodeProcess } from './node-process.js';
import { openOutside } from './outside.js';

/** An agent that gives no sign for so long has no loop that comes round. */
const SILENT_MS = 3000;
/** A block is the same in its fifth second as in its first. */
const MAX_OUTSIDE_MS = 5000;

const BLOCKED = 'The program’s event loop did not come round';
const FULL = 'The program’s heap is too near to its limit for a profiler inside it';

/** Whether signals were gathered from outside because the loop was blocked: their window is then one of its own. */
export function wasBlocked({ warnings }: Signals): boolean {
  return warnings[0]?.startsWith(BLOCKED) === true;
}

/**
 * As `Agent.profile`, and what was gathered from outside where the loop is blocked; a warning says so.
 *
 * @throws as `Agent.profile`.
 */
export async function profileEvenBlocked(
  agent: Agent,
  type: ProfileType,
  options: AgentProfileOptions,
): Promise<Signals> {
  const { durationMs, retainers } = options;
  // Its snapshots block the loop: that is no answer of the program's.
  const silentMs = retainers === true ? SNAPSHOTS_MS : SILENT_MS;
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, ...(options.signal ? [options.signal] : [])]);
  const wait = (ms: number) => delay(ms, undefined, { signal }).catch(() => {});
  let isDone = false;
  let hasBegun = false;
  let onBegun!: () => void;
  const begun = new Promise<void>((resolve) => {
    onBegun = () => {
      hasBegun = true;
      resolve();
    };
  });
  const own = agent.profile(type, { ...options, signal, onBegun }).finally(() => (isDone = true));
  own.catch(() => {});
  let outside: Promise<Signals> | undefined;
  try {
    try {
      await Promise.race([own, begun, wait(silentMs)]);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes(NO_ROOM))) throw error;
      // From outside nothing is loaded, and V8's profiles are not read into the program's heap.
      outside = profileOutside(agent.hello.pid, type, { ...options, signal }, FULL);
      return await outside.catch(() => own);
    }
    if (hasBegun) await Promise.race([own, wait(durationMs + silentMs)]);
    if (isDone || signal.aborted) return await own;
    const windowMs = hasBegun ? Math.min(durationMs, MAX_OUTSIDE_MS) : durationMs;
    const silent = `${BLOCKED} for ${silentMs / 1000} s, so the agent inside it had no say`;
    outside = profileOutside(agent.hello.pid, type, { ...options, signal, durationMs: windowMs }, silent);
    // Where neither has an answer, the agent's error is the one that tells.
    return await Promise.any([own, outside]).catch(() => own);
  } finally {
    ending.abort();
    // It closes the inspector.
    await outside?.catch(() => {});
  }
}

async function profileOutside(
  pid: number,
  type: ProfileType,
  options: AgentProfileOptions,
  why: string,
): Promise<Signals> {
  const attached = await openOutside(pid, options.signal);
  let signals: Signals | undefined;
  let left: string | undefined;
  try {
    signals = await attached.profile(type, options);
  } finally {
    left = await attached.close();
  }
  const warning = `${why}: it was profiled from outside, without operations and waits.`;
  return { ...signals, warnings: [warning, ...(left === undefined ? [] : [left]), ...signals.warnings] };
}

/** From the window's end to the moment where a loop that has not answered counts as blocked. */
const END_SILENT_MS = 500;
/** What putting the signals together may take, on a machine with other work. */
const HAND_OVER_MS = 20_000;

/**
 * The signals of a profile that began with the program, at its window's end: those that the agent sends, or where the
 * loop is blocked those that it leaves in a file when told by the inspector, which V8 obeys between two of the
 * program's own steps. The profile is the same, only its end is later by the time that the inspector takes to open.
 *
 * @throws TargetError where there are none; AbortedError.
 */
export async function endStarted(agent: Agent, signal: AbortSignal): Promise<Signals> {
  const started = agent.fromStart!;
  const { pid } = agent.hello;
  started.end();
  const waited = new AbortController();
  const ends = AbortSignal.any([signal, waited.signal]);
  const late = (ms: number) => delay(ms, undefined, { signal: ends }).catch(() => undefined);
  try {
    const own = await Promise.race([started.signals, late(END_SILENT_MS)]);
    if (own !== undefined) return own;
    signal.throwIfAborted();
    const blocked = endByInspector(pid, ends).then(async () => {
      const signals = await started.spooled();
      if (signals === undefined) return undefined;
      const warning = `${BLOCKED} before the window’s end, so the profile was ended through the program’s inspector.`;
      return { ...signals, warnings: [warning, ...signals.warnings] };
    });
    // It may come round meanwhile, be putting the signals together already, or refuse an inspector.
    const refused = blocked.then((signals) => signals ?? late(HAND_OVER_MS)).catch(() => late(HAND_OVER_MS));
    const signals = await Promise.race([started.signals, refused]);
    if (signals !== undefined) return signals;
    signal.throwIfAborted();
    throw fail('AGENT_FAILED', {
      pid,
      reason: `its event loop is blocked, and it gave no answer for ${HAND_OVER_MS / 1000} s.`,
    });
  } finally {
    waited.abort();
  }
}

async function endByInspector(pid: number, signal: AbortSignal): Promise<void> {
  const access = await openInspector(readNodeProcess(pid), signal);
  const waited = new AbortController();
  try {
    const answer = access.inspector.evaluate<boolean>(`globalThis[Symbol.for('${END_KEY}')]?.()`);
    answer.catch(() => {});
    const ends = AbortSignal.any([signal, waited.signal]);
    await Promise.race([answer, delay(HAND_OVER_MS, undefined, { signal: ends }).catch(() => {})]);
  } finally {
    waited.abort();
    await access.release();
  }
}
