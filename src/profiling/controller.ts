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
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, fail } from '../errors.js';
import type { Signals } from '../model/signals.js';
import type { ProfileType } from '../model/types.js';
import {
  CONTROL_VARIABLE,
  lineReader,
  spoolName,
  START_ID,
  START_VARIABLE,
  type FromAgent,
  type Hello,
  type ProfileCommand,
  type StartCommand,
  type ToAgent,
} from './protocol.js';
import { checkProfileOptions, type ProfileOptions } from './session.js';

export type AgentProfileOptions = Omit<ProfileOptions, 'samplers' | 'keepAlive'> & {
  /** How long after the window's end an answer may take before the program counts as blocked. Default 20,000 ms. */
  readonly graceMs?: number;
  /** Called when the profile has begun inside the program. */
  readonly onBegun?: () => void;
};

/** One Node process of the program. */
export interface Agent {
  readonly hello: Hello;
  /** Resolves when the process closed its connection, which it does when it ends. Never rejects. */
  readonly closed: Promise<void>;
  /**
   * Profiles the process. Where it exits in mid-profile, the signals gathered until then, with a warning.
   *
   * @throws InvalidArgumentError, NotSupportedError as `gatherSignals` does; AbortedError after `signal`;
   *   TargetError where the process is gone, fails, or does not answer because its loop is blocked.
   */
  profile(type: ProfileType, options: AgentProfileOptions): Promise<Signals>;
  /** CPU time that the process has used so far, in ms. Rejects with TargetError where it is gone. */
  cpuTimeMs(): Promise<number>;
  /** The profile that began with the process, where the server asks for one. */
  readonly fromStart?: StartedProfile;
}

/** A profile that began before a program's first line. */
export interface StartedProfile {
  /**
   * Resolves after its window, or when the process exits, with what was gathered until then. Rejects with TargetError
   * where the process was killed or could not be profiled.
   */
  readonly signals: Promise<Signals>;
  /** Asks for its end now. A process whose loop is blocked does not hear it. */
  end(): void;
  /** What the process left in a file; undefined where there is none. */
  spooled(): Promise<Signals | undefined>;
}

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

const DEFAULT_GRACE_MS = 20_000;
const DEFAULT_BUSIEST_WINDOW_MS = 500;
const USAGE_TIMEOUT_MS = 2000;

/**
 * Opens a socket for the agents of one program. The directory it lies in is only this user's.
 *
 * @param fromStart makes every process but package managers begin this profile before its first line.
 * @throws InvalidArgumentError
 */
