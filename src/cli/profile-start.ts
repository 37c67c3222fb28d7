/**
 * `sysopt profile -- node script.js`: a program that no load is driven at is profiled from before its first line, in
 * every Node process that it consists of, until it ends or the window does. So a script whose work is over before its
 * loop turns once is profiled like a service, and one that ends within milliseconds leaves what there was.
 *
 * Rejected: asking the process over its socket, as under load. It hears that when its loop first turns: for a script,
 * when all is over.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../errors.js';
import type { Program } from '../host/program.js';
import { metricValue } from '../model/metric.js';
import type { Signals } from '../model/signals.js';
import type { ProfileType } from '../model/types.js';
import { endStarted } from '../profiling/attach/blocked-agent.js';
import type { Agent, AgentServer } from '../profiling/controller.js';
import type { Observation } from './profile-contract.js';
import { orExit } from './profile-exit.js';
import type { Session } from './session.js';

export interface StartedOptions {
  readonly type: ProfileType;
  readonly durationMs: number;
  readonly readyTimeoutMs: number;
}

/** From the program's end to the last answer of its processes. */
const ANSWERS_MS = 2000;
const LOOK_MS = 25;
/** A launcher's child may begin late; without any Node process below it, it is waited for as long as for an answer. */
const PROGRESS_MS = 500;
/** A program that fails so early failed to start: how it ended matters, not what it did. */
const FAILED_START_MS = 1000;

interface Started {
  readonly agent: Agent;
  readonly signals: Signals;
}

/** @throws TargetError where nothing could be gathered, or the program failed at its start; AbortedError. */
export async function profileStarted(
  program: Program,
  server: AgentServer,
  options: StartedOptions,
  { terminal, signal }: Session,
): Promise<Observation> {
  const { type, durationMs, readyTimeoutMs } = options;
  terminal.progress({
    stage: 'profile',
    message: `Profiling ${type} from the start, for up to ${durationMs / 1000} s`,
  });
  await orExit(
    program,
    firstStarted(server, readyTimeoutMs, signal),
    'before its Node process reported',
    signal,
    {
      graceMs: ANSWERS_MS,
    },
  );
  const startedAt = performance.now();
  for (let shownAt = 0; program.exit === undefined && !signal.aborted;) {
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs >= durationMs) break;
    if (elapsedMs - shownAt >= PROGRESS_MS) {
      shownAt = elapsedMs;
      const fraction = elapsedMs / durationMs;
      terminal.progress({
        stage: 'profile',
        fraction,
        message: `Profiling ${type} for ${durationMs / 1000} s`,
      });
    }
    await Promise.race([delay(Math.min(PROGRESS_MS / 2, durationMs - elapsedMs)), program.exited]);
  }
  signal.throwIfAborted();
  const { agent, signals } = await gather(program, server, signal);
  return {
    pid: agent.hello.pid,
    signals: await untilItsEnd(signals, durationMs, program),
    ...(hasFailed(program) && { failed: true }),
  };
}

/** Resolves when a process that is no package manager has begun. @throws TARGET_NO_AGENT */
async function firstStarted(server: AgentServer, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (server.started.length === 0) {
    signal.throwIfAborted();
    if (performance.now() > deadline) throw fail('TARGET_NO_AGENT', { timeoutMs });
    await delay(LOOK_MS);
  }
}

/** The signals of the process that did most of the work. */
async function gather(program: Program, server: AgentServer, signal: AbortSignal): Promise<Started> {
  const isOver = program.exit !== undefined;
  const settled = await Promise.allSettled(
    server.started.map(async (agent) => ({
      agent,
      signals: isOver ? await answerOfEnded(agent) : await endStarted(agent, signal),
    })),
  );
  signal.throwIfAborted();
  const whole = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (whole.length > 0) return whole.reduce((most, next) => (cpuMs(next) > cpuMs(most) ? next : most));
  // Killed: its profile died with it.
  if (program.exit === undefined) await Promise.race([program.exited, delay(ANSWERS_MS)]);
  if (program.exit !== undefined) {
    const output = program.output() || '(none)';
    throw fail('TARGET_EXITED', { how: program.exit.how, when: 'while it was profiled', output });
  }
  throw (
    settled.find((each) => each.status === 'rejected')?.reason ?? fail('TARGET_NO_AGENT', { timeoutMs: 0 })
  );
}

/** What a process sent or left before it ended; the end of the program is seen a moment before the last of it. */
async function answerOfEnded({ fromStart, hello }: Agent): Promise<Signals> {
  const waited = new AbortController();
  const late = delay(ANSWERS_MS, undefined, { signal: waited.signal }).catch(() => undefined);
  const signals = await Promise.race([fromStart!.signals, late]);
  waited.abort();
  if (signals === undefined) throw fail('AGENT_FAILED', { pid: hello.pid, reason: 'it gave no answer.' });
  return signals;
}

function cpuMs({ signals }: Started): number {
  return (metricValue(signals.metrics['process.cpu.total']) ?? 0) * signals.durationMs;
}

/**
 * The signals with what is to be said of the program's end.
 *
 * @throws TARGET_EXITED where it failed before it had begun its work.
 */
async function untilItsEnd(signals: Signals, durationMs: number, program: Program): Promise<Signals> {
  if (signals.durationMs < durationMs) await Promise.race([program.exited, delay(ANSWERS_MS)]);
  if (program.exit === undefined || !hasFailed(program)) return signals;
  const { how } = program.exit;
  if (signals.durationMs < FAILED_START_MS) {
    const when = `${Math.round(signals.durationMs)} ms into a window of ${durationMs} ms`;
    throw fail('TARGET_EXITED', { how, when, output: program.output() || '(none)' });
  }
  return { ...signals, warnings: [`The program failed: ${how}.`, ...signals.warnings] };
}

function hasFailed({ exit }: Program): boolean {
  return exit !== undefined && exit.code !== 0;
}
