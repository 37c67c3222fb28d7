/**
 * Load at a fixed arrival rate. Each request has a time at which it is due; its latency counts from then, even
 * where it had to wait for a free connection or for this process. So a service that stalls for a second shows
 * that second in the latency of every request that was due meanwhile, as its users would see it (as wrk2 does;
 * autocannon sends each second's requests in a burst and corrects afterwards by an interval of 1 ms).
 */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { LatencyHistogram } from './latency-histogram.js';
import type { ResolvedRequest } from './load-requests.js';
import type { DriveLoadOptions, LoadMeasurement } from './load-contract.js';

const TICK_MS = 1;
/** How long requests that are under way at the end may take to count as answered. */
const DRAIN_MS = 2000;

export async function pacedLoad(
  requests: readonly ResolvedRequest[],
  options: DriveLoadOptions,
  rate: number,
): Promise<LoadMeasurement> {
  const secure = requests[0]!.url.startsWith('https:');
  const agent = new (secure ? HttpsAgent : HttpAgent)({
    keepAlive: true,
    maxSockets: Math.ceil(options.connections ?? 16),
  });
  const latencies = new LatencyHistogram();
  let errors = 0;
  let open = 0;
  const send = ({ url, method, headers, body }: ResolvedRequest, dueMs: number) => {
    open += 1;
    let settled = false;
    const settle = (answered: boolean) => {
      if (settled) return;
      settled = true;
      open -= 1;
      if (answered) latencies.add(performance.now() - dueMs);
      else errors += 1;
    };
    const request = (secure ? httpsRequest : httpRequest)(
      url,
      { agent, method, headers: { ...headers } },
      (response) => {
        if ((response.statusCode ?? 0) >= 400) errors += 1;
        response.resume();
        response.once('end', () => settle(true));
        response.once('error', () => settle(false));
        response.once('close', () => settle(false));
      },
    );
    request.once('error', () => settle(false));
    request.end(body);
  };

  const startedMs = performance.now();
  const intervalMs = 1000 / rate;
  let sent = 0;
  try {
    while (!options.signal?.aborted) {
      const nowMs = performance.now() - startedMs;
      if (nowMs >= options.durationMs) break;
      for (; sent * intervalMs <= nowMs; sent += 1) {
        send(requests[sent % requests.length]!, startedMs + sent * intervalMs);
      }
      await delay(TICK_MS);
    }
    const drainUntilMs = performance.now() + DRAIN_MS;
    while (open > 0 && performance.now() < drainUntilMs && !options.signal?.aborted) await delay(TICK_MS);
    const elapsedMs = Math.min(performance.now() - startedMs, options.durationMs);
    // What is still open failed to be answered in time, and must not vanish from the account.
    errors += open;
    return { requests: latencies.count, errors, elapsedMs, latencies };
  } finally {
    agent.destroy();
  }
}
