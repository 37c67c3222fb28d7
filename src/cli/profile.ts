import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, OptimizerError } from '../errors.js';
import { startProgram, waitForUrl, type Program } from '../host/program.js';
import { SEVERITIES, type Severity } from '../model/finding.js';
import type { LoadSummary, ProfilingResult } from '../model/profiling-result.js';
import type { Signals } from '../model/signals.js';
import type { ProfileType } from '../model/types.js';
import { listenForAgents, type Agent, type AgentServer } from '../profiling/controller.js';
import { checkProfileOptions } from '../profiling/session.js';
import type { LoadRequest } from '../validation/load-requests.js';
import { EXIT, UsageError } from './exit-code.js';
import { readLoad } from './load-file.js';
import { printResult } from './print-findings.js';
import type { Session, VerbOutcome } from './session.js';
import { prepareStorage } from './store.js';

export interface ProfileVerbOptions {
  readonly type: ProfileType;
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
}

const LOADED_WARMUP_MS = 2000;
/** A launcher (npm, a shell) reports before the program that it starts. */
const LAUNCHER_SETTLE_MS = 1500;
const SPOOL_GRACE_MS = 2000;

/**
 * `sysopt profile -- node app.js`: starts a program with the agent inside, drives load at it where a URL is
 * given, diagnoses what was measured, stores it and stops the program.
 */
export async function profileVerb(
  command: readonly string[],
  options: ProfileVerbOptions,
  session: Session,
): Promise<VerbOutcome> {
  if (command.length === 0) {
    throw new UsageError(
      'There is no program to profile.',
      'Put it after `--`: sysopt profile -- node app.js',
    );
  }
  checkProfileOptions(options.type, { durationMs: options.durationMs });
  await prepareStorage(options.storage);
  const requests = options.load === undefined ? undefined : await readLoad(options.load, options.url);
  const { terminal, signal } = session;

  const { pid, signals, load } = await observe(command, options, requests, session);
  signal.throwIfAborted();
  terminal.progress({ stage: 'analyse', message: 'Looking for causes' });
  const { SystemOptimizer } = await import('../system-optimizer.js');
  const optimizer = new SystemOptimizer({ storagePath: options.storage });
  let result: ProfilingResult;
  try {
    result = await optimizer.completeResult(signals, {
      pid,
      description: command.join(' '),
      ...(load && { load }),
    });
  } finally {
    await optimizer.close();
  }

  const { reasonsExplained } = await import('./doctor.js');
  printResult(terminal, result, reasonsExplained());
  for (const warning of result.warnings) terminal.warn(warning);
  terminal.print();
  terminal.print(
    terminal.style('dim', `Stored as ${result.id} in ${options.storage}. See it with: sysopt report`),
  );
  const { failOn } = options;
  const gate = failOn !== undefined && reaches(result, failOn);
  if (gate) terminal.warn(`A finding is ${failOn} or worse (--fail-on ${failOn}).`);
  return { result, exitCode: gate ? EXIT.gate : EXIT.ok };
}

interface Observation {
  readonly pid: number;
  readonly signals: Signals;
  readonly load?: LoadSummary;
}

/** Everything that happens while the program runs. Whatever ends it, the program is stopped afterwards. */
async function observe(
  command: readonly string[],
  options: ProfileVerbOptions,
  requests: readonly LoadRequest[] | undefined,
  { terminal, signal }: Session,
): Promise<Observation> {
  const server = await listenForAgents();
  let program: Program | undefined;
  try {
    terminal.progress({ stage: 'start', message: `Starting ${command.join(' ')}` });
    program = await startProgram(command, {
      env: server.env,
      signal,
      onOutput: (chunk) => terminal.targetOutput(chunk),
    });
    return await profileProgram(program, server, options, requests, { terminal, signal });
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
    const profile = agent.profile(options.type, {
      durationMs,
      signal,
      onProgress: (progress) => terminal.progress(progress),
    });
    const signals = await orExit(program, profile, 'while it was profiled', signal, SPOOL_GRACE_MS);
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
  if (signals.durationMs >= durationMs * 0.95) return signals;
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

/** A share of failed requests from which the profile shows the service's error path more than its work. */
const MANY_ERRORS = 0.05;

/** The load beside the signals. A load that came to nothing is a fact about the program, not the end of the profile. */
async function withLoad(
  signals: Signals,
  load: Promise<LoadSummary> | undefined,
): Promise<{ signals: Signals; load?: LoadSummary }> {
  const warned = (warning: string) => ({ ...signals, warnings: [...signals.warnings, warning] });
  let summary: LoadSummary | undefined;
  try {
    summary = await load;
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
    return { signals: warned('No request of the load was answered while the program was profiled.') };
  }
  if (summary === undefined) return { signals };
  const share = summary.errors / Math.max(1, summary.requests);
  if (share <= MANY_ERRORS) return { signals, load: summary };
  const warning = `${summary.errors} of ${summary.requests} requests failed: the profile shows how the program fails as much as how it works.`;
  return { signals: warned(warning), load: summary };
}

async function startLoad(
  url: string,
  connections: number,
  requests: readonly LoadRequest[] | undefined,
  durationMs: number,
  signal: AbortSignal,
): Promise<LoadSummary> {
  const { driveLoad } = await import('../validation/load.js');
  return driveLoad(url, { durationMs, connections, signal, ...(requests && { requests }) });
}

/** The process to profile: the started one, or of several the busiest that is no package manager. */
async function chooseAgent(server: AgentServer, first: Agent, program: Program): Promise<Agent> {
  if (first.hello.pid === program.pid && !isLauncher(first) && server.agents.length === 1) return first;
  if (server.agents.every(isLauncher)) await delay(LAUNCHER_SETTLE_MS);
  const candidates = server.agents.filter((agent) => !isLauncher(agent));
  if (candidates.length <= 1) return candidates[0] ?? first;
  const busiest = await server.busiestAgent();
  return isLauncher(busiest) ? (candidates.at(-1) ?? busiest) : busiest;
}

function isLauncher(agent: Agent): boolean {
  const script = basename(agent.hello.argv[1] ?? '');
  return /^(npm|npx|pnpm|pnpx|yarn|yarnpkg|corepack)(-cli)?(\.c?js)?$/.test(script);
}

/**
 * Waits for a promise, but not longer than the program runs (and `graceMs` for what it leaves behind).
 *
 * @throws TARGET_EXITED with the program's last output; ABORTED.
 */
async function orExit<T>(
  program: Program,
  work: Promise<T>,
  when: string,
  signal: AbortSignal,
  graceMs = 0,
): Promise<T> {
  const exited = (how: string) => fail('TARGET_EXITED', { how, when, output: program.output() || '(none)' });
  let settled = false;
  const ended = program.exited.then(async ({ how }) => {
    if (!settled && graceMs > 0) await delay(graceMs);
    throw exited(how);
  });
  ended.catch(() => {});
  try {
    return await Promise.race([work, ended]);
  } catch (error) {
    signal.throwIfAborted();
    // The agent's connection closes a moment before the exit of its process is seen.
    const lost = error instanceof OptimizerError && error.code === 'TARGET_EXITED';
    if (lost && program.exit === undefined) await Promise.race([program.exited, delay(500)]);
    if (lost && program.exit !== undefined) throw exited(program.exit.how);
    throw error;
  } finally {
    settled = true;
    work.catch(() => {});
  }
}

function reaches(result: ProfilingResult, least: Severity): boolean {
  return result.analysis.findings.some(
    (finding) =>
      finding.cause !== 'healthy' && SEVERITIES.indexOf(finding.severity) >= SEVERITIES.indexOf(least),
  );
}
