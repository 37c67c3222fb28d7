/**
 * The outside of the agent: listens for the Node processes of a started program and profiles one of them.
 *
 * @example
 * const server = await listenForAgents();
 * const child = spawn('node', ['app.js'], { env: { ...process.env, ...server.env } });
 * const agent = await server.waitForAgent(10_000);
 * const signals = await agent.profile('cpu', { durationMs: 5_000 });
 * await server.close();
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, fail } from '../errors.js';
import { ConnectedAgent, type Agent } from './connected-agent.js';
import {
  CONTROL_VARIABLE,
  EXTEND_VARIABLE,
  lineReader,
  START_VARIABLE,
  type FromAgent,
  type ProfileCommand,
  type StartCommand,
} from './protocol.js';
import { checkProfileOptions } from './session.js';

export type { Agent, AgentProfileOptions, StartedProfile } from './connected-agent.js';

/** What is profiled in every process from its start on. */
export type ProfileFromStart = Pick<ProfileCommand, 'type' | 'durationMs' | 'samplingIntervalUs'>;

export interface AgentServer {
  /** To be merged into the environment of the program. Keeps the `NODE_OPTIONS` of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Processes that are connected now, oldest first. */
  readonly agents: readonly Agent[];
  /** All that were profiled from their start, also those that have ended, oldest first. */
  readonly started: readonly Agent[];
  /** The first process that reports. @throws TargetError (`TARGET_NO_AGENT`) after `timeoutMs`. */
  waitForAgent(timeoutMs: number): Promise<Agent>;
  /**
   * Of several processes (npm, a cluster) the one that uses most CPU over `windowMs`. Processes whose loop is
   * blocked cannot answer, which says that they are busy: they come first.
   *
   * @throws TargetError (`TARGET_NO_AGENT`) where none is connected.
   */
  busiestAgent(windowMs?: number): Promise<Agent>;
  close(): Promise<void>;
}

const DEFAULT_BUSIEST_WINDOW_MS = 500;

/**
 * Opens a socket for the agents of one program. The directory it lies in is only this user's.
 *
 * @param fromStart makes every process but package managers begin this profile before its first line.
 * @param extensionUrl of a module whose samplers every process but package managers loads before its first line.
 * @throws InvalidArgumentError
 */
export async function listenForAgents(
  fromStart?: ProfileFromStart,
  extensionUrl?: string,
): Promise<AgentServer> {
  if (fromStart !== undefined) checkProfileOptions(fromStart.type, fromStart);
  const directory = await mkdtemp(join(tmpdir(), 'sysopt-'));
  const path =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\${directory.replace(/[\\/:]/g, '-')}`
      : join(directory, 'control');
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  return new Listener(server, directory, path, fromStart, extensionUrl);
}

class Listener implements AgentServer {
  readonly env: Readonly<Record<string, string>>;
  readonly #server: Server;
  readonly #directory: string;
  readonly #agents: ConnectedAgent[] = [];
  readonly #started: ConnectedAgent[] = [];
  /** Also of processes that connected and have not reported yet, as one does whose loop is blocked. */
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(
    server: Server,
    directory: string,
    path: string,
    fromStart?: ProfileFromStart,
    extensionUrl?: string,
  ) {
    this.#server = server;
    this.#directory = directory;
    // A file URL needs no quotes in NODE_OPTIONS, whatever the installation's path holds.
    const preload = `--import=${new URL('./agent.js', import.meta.url).href}`;
    this.env = {
      [CONTROL_VARIABLE]: path,
      // Also without one: we may be a part of a program that is profiled from its start.
      [START_VARIABLE]:
        fromStart === undefined
          ? ''
          : JSON.stringify({ ...fromStart, folder: directory } satisfies StartCommand),
      // The same, where we are a part of one that is extended.
      [EXTEND_VARIABLE]: extensionUrl ?? '',
      NODE_OPTIONS: [process.env['NODE_OPTIONS'], preload].filter(Boolean).join(' '),
    };
    server.on('connection', (socket) => this.#accept(socket));
  }

  get agents(): readonly Agent[] {
    return [...this.#agents];
  }

  get started(): readonly Agent[] {
    return [...this.#started];
  }

  async waitForAgent(timeoutMs: number): Promise<Agent> {
    if (!(timeoutMs >= 0)) {
      throw fail('INVALID_ARGUMENT', {
        name: 'timeoutMs',
        actual: describe(timeoutMs),
        expected: 'milliseconds, 0 or more',
      });
    }
    const deadline = performance.now() + timeoutMs;
    while (this.#agents.length === 0) {
      if (this.#closed) throw fail('CLOSED', { what: 'The agent server' });
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw fail('TARGET_NO_AGENT', { timeoutMs });
      await this.#nextAgent(leftMs);
    }
    return this.#agents[0]!;
  }

  async busiestAgent(windowMs = DEFAULT_BUSIEST_WINDOW_MS): Promise<Agent> {
    const agents = [...this.#agents];
    if (agents.length === 0) throw fail('TARGET_NO_AGENT', { timeoutMs: 0 });
    if (agents.length === 1) return agents[0]!;
    const usage = () => Promise.all(agents.map((agent) => agent.cpuTimeMs().catch(() => Number.NaN)));
    const before = await usage();
    await delay(windowMs);
    const after = await usage();
    const used = agents.map((agent, index) => ({
      agent,
      // Still connected and without an answer: its loop is blocked, so it is busier than any that answers.
      ms: agent.isConnected ? orInfinite(after[index]! - before[index]!) : -1,
    }));
    return used.reduce((most, next) => (next.ms > most.ms ? next : most)).agent;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
    for (const wake of this.#waiting) wake();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.#directory, { recursive: true, force: true });
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    let agent: ConnectedAgent | undefined;
    const onMessage = (message: FromAgent) => {
      if (agent !== undefined) agent.receive(message);
      else if ('hello' in message) {
        agent = new ConnectedAgent(socket, message.hello, this.#directory);
        this.#agents.push(agent);
        if (agent.fromStart !== undefined) this.#started.push(agent);
        for (const wake of this.#waiting) wake();
      } else socket.destroy();
    };
    socket.on(
      'data',
      lineReader(
        (message) => onMessage(message as FromAgent),
        () => socket.destroy(),
      ),
    );
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (agent === undefined) return;
      this.#agents.splice(this.#agents.indexOf(agent), 1);
      agent.ended();
    });
  }

  async #nextAgent(timeoutMs: number): Promise<void> {
    let wake!: () => void;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#waiting.add(wake);
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
    this.#waiting.delete(wake);
  }
}

function orInfinite(value: number): number {
  return Number.isNaN(value) ? Infinity : value;
}
