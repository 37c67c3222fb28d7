/** One running instance of a service: start, warm up, drive for a block, stop. */
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../errors.js';
import { startProgram, waitForUrl, type Program } from '../host/program.js';
import { groupCpuMs, readGroupCpu } from './group-cpu.js';
import { requestsOf, type ResolvedRequest } from './load-requests.js';
import { measureLoad } from './load.js';
import type { ResolvedOptions } from './options.js';
import type { ServiceSubject } from './subject.js';

/** What one block of load showed. Costs are per request, in ms. */
export interface Block {
  readonly requests: number;
  readonly errors: number;
  readonly timeMs: number;
  /** Null where the system does not tell. */
  readonly cpuMs: number | null;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

export interface Answer {
  /** Method and path of the request. */
  readonly name: string;
  readonly status: number;
  readonly body: string;
}

export const BLOCK_MS = 500;
const WARM_UP_BLOCK_MS = 400;
const WARM_UP_MAX_BLOCKS = 10;
const STEADY = 0.05;

export class ServiceInstance {
  readonly label: string;
  readonly #program: Program;
  readonly #url: string;
  readonly #options: ResolvedOptions;
  /** Time that a round through a mix of requests took last. */
  #roundMs = Infinity;

  private constructor(label: string, program: Program, url: string, options: ResolvedOptions) {
    this.label = label;
    this.#program = program;
    this.#url = url;
    this.#options = options;
  }

  /** @throws TARGET_NOT_FOUND, TARGET_EXITED, URL_NOT_ANSWERING */
  static async start(
    subject: ServiceSubject,
    label: string,
    options: ResolvedOptions,
  ): Promise<ServiceInstance> {
    const { signal } = options;
    const program = await startProgram(subject.service, {
      ...(subject.cwd !== undefined && { cwd: subject.cwd }),
      ...(subject.env && { env: subject.env }),
      ...(signal && { signal }),
    });
    try {
      await waitForUrl(subject.url, {
        program,
        ...(subject.readyTimeoutMs !== undefined && { timeoutMs: subject.readyTimeoutMs }),
        ...(signal && { signal }),
      });
    } catch (error) {
      await program.stop();
      throw error;
    }
    const url = new URL(options.load.path ?? '', subject.url).href;
    return new ServiceInstance(label, program, url, options);
  }

  /** Status and body of one answer to each request of the load, to see that both sides do the same. */
  async answers(): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (const request of requestsOf(this.#url, this.#options.load))
      answers.push(await this.#answerTo(request));
    return answers;
  }

  async #answerTo({ url, method, headers, body }: ResolvedRequest): Promise<Answer> {
    const { timeoutMs } = this.#options;
    const name = `${method} ${new URL(url).pathname}`;
    try {
      const response = await fetch(url, {
        method,
        headers: { ...headers },
        ...(body !== undefined && { body }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { name, status: response.status, body: await response.text() };
    } catch (cause) {
      // A program that ends closes its sockets first: give the news of its end time to arrive.
      await Promise.race([this.#program.exited, delay(200)]);
      this.#throwIfEnded();
      const reason = (cause as Error).message;
      throw fail('URL_NOT_ANSWERING', { url, timeoutMs, reason }, { cause });
    }
  }

  #throwIfEnded(): void {
    const { exit } = this.#program;
    if (!exit) return;
    const output = this.#program.output() || '(none)';
    throw fail('SUBJECT_DIED', { subject: this.label, how: exit.how, output });
  }

  /** Drives load until two blocks in a row cost the same per request. Code compiles meanwhile. */
  async warmUp(): Promise<void> {
    let previousMs = 0;
    for (let count = 0; count < WARM_UP_MAX_BLOCKS; count += 1) {
      const block = await this.drive(WARM_UP_BLOCK_MS);
      const costMs = block.cpuMs ?? block.timeMs;
      if (count >= 2 && Math.abs(Math.log(costMs / previousMs)) < STEADY) return;
      previousMs = costMs;
    }
  }

  /** @throws SUBJECT_DIED, SUBJECT_TIMED_OUT, URL_NOT_ANSWERING */
  async drive(durationMs: number): Promise<Block> {
    const { load, signal, timeoutMs } = this.#options;
    const isMix = load.requests !== undefined && load.rate === undefined;
    // Whole rounds that take about the time asked for, by what the last block's took; one to begin with.
    const rounds = Math.max(1, Math.round(durationMs / this.#roundMs));
    // A service that stops answering would hold a block of whole rounds up for ever.
    const timeout = AbortSignal.timeout(durationMs + timeoutMs);
    const before = readGroupCpu(this.#program.pid);
    const { requests, errors, elapsedMs, latencies } = await measureLoad(this.#url, {
      durationMs,
      ...(isMix && { rounds }),
      ...(load.requests && { requests: load.requests }),
      ...(load.connections !== undefined && { connections: load.connections }),
      ...(load.rate !== undefined && { rate: load.rate }),
      ...(load.method !== undefined && { method: load.method }),
      ...(load.headers && { headers: load.headers }),
      ...(load.body !== undefined && { body: load.body }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const after = readGroupCpu(this.#program.pid);
    if (signal?.aborted) throw fail('ABORTED', { what: 'The comparison' });
    this.#throwIfEnded();
    if (timeout.aborted) throw fail('SUBJECT_TIMED_OUT', { subject: this.label, timeoutMs });
    if (requests === 0) {
      const reason = errors > 0 ? `${errors} requests failed` : 'no request was answered';
      throw fail('URL_NOT_ANSWERING', { url: this.#url, timeoutMs: durationMs, reason });
    }
    this.#roundMs = elapsedMs / rounds;
    return {
      requests,
      errors,
      timeMs: elapsedMs / requests,
      cpuMs: before && after ? groupCpuMs(before, after) / requests : null,
      p50Ms: latencies.quantile(0.5),
      p90Ms: latencies.quantile(0.9),
      p99Ms: latencies.quantile(0.99),
    };
  }

  async stop(): Promise<void> {
    await this.#program.stop();
  }
}
