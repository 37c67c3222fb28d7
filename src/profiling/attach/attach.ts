/**
 * Attaches to a running Node process and profiles it.
 *
 * Method. The process' inspector is opened (inspector-access.ts), loads the agent into the program, and is closed again
 * as soon as the agent has connected to a socket of this user: tenths of a second later. From then on the profile is
 * the one of a program that was started with the agent, of all five types. Where the agent does not answer (the loop is
 * blocked, the program may not load our files, its Node is too old), the inspector stays open for the profile and
 * everything is gathered from outside (outside-run.ts).
 *
 * Rejected: the inspector alone. It sees no operation, no wait and no timer; a port that runs anybody's code would stay
 * open for the whole window, and the program's exit would wait for it.
 */
import { chown } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fail, OptimizerError } from '../../errors.js';
import type { Signals } from '../../model/signals.js';
import type { ProfileType } from '../../model/types.js';
import { listenForAgents, type Agent, type AgentProfileOptions, type AgentServer } from '../controller.js';
import { CONTROL_VARIABLE, NO_ROOM } from '../protocol.js';
import { HEADROOM_TO_LOAD, headroomExpression } from '../headroom.js';
import type { AttachedProcess } from './attached-process.js';
import { profileEvenBlocked } from './blocked-agent.js';
import { openInspector, type InspectorAccess } from './inspector-access.js';
import {
  cpuTimeMs,
  isStill,
  nodeChildren,
  readNodeProcess,
  runQueueMs,
  type NodeProcess,
} from './node-process.js';
import { Outside } from './outside.js';
import { readingsOnly } from './readings.js';
import { sharesFiles } from './process-files.js';

export interface AttachOptions {
  readonly signal?: AbortSignal;
  /** Whether the agent may be loaded into the program. Default true; without it no operation or wait is seen. */
  readonly loadAgent?: boolean;
  /** How long the agent may take to report before the loop counts as blocked. Default 3,000 ms. */
  readonly agentTimeoutMs?: number;
}

const AGENT_TIMEOUT_MS = 3000;
const MOST_QUEUED = 3;
const MOST_ATTEMPTS = 3;
/** From the failure of a command to the end of its connection, where that is the reason. */
const CUT_MS = 100;
const GONE_MS = 50;
/** A process that is idle beside busy children of its own is their launcher or primary. */
const IDLE_SHARE = 0.05;
const CHOICE_MS = 500;

/**
 * @throws NotSupportedError off Linux; InvalidArgumentError; AbortedError; TargetError (`PROCESS_NOT_FOUND`,
 *   `PROCESS_NOT_YOURS`, `PROCESS_NOT_NODE`, `INSPECTOR_REFUSED`). Nothing was sent to the process, unless the
 *   message says so.
 *
 * @example
 * const attached = await attachToProcess(4711);
 * const signals = await attached.profile('cpu', { durationMs: 5_000 });
 * await attached.close();
 */
export async function attachToProcess(pid: number, options: AttachOptions = {}): Promise<AttachedProcess> {
  const target = readNodeProcess(pid);
  for (let attempt = 1; ; attempt += 1) {
    const attached = await attachOnce(target, options);
    if (attached !== undefined) return attached;
    if (attempt === MOST_ATTEMPTS) {
      throw fail('INSPECTOR_REFUSED', {
        pid,
        reason: `its inspector was closed by somebody else ${MOST_ATTEMPTS} times while it was attached to.`,
        remedy: 'Wait for the other profile or debugger of the process to end, then attach again.',
      });
    }
  }
}

/** @returns undefined where the inspector was closed under our hands, as by a run that found it first and has ended. */
async function attachOnce(target: NodeProcess, options: AttachOptions): Promise<AttachedProcess | undefined> {
  options.signal?.throwIfAborted();
  const access = await openInspector(target, options.signal);
  let server: AgentServer | undefined;
  try {
    if (options.loadAgent === false) return new Outside(target, access);
    if (!sharesFiles(target.pid))
      return new Outside(target, access, 'it sees other files than sysopt, as in a container');
    server = await listenForAgents();
    const { reason, agent } = await loadAgent(target, access, server, options);
    options.signal?.throwIfAborted();
    if (agent !== undefined) {
      await access.release();
      return new WithAgent(target, server, agent);
    }
    await server.close();
    if (reason !== undefined) return new Outside(target, access, reason);
    await access.release();
    return undefined;
  } catch (error) {
    await server?.close();
    await access.release();
    throw error;
  }
}

