/**
 * Drives HTTP load at a URL from this process.
 *
 * Two kinds of load answer two questions. A closed loop (no `rate`) keeps a number of requests in flight and
 * shows how much the service can do; its latencies say little, because a slow answer also delays the next
 * question ("coordinated omission", Tene). A fixed arrival rate shows the latency that users of a service at
 * that load see: every request has a time at which it ought to begin, and its latency counts from there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type Autocannon from 'autocannon';
import { describe, fail } from '../errors.js';
import type { Progress } from '../events.js';
import type { LoadSummary } from '../model/profiling-result.js';
import { LatencyHistogram } from './latency-histogram.js';

export interface DriveLoadOptions {
  readonly durationMs: number;
  /** Requests in flight at a time, at most. 16 by default. */
  readonly connections?: number;
  /** Requests per second at a fixed arrival rate; without it, a closed loop. */
  readonly rate?: number;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends the load early; what was measured until then is returned. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** One stretch of load in full resolution. */
export interface LoadMeasurement {
  readonly requests: number;
  /** Failed connections, timeouts, and answers with a status of 400 or more. */
  readonly errors: number;
  readonly elapsedMs: number;
  /** Latencies of answered requests. */
  readonly latencies: LatencyHistogram;
}

/** A request that takes longer counts as an error. */
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Drives load and sums it up.
 *
 * @throws INVALID_ARGUMENT; URL_NOT_ANSWERING if not one request was answered; ABORTED if that was because the
 *   signal came first.
 * @example
 * const { requestsPerSecond, latencyMs } = await driveLoad('http://localhost:3000/', { durationMs: 5_000 });
 */
export async function driveLoad(url: string, options: DriveLoadOptions): Promise<LoadSummary> {
  const { requests, errors, elapsedMs, latencies } = await measureLoad(url, options);
  if (requests === 0) {
    if (options.signal?.aborted) throw fail('ABORTED', { what: 'The load' });
    const reason = errors > 0 ? `${errors} requests failed` : 'no request was answered';
    throw fail('URL_NOT_ANSWERING', { url, timeoutMs: options.durationMs, reason });
  }
  return {
    url,
    requests,
    errors,
    requestsPerSecond: (1000 * requests) / elapsedMs,
    latencyMs: {
      p50: latencies.quantile(0.5),
      p90: latencies.quantile(0.9),
      p99: latencies.quantile(0.99),
      max: latencies.maxMs,
    },
  };
}

/** As `driveLoad`, with the whole histogram and without an error where nothing was answered. */
export async function measureLoad(url: string, options: DriveLoadOptions): Promise<LoadMeasurement> {
  check(url, options);
  const { signal, onProgress, durationMs } = options;
  const startedMs = performance.now();
  const ticker =
    onProgress &&
    setInterval(() => {
      const fraction = Math.min(1, (performance.now() - startedMs) / durationMs);
      onProgress({ stage: 'load', fraction, message: `Driving load at ${url}` });
    }, 500);
  try {
    if (signal?.aborted) return { requests: 0, errors: 0, elapsedMs: 0, latencies: new LatencyHistogram() };
    return await (options.rate === undefined
      ? closedLoop(url, options)
      : (await import('./paced-load.js')).pacedLoad(url, options, options.rate));
  } finally {
    clearInterval(ticker);
  }
}

function check(url: string, options: DriveLoadOptions): void {
  if (typeof url !== 'string' || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw fail('INVALID_ARGUMENT', { name: 'url', actual: describe(url), expected: 'an http or https URL' });
  }
  const limits = [
    ['durationMs', options.durationMs, 86_400_000],
    ['connections', options.connections ?? 1, 10_000],
    ['rate', options.rate ?? 1, 1_000_000],
  ] as const;
  for (const [name, value, highest] of limits) {
    if (typeof value === 'number' && value > 0 && value <= highest) continue;
    const expected = `a number above 0, up to ${highest}`;
    throw fail('INVALID_ARGUMENT', { name: `options.${name}`, actual: describe(value), expected });
  }
}

/** autocannon writes raw requests to raw sockets: a third of the CPU time that node:http takes per request. */
async function closedLoop(url: string, options: DriveLoadOptions): Promise<LoadMeasurement> {
  const { default: autocannon } = await import('autocannon');
  const latencies = new LatencyHistogram();
  let errors = 0;
  const startedMs = performance.now();
  let lastMs = startedMs;
  const settings: Autocannon.Options & { sampleInt: number } = {
    url,
    connections: Math.ceil(options.connections ?? 16),
    duration: options.durationMs / 1000,
    timeout: REQUEST_TIMEOUT_MS / 1000,
    // Also how often it looks whether its time is over: by default once a second.
    sampleInt: 50,
    ...(options.method && { method: options.method as NonNullable<Autocannon.Options['method']> }),
    ...(options.headers && { headers: { ...options.headers } }),
    ...(options.body !== undefined && { body: options.body }),
  };
  await new Promise<void>((resolve, reject) => {
    const run = autocannon(settings, (error: unknown) => {
      options.signal?.removeEventListener('abort', stop);
      if (error instanceof Error) reject(error);
      else resolve();
    });
    const stop = () => void (run as unknown as { stop(): void }).stop();
    options.signal?.addEventListener('abort', stop, { once: true });
    run.on('response', (_client, statusCode, _bytes, latencyMs) => {
      if (statusCode >= 400) errors += 1;
      latencies.add(latencyMs);
      lastMs = performance.now();
    });
    run.on('reqError', () => (errors += 1));
  });
  // Its sockets close in the next turns; a block that follows at once would share the service with that.
  await delay(5);
  return { requests: latencies.count, errors, elapsedMs: lastMs - startedMs, latencies };
}
