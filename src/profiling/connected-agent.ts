/** One Node process of a program, as its controller sees it over the agent's connection. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fail } from '../errors.js';
import type { Signals } from '../model/signals.js';
import type { ProfileType } from '../model/types.js';
import { SNAPSHOTS_MS, spoolName, START_ID, type FromAgent, type Hello, type ToAgent } from './protocol.js';
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

const DEFAULT_GRACE_MS = 20_000;
const USAGE_TIMEOUT_MS = 2000;

function graceOf({ retainers }: AgentProfileOptions): number {
  return DEFAULT_GRACE_MS + (retainers === true ? SNAPSHOTS_MS : 0);
}

interface Pending {
  readonly receive: (message: FromAgent) => void;
  readonly ended: () => void;
}

export class ConnectedAgent implements Agent {
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
    const { signal, onProgress, onBegun, graceMs = graceOf(options), ...command } = options;
    if (signal?.aborted) throw fail('ABORTED', { what: 'The profile' }, { cause: signal.reason });
    const id = this.#nextId++;
    const spool = this.#spool(id);
    const what = { type, durationMs: command.durationMs, spool };
    const profile = {
      ...what,
      ...(command.samplingIntervalUs === undefined ? {} : { samplingIntervalUs: command.samplingIntervalUs }),
      ...(command.maxFunctions === undefined ? {} : { maxFunctions: command.maxFunctions }),
      ...(command.rawProfile === undefined ? {} : { rawProfile: command.rawProfile }),
      ...(command.retainers === undefined ? {} : { retainers: command.retainers }),
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