async function loadAgent(
  target: NodeProcess,
  { inspector }: InspectorAccess,
  server: AgentServer,
  { signal, agentTimeoutMs = AGENT_TIMEOUT_MS }: AttachOptions,
): Promise<{ agent?: Agent; reason?: string }> {
  const socket = server.env[CONTROL_VARIABLE]!;
  if (process.geteuid?.() !== target.userId) {
    // Run by root: the folder is nobody else's but the program's user must reach it.
    for (const path of [socket, dirname(socket)]) await chown(path, target.userId, -1);
  }
  const ending = new AbortController();
  const ends = AbortSignal.any([ending.signal, ...(signal ? [signal] : [])]);
  const late = lapse(target.pid, agentTimeoutMs, ends).then(() => 'late' as const);
  // Loaded once, it connects without the inspector.
  const loaded = inspector.evaluate<string>(loadExpression(socket)).catch(async (error: unknown) => {
    // A connection that ends before its answer is no refusal of the program's.
    const isCut = await Promise.race([inspector.closed.then(() => true), delay(CUT_MS, false)]);
    return isCut ? undefined : String(error);
  });
  try {
    const answer = await Promise.race([loaded, late]);
    if (signal?.aborted) return { reason: 'the command was aborted' };
    if (answer !== undefined && answer !== '' && answer !== 'late')
      return { reason: `it could not load the agent (${answer})` };
    const agent =
      answer === undefined
        ? undefined
        : await Promise.race([
            server.waitForAgent(2 ** 31 - 1).catch(() => undefined),
            lapse(target.pid, agentTimeoutMs, ends),
            untilGone(target, ends),
          ]);
    if (!isStill(target)) {
      throw fail('PROCESS_NOT_FOUND', { pid: target.pid, reason: 'it ended while it was attached to.' });
    }
    if (agent !== undefined) return { agent };
    return answer === undefined
      ? {}
      : { reason: `its event loop did not come round within ${agentTimeoutMs / 1000} s` };
  } finally {
    ending.abort();
  }
}

/**
 * Resolves once the process' main thread ran, slept or was blocked for so long; what it waits for a CPU does not count,
 * up to three times as much: a loop of a busy machine is slow, not blocked.
 */
async function lapse(pid: number, ms: number, signal: AbortSignal): Promise<undefined> {
  const startedAt = performance.now();
  const queuedMs = runQueueMs(pid);
  for (;;) {
    const waitedMs = Math.min(MOST_QUEUED * ms, Math.max(0, runQueueMs(pid) - queuedMs));
    const leftMs = ms + waitedMs - (performance.now() - startedAt);
    if (leftMs <= 0 || signal.aborted) return undefined;
    await delay(Math.max(1, leftMs), undefined, { signal }).catch(() => {});
  }
}

async function untilGone(target: NodeProcess, signal: AbortSignal): Promise<undefined> {
  while (!signal.aborted && isStill(target)) await delay(GONE_MS, undefined, { signal }).catch(() => {});
  return undefined;
}

/**
 * Loads and connects the agent, and says why it cannot; '' where it did. `require` of an ES module is a matter of
 * course from Node 20.19 on; some releases warn of it, on the program's output, which is not ours to write to.
 */
function loadExpression(socket: string): string {
  const file = JSON.stringify(fileURLToPath(new URL('../attached-agent.js', import.meta.url)));
  return `(() => {
    const warn = process.emitWarning;
    process.emitWarning = () => {};
    try {
      const load = process.getBuiltinModule ?? require;
      if (${headroomExpression('load')} < ${HEADROOM_TO_LOAD}) return ${JSON.stringify(NO_ROOM)};
      load('module').createRequire(${file})(${file}).connectAgent(${JSON.stringify(socket)});
      return '';
    } catch (error) {
      return String(error && (error.code || error.message) || error);
    } finally {
      process.emitWarning = warn;
    }
  })()`;
}

class WithAgent implements AttachedProcess {
  readonly mode = 'agent';
  readonly #target: NodeProcess;
  readonly #server: AgentServer;
  readonly #agent: Agent;

  constructor(target: NodeProcess, server: AgentServer, agent: Agent) {
    this.#target = target;
    this.#server = server;
    this.#agent = agent;
  }

  get pid(): number {
    return this.#target.pid;
  }

  get command(): readonly string[] {
    return this.#target.command;
  }

  async profile(type: ProfileType, options: AgentProfileOptions): Promise<Signals> {
    const readings = readingsOnly(this.pid, type, options.durationMs);
    try {
      return await profileEvenBlocked(this.#agent, type, options);
    } catch (error) {
      // Killed: its profile died with it, what the kernel told until then did not.
      const gone = error instanceof OptimizerError && error.code === 'TARGET_EXITED';
      const signals = gone ? readings.signals() : undefined;
      if (signals === undefined) throw error;
      return signals;
    } finally {
      readings.stop();
    }
  }

  async close(): Promise<undefined> {
    await this.#server.close();
  }
}

/**
 * Whom to profile for a process id: that process, or where it idles beside Node children that work (the primary of a
 * cluster, a launcher), the busiest of them. Takes half a second where there are children, else nothing.
 */
export async function busiestOf(pid: number): Promise<number> {
  const children = nodeChildren(pid).filter((child) => child.pid !== process.pid);
  if (children.length === 0) return pid;
  const pids = [pid, ...children.map((child) => child.pid)];
  const before = pids.map(cpuTimeMs);
  await delay(CHOICE_MS);
  const shares = pids.map((each, index) => (cpuTimeMs(each) - before[index]!) / CHOICE_MS);
  const busiest = shares.indexOf(Math.max(...shares));
  return shares[0]! < IDLE_SHARE && shares[busiest]! > 2 * shares[0]! ? pids[busiest]! : pid;
}
