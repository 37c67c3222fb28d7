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
import type { Signals } from '../../model/signals.js';
import type { ProfileType } from '../../model/types.js';
import type { Agent, AgentProfileOptions } from '../controller.js';
import { openOutside } from './outside.js';

/** An agent that gives no sign for so long has no loop that comes round. */
const SILENT_MS = 3000;
/** A block is the same in its fifth second as in its first. */
const MAX_OUTSIDE_MS = 5000;

const BLOCKED = `The program’s event loop did not come round for ${SILENT_MS / 1000} s`;

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
  const { durationMs } = options;
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
    await Promise.race([own, begun, wait(SILENT_MS)]);
    if (hasBegun) await Promise.race([own, wait(durationMs + SILENT_MS)]);
    if (isDone || signal.aborted) return await own;
    outside = profileOutside(agent.hello.pid, type, {
      ...options,
      signal,
      durationMs: hasBegun ? Math.min(durationMs, MAX_OUTSIDE_MS) : durationMs,
    });
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
): Promise<Signals> {
  const attached = await openOutside(pid, options.signal);
  let signals: Signals | undefined;
  let left: string | undefined;
  try {
    signals = await attached.profile(type, options);
  } finally {
    left = await attached.close();
  }
  const warning = `${BLOCKED}, so the agent inside it had no say: it was profiled from outside, without operations and waits.`;
  return { ...signals, warnings: [warning, ...(left === undefined ? [] : [left]), ...signals.warnings] };
}
