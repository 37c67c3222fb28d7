/** What both kinds of load take and give: the closed loop and the fixed arrival rate. */
import type { Progress } from '../events.js';
import type { LatencyHistogram } from './latency-histogram.js';
import type { LoadRequest } from './load-requests.js';

export interface DriveLoadOptions {
  readonly durationMs: number;
  /**
   * With a mix of requests in a closed loop: whole rounds through the mix that every connection does, in place of
   * `durationMs`. Stretches of load compare per request only if each has the same share of every request.
   */
  readonly rounds?: number;
  /** Requests in flight at a time, at most. 16 by default. */
  readonly connections?: number;
  /** Requests per second at a fixed arrival rate; without it, a closed loop. */
  readonly rate?: number;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A mix of requests, gone through in order; what a request leaves open is taken from the fields above. */
  readonly requests?: readonly LoadRequest[];
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
