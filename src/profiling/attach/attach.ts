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
import { CONTROL_VARIABLE } from '../protocol.js';
import { profileEvenBlocked } from './blocked-agent.js';
import { openInspector, type InspectorAccess } from './inspector-access.js';
import { cpuTimeMs, isStill, nodeChildren, readNodeProcess, type NodeProcess } from './node-process.js';
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

/** A running process that can be profiled. */
export interface AttachedProcess {
  readonly pid: number;
  readonly command: readonly string[];
  /** `agent`: our code runs inside; `outside`: nothing was loaded. */
  readonly mode: 'agent' | 'outside';
  /** Why nothing was loaded although it was allowed. */
  readonly reason?: string;
  /**
   * Profiles the process. Where it ends in the middle, the signals gathered until then, with a warning.
   *
   * @throws InvalidArgumentError, AbortedError; TargetError where nothing could be gathered.
   */
  profile(type: ProfileType, options: AgentProfileOptions): Promise<Signals>;
  /**
   * Leaves the process as it was found. Never throws; a second call does nothing.
   *
   * @returns what could not be undone, for people: the inspector of a process that answers nothing.
   */
  close(): Promise<string | undefined>;
}

const AGENT_TIMEOUT_MS = 3000;
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
  options.signal?.throwIfAborted();
  const access = await openInspector(target, options.signal);
  let server: AgentServer | undefined;
  try {
    if (options.loadAgent === false) return new Outside(target, access);
    if (!sharesFiles(pid))
      return new Outside(target, access, 'it sees other files than sysopt, as in a container');
    server = await listenForAgents();
    const { reason, agent } = await loadAgent(target, access, server, options);
    options.signal?.throwIfAborted();
    if (agent !== undefined) {
      await access.release();
      return new WithAgent(target, server, agent);
    }
    await server.close();
    return new Outside(target, access, reason);
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
): Promise<{ agent?: Agent; reason: string }> {
  const socket = server.env[CONTROL_VARIABLE]!;
  if (process.geteuid?.() !== target.userId) {
    // Run by root: the folder is nobody else's but the program's user must reach it.
    for (const path of [socket, dirname(socket)]) await chown(path, target.userId, -1);
  }
  const loaded = inspector.evaluate<string>(loadExpression(socket)).catch((error: unknown) => String(error));
  const timeout = new AbortController();
  const late = delay(agentTimeoutMs, 'late', {
    signal: AbortSignal.any([timeout.signal, ...(signal ? [signal] : [])]),
  }).catch(() => 'late');
  try {
    const answer = await Promise.race([loaded, late]);
    if (signal?.aborted) return { reason: 'the command was aborted' };
    if (answer !== '' && answer !== 'late') return { reason: `it could not load the agent (${answer})` };
    const agent = await Promise.race([
      server.waitForAgent(agentTimeoutMs).catch(() => undefined),
      inspector.closed.then(() => undefined),
      new Promise<undefined>((resolve) =>
        signal?.addEventListener('abort', () => resolve(undefined), { once: true }),
      ),
    ]);
    if (!isStill(target)) {
      throw fail('PROCESS_NOT_FOUND', { pid: target.pid, reason: 'it ended while it was attached to.' });
    }
    return {
      ...(agent !== undefined && { agent }),
      reason: `its event loop did not come round within ${agentTimeoutMs / 1000} s`,
    };
  } finally {
    timeout.abort();
  }
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
