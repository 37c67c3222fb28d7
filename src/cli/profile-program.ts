/**
 * `sysopt profile -- node app.js`: starts a program with the agent inside, drives load at it where a URL is given, and
 * profiles the process that does the work. Without load it is profiled from its start (profile-start.ts).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../errors.js';
import { startProgram, waitForUrl, type Program } from '../host/program.js';
import type { Signals } from '../model/signals.js';
import { profileEvenBlocked, wasBlocked } from '../profiling/attach/blocked-agent.js';
import { listenForAgents, type Agent, type AgentServer } from '../profiling/controller.js';
import { isLauncher } from '../profiling/protocol.js';
import type { LoadRequest } from '../validation/load-requests.js';
import type { LoadedExtensions } from './extensions.js';
import { LOADED_WARMUP_MS, type Observation, type ProfileVerbOptions } from './profile-contract.js';
import { orExit } from './profile-exit.js';
import { startLoad, withLoad } from './profile-load.js';
import { profileStarted } from './profile-start.js';
import type { Session } from './session.js';

/** A launcher (npm, a shell) reports before the program that it starts. */
const LAUNCHER_SETTLE_MS = 1500;
const SPOOL_GRACE_MS = 2000;

/** Everything that happens while the program runs. Whatever ends it, the program is stopped afterwards. */
export async function observeProgram(
  command: readonly string[],
  options: ProfileVerbOptions,
  requests: readonly LoadRequest[] | undefined,
  extensions: LoadedExtensions | undefined,
  { terminal, signal }: Session,
): Promise<Observation> {
  const { type, durationMs, url, warmupMs = 0, retainers } = options;
  // Its snapshots stop the program for longer than a program that is profiled from its start may be silent.
  const isFromStart = url === undefined && warmupMs === 0 && retainers !== true;
  const server = await listenForAgents(
    isFromStart ? { type, durationMs } : undefined,
    extensions?.hasSamplers === true ? extensions.url : undefined,
  );
  let program: Program | undefined;
  try {
    terminal.progress({ stage: 'start', message: `Starting ${command.join(' ')}` });
    program = await startProgram(command, {
      env: server.env,
      signal,
      onOutput: (chunk) => terminal.targetOutput(chunk),
    });
    const session = { terminal, signal };
    return isFromStart
      ? await profileStarted(program, server, options, session)
      : await profileProgram(program, server, options, requests, session);
  } finally {
    await program?.stop();
    await server.close();
    terminal.endTargetOutput();
    terminal.done();
  }
}

async function profileProgram(
  program: Program,
  server: AgentServer,
  options: ProfileVerbOptions,
  requests: readonly LoadRequest[] | undefined,
  { terminal, signal }: Session,
): Promise<Observation> {
  const { url, readyTimeoutMs, durationMs } = options;
  const first = await orExit(
    program,
    server.waitForAgent(readyTimeoutMs),
    'before its Node process reported',
    signal,
  );
  if (url !== undefined) {
    terminal.progress({ stage: 'ready', message: `Waiting for ${url}` });
    await waitForUrl(url, { program, timeoutMs: readyTimeoutMs, signal });
  }

  const warmupMs = options.warmupMs ?? (url === undefined ? 0 : LOADED_WARMUP_MS);
  const loadEnd = new AbortController();
  // Until the profile is complete: the window must be under load from its first to its last moment.
  const loadMs = warmupMs + durationMs + 60_000;
  const loadSignal = AbortSignal.any([signal, loadEnd.signal]);
  const load =
    url === undefined ? undefined : startLoad(url, options.connections, requests, loadMs, loadSignal);
  // It may fail while the profile is awaited; it is looked at afterwards.
  load?.catch(() => {});
  try {
    if (warmupMs > 0) {
      terminal.progress({ stage: 'warm-up', message: `Warming up for ${warmupMs / 1000} s` });
      await orExit(program, delay(warmupMs, undefined, { signal }), 'during the warm-up', signal);
    }
    const agent = await orExit(
      program,
      chooseAgent(server, first, program),
      'before it was profiled',
      signal,
    );
    terminal.progress({ stage: 'profile', message: `Profiling ${options.type} for ${durationMs / 1000} s` });
    const profile = profileEvenBlocked(agent, options.type, {
      durationMs,
      ...(options.retainers && { retainers: true }),
      signal,
      onProgress: (progress) => terminal.progress(progress),
    });
    const signals = await orExit(program, profile, 'while it was profiled', signal, {
      graceMs: SPOOL_GRACE_MS,
    });
    loadEnd.abort();
    const complete = await untilItsEnd(signals, durationMs, program);
    return { pid: agent.hello.pid, ...(await withLoad(complete, load)) };
  } finally {
    loadEnd.abort();
    await load?.catch(() => {});
  }
}

/** Less than this says nothing about a program. */
const LEAST_WINDOW_MS = 100;

/**
 * A program that did its work and ended before the window did was profiled until then; the result says so. One
 * that failed was not.
 *
 * @throws TARGET_EXITED
 */
async function untilItsEnd(signals: Signals, durationMs: number, program: Program): Promise<Signals> {
  if (signals.durationMs >= durationMs * 0.95 || wasBlocked(signals)) return signals;
  // The signals come a moment before the exit of the process is seen.
  await Promise.race([program.exited, delay(SPOOL_GRACE_MS)]);
  const lasted = `${Math.round(signals.durationMs)} ms into a window of ${durationMs} ms`;
  const { exit } = program;
  if (exit !== undefined && (exit.code !== 0 || signals.durationMs < LEAST_WINDOW_MS)) {
    throw fail('TARGET_EXITED', { how: exit.how, when: lasted, output: program.output() || '(none)' });
  }
  if (signals.warnings.some((warning) => warning.includes('ended'))) return signals;
  const ended = `The program ended ${lasted}; this is what was gathered until then.`;
  return { ...signals, warnings: [ended, ...signals.warnings] };
}

/** The process to profile: the started one, or of several the busiest that is no package manager. */
async function chooseAgent(server: AgentServer, first: Agent, program: Program): Promise<Agent> {
  if (first.hello.pid === program.pid && !isPackageManager(first) && server.agents.length === 1) return first;
  if (server.agents.every(isPackageManager)) await delay(LAUNCHER_SETTLE_MS);
  const candidates = server.agents.filter((agent) => !isPackageManager(agent));
  if (candidates.length <= 1) return candidates[0] ?? first;
  const busiest = await server.busiestAgent();
  return isPackageManager(busiest) ? (candidates.at(-1) ?? busiest) : busiest;
}

function isPackageManager({ hello }: Agent): boolean {
  return isLauncher(hello.argv);
}
