import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../errors.js';
import { startProgram, waitForUrl, type Program } from '../host/program.js';
import type { Severity } from '../model/finding.js';
import type { LoadSummary, ProfilingResult } from '../model/profiling-result.js';
import type { Signals } from '../model/signals.js';
import type { ProfileType } from '../model/types.js';
import { profileEvenBlocked, wasBlocked } from '../profiling/attach/blocked-agent.js';
import { listenForAgents, type Agent, type AgentServer } from '../profiling/controller.js';
import { isLauncher } from '../profiling/protocol.js';
import { checkProfileOptions } from '../profiling/session.js';
import type { LoadRequest } from '../validation/load-requests.js';
import { EXIT, UsageError } from './exit-code.js';
import { loadExtensions, type LoadedExtensions } from './extensions.js';
import { reachesGate } from './fail-on.js';
import { readLoad } from './load-file.js';
import { printResult } from './print-findings.js';
import { orExit } from './profile-exit.js';
import { startLoad, withLoad } from './profile-load.js';
import { observeProcess } from './profile-process.js';
import { profileStarted } from './profile-start.js';
import type { Session, VerbOutcome } from './session.js';
import { prepareStorage } from './store.js';

export interface ProfileVerbOptions {
  readonly type: ProfileType;
  /** A running process, instead of a program to start. */
  readonly pid?: number;
  /** Tell what kept objects hang on; see ProfileOptions. */
  readonly retainers?: boolean;
  /** Whether the agent may be loaded into that process. */
  readonly agent: boolean;
  readonly durationMs: number;
  readonly url?: string;
  /** File with a mix of requests; see load-file.ts. */
  readonly load?: string;
  readonly connections: number;
  readonly storage: string;
  /** Undefined: 2 s under load, so that code is compiled and caches are warm; none without. */
  readonly warmupMs?: number;
  readonly readyTimeoutMs: number;
  readonly failOn?: Severity;
  /** Module of rules and samplers. */
  readonly extend?: string;
}

export const LOADED_WARMUP_MS = 2000;
/** A launcher (npm, a shell) reports before the program that it starts. */
const LAUNCHER_SETTLE_MS = 1500;
const SPOOL_GRACE_MS = 2000;

/**
 * `sysopt profile -- node app.js`: starts a program with the agent inside, drives load at it where a URL is
 * given and profiles it from its start where none is, diagnoses what was measured, stores it and stops the program. With `--pid` the same for a process that
 * runs already, which goes on afterwards as it was.
 */
export async function profileVerb(
  command: readonly string[],
  options: ProfileVerbOptions,
  session: Session,
): Promise<VerbOutcome> {
  checkTarget(command, options);
  checkProfileOptions(options.type, options);
  await prepareStorage(options.storage);
  const requests = options.load === undefined ? undefined : await readLoad(options.load, options.url);
  const { terminal, signal } = session;
  const extensions = options.extend === undefined ? undefined : await loadExtensions(options.extend);
  if (extensions?.hasSamplers === true && options.pid !== undefined) {
    terminal.warn(
      'The samplers of --extend are not loaded into a running process: its rules alone are used.',
    );
  }

  const { pid, description, signals, load, failed } =
    options.pid === undefined
      ? await observe(command, options, requests, extensions, session)
      : await observeProcess(options.pid, options, requests, session);
  signal.throwIfAborted();
  terminal.progress({ stage: 'analyse', message: 'Looking for causes' });
  const { SystemOptimizer } = await import('../system-optimizer.js');
  const optimizer = new SystemOptimizer({ storagePath: options.storage });
  let result: ProfilingResult;
  try {
    for (const rule of extensions?.rules ?? []) optimizer.addRule(rule);
    result = await optimizer.completeResult(signals, {
      pid,
      description: description ?? command.join(' '),
      ...(load && { load }),
    });
  } finally {
    await optimizer.close();
  }

  const { reasonsExplained } = await import('./doctor.js');
  printResult(terminal, result, reasonsExplained());
  for (const warning of result.warnings) terminal.warn(warning);
  terminal.print();
  if (result.stored === false) {
    // Standard output has the result either way; the exit code says that there is no other copy.
    terminal.warn(
      'The result is printed here alone. Keep it: add --json, or give another --storage next time.',
    );
    return { result, exitCode: EXIT.storage };
  }
  terminal.print(
    terminal.style('dim', `Stored as ${result.id} in ${options.storage}. See it with: sysopt report`),
  );
  const { failOn } = options;
  const gate = failOn !== undefined && reachesGate(result.analysis.findings, failOn);
  if (gate) terminal.warn(`A finding is ${failOn} or worse (--fail-on ${failOn}).`);
  // A process that was killed: what was read is stored, but there is no profile.
  const isLost = options.pid !== undefined && signals.metrics['cpu.samples'] === undefined;
  return { result, exitCode: isLost || failed === true ? EXIT.target : gate ? EXIT.gate : EXIT.ok };
}

function checkTarget(command: readonly string[], { pid, agent, retainers }: ProfileVerbOptions): void {
  if (command.length === 0 && pid === undefined) {
    throw new UsageError(
      'There is no program to profile.',
      'Put it after `--`, as in sysopt profile -- node app.js, or name a running one with --pid.',
    );
  }
  if (command.length > 0 && pid !== undefined) {
    throw new UsageError('Both a program to start and --pid are given.', 'Give one of them.');
  }
  if (pid !== undefined && !agent && retainers === true) {
    throw new UsageError(
      '--retainers needs the agent in the process.',
      'Leave --no-agent out, or --retainers.',
    );
  }
  if (pid === undefined && !agent) {
    throw new UsageError(
      '--no-agent goes with --pid.',
      'A program that sysopt starts is profiled by its agent.',
    );
  }
}

export interface Observation {
  readonly pid: number;
  /** The command of a process that ran already. */
  readonly description?: string;
  readonly signals: Signals;
  readonly load?: LoadSummary;
  /** Whether the program ended in the middle with another exit code than 0, or of a signal. */
  readonly failed?: boolean;
}

/** Everything that happens while the program runs. Whatever ends it, the program is stopped afterwards. */
async function observe(
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
