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
import type { LoadSummary } from '../model/profiling-result.js';
import { LatencyHistogram } from './latency-histogram.js';
import type { DriveLoadOptions, LoadMeasurement } from './load-contract.js';
import { requestsOf, type ResolvedRequest } from './load-requests.js';

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
  const requests = requestsOf(url, options);
  const { signal, onProgress, durationMs } = options;
  const startedMs = performance.now();
  const ticker =
    onProgress &&
    setInterval(() => {
      const fraction = Math.min(1, (performance.now() - startedMs) / durationMs);
      onProgress({ stage: 'load', fraction, message: `Driving load at ${url}` });
    }, 500);
  try {
    if (signal?.aborted) return nothingMeasured();
    return await (options.rate === undefined
      ? closedLoop(url, requests, options)
      : (await import('./paced-load.js')).pacedLoad(requests, options, options.rate));
  } finally {
    clearInterval(ticker);
  }
}

const nothingMeasured = (): LoadMeasurement => ({
  requests: 0,
  errors: 0,
  elapsedMs: 0,
  latencies: new LatencyHistogram(),
});

function check(url: string, options: DriveLoadOptions): void {
  if (typeof url !== 'string' || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw fail('INVALID_ARGUMENT', { name: 'url', actual: describe(url), expected: 'an http or https URL' });
  }
  const limits = [
    ['durationMs', options.durationMs, 86_400_000],
    ['connections', options.connections ?? 1, 10_000],
    ['rate', options.rate ?? 1, 1_000_000],
    ['rounds', options.rounds ?? 1, 1_000_000],
  ] as const;
  for (const [name, value, highest] of limits) {
    if (typeof value === 'number' && value > 0 && value <= highest) continue;
    const expected = `a number above 0, up to ${highest}`;
    throw fail('INVALID_ARGUMENT', { name: `options.${name}`, actual: describe(value), expected });
  }
}

/** autocannon writes raw requests to raw sockets: a third of the CPU time that node:http takes per request. */
async function closedLoop(
  url: string,
  requests: readonly ResolvedRequest[],
  options: DriveLoadOptions,
): Promise<LoadMeasurement> {
  const { default: autocannon } = await import('autocannon');
  // A listener that is added after the abort is never called.
  if (options.signal?.aborted) return nothingMeasured();
  const latencies = new LatencyHistogram();
  let errors = 0;
  const startedMs = performance.now();
  let lastMs = startedMs;
  const connections = Math.ceil(options.connections ?? 16);
  const settings: Autocannon.Options & { sampleInt: number } = {
    url,
    connections,
    ...(options.rounds === undefined
      ? { duration: options.durationMs / 1000 }
      : { amount: Math.ceil(options.rounds) * connections * requests.length }),
    timeout: REQUEST_TIMEOUT_MS / 1000,
    // Also how often it looks whether its time is over: by default once a second.
    sampleInt: 50,
    requests: requests.map(({ url: target, method, headers, body }) => ({
      method: method as NonNullable<Autocannon.Options['method']>,
      path: new URL(target).pathname + new URL(target).search,
      headers: { ...headers },
      ...(body !== undefined && { body }),
    })),
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