export async function listenForAgents(fromStart?: ProfileFromStart): Promise<AgentServer> {
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
  return new Listener(server, directory, path, fromStart);
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

  constructor(server: Server, directory: string, path: string, fromStart?: ProfileFromStart) {
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

interface Pending {
  readonly receive: (message: FromAgent) => void;
  readonly ended: () => void;
}

class ConnectedAgent implements Agent {
  readonly hello: Hello;
  readonly closed: Promise<void>;
  readonly fromStart?: StartedProfile;
  readonly #socket: Socket;
  readonly #directory: string;
  readonly #pending = new Map<number, Pending>();
  #resolveClosed!: () => void;
  #nextId = 1;
  isConnected = true;

  constructor(socket: Socket, hello: Hello, directory: string) {
    this.#socket = socket;
    this.hello = hello;
    this.#directory = directory;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    if (hello.fromStart === true) this.fromStart = this.#followStart();
  }

  async profile(type: ProfileType, options: AgentProfileOptions): Promise<Signals> {
    checkProfileOptions(type, options);
    const { signal, onProgress, onBegun, graceMs = DEFAULT_GRACE_MS, ...command } = options;
    if (signal?.aborted) throw fail('ABORTED', { what: 'The profile' }, { cause: signal.reason });
    const id = this.#nextId++;
    const spool = this.#spool(id);
    const what = { type, durationMs: command.durationMs, spool };
    const profile = {
      ...what,
      ...(command.samplingIntervalUs === undefined ? {} : { samplingIntervalUs: command.samplingIntervalUs }),
      ...(command.maxFunctions === undefined ? {} : { maxFunctions: command.maxFunctions }),
      ...(command.rawProfile === undefined ? {} : { rawProfile: command.rawProfile }),
    };
    const onAbort = () => this.#write({ id, stop: true });
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#ask<Signals>(
        { id, profile },
        command.durationMs + graceMs,
        (message, answer) => {
          if ('begun' in message) onBegun?.();
          else if ('progress' in message) onProgress?.(message.progress);
          else if ('signals' in message) answer(message.signals);
        },
        signal,
      );
    } catch (error) {
      if (signal?.aborted) throw fail('ABORTED', { what: 'The profile' }, { cause: signal.reason });
      if (!this.isConnected && existsSync(spool)) return await this.#readSpool(spool);
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async cpuTimeMs(): Promise<number> {
    return this.#ask<number>({ id: this.#nextId++, usage: true }, USAGE_TIMEOUT_MS, (message, answer) => {
      if ('usage' in message) answer(message.usage.cpuUs / 1000);
    });
  }

  receive(message: FromAgent): void {
    if ('id' in message) this.#pending.get(message.id)?.receive(message);
  }

  ended(): void {
    this.isConnected = false;
    for (const pending of this.#pending.values()) pending.ended();
    this.#resolveClosed();
  }

  async #ask<T>(
    message: ToAgent,
    timeoutMs: number,
    onMessage: (message: FromAgent, answer: (value: T) => void) => void,
    signal?: AbortSignal,
  ): Promise<T> {
    const { pid } = this.hello;
    const { id } = message;
    if (!this.isConnected) throw this.#gone();
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        timer = setTimeout(() => {
          const reason = `it gave no answer for ${Math.round(timeoutMs)} ms, so its event loop is blocked or it is stopped.`;
          reject(fail('AGENT_FAILED', { pid, reason }));
        }, timeoutMs);
        onAbort = () => reject(fail('ABORTED', { what: 'The profile' }));
        signal?.addEventListener('abort', onAbort, { once: true });
        this.#pending.set(id, {
          receive: (answer) => {
            if ('error' in answer) reject(fail('AGENT_FAILED', { pid, reason: answer.error.message }));
            else onMessage(answer, resolve);
          },
          ended: () => reject(this.#gone()),
        });
        this.#write(message);
      });
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      this.#pending.delete(id);
    }
  }

  #write(message: ToAgent): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  #spool(id: number): string {
    return join(this.#directory, spoolName(this.hello.pid, id));
  }

  #followStart(): StartedProfile {
    const { pid } = this.hello;
    const file = this.#spool(START_ID);
    const spooled = async () => (existsSync(file) ? this.#readSpool(file) : undefined);
    const signals = new Promise<Signals>((resolve, reject) => {
      this.#pending.set(START_ID, {
        receive: (answer) => {
          if ('error' in answer) reject(fail('AGENT_FAILED', { pid, reason: answer.error.message }));
          else if ('signals' in answer) resolve(answer.signals);
        },
        ended: () => {
          spooled().then((left) => {
            if (left === undefined) reject(this.#gone());
            else resolve(left);
          }, reject);
        },
      });
    });
    signals.catch(() => {});
    return { signals, spooled, end: () => this.#write({ id: START_ID, end: true }) };
  }

  #gone() {
    return fail('TARGET_EXITED', {
      how: `process ${this.hello.pid} closed its connection`,
      when: 'before it answered',
      output: 'see the program’s own output',
    });
  }

  async #readSpool(file: string): Promise<Signals> {
    const signals = JSON.parse(await readFile(file, 'utf8')) as Signals;
    await rm(file, { force: true });
    return signals;
  }
}

function orInfinite(value: number): number {
  return Number.isNaN(value) ? Infinity : value;
}
