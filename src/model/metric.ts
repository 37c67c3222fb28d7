/**
 * A measured figure, or the reason why there is none. A missing measurement is never 0 and never NaN.
 */
export type Metric = AvailableMetric | UnavailableMetric;

export interface AvailableMetric {
  readonly available: true;
  readonly value: number;
  readonly unit: Unit;
}

export interface UnavailableMetric {
  readonly available: false;
  /** Short machine-readable cause, e.g. `NO_PMU`, `NOT_PERMITTED`, `PLATFORM`. */
  readonly reason: string;
  /** One sentence for people: what is missing. */
  readonly message: string;
  /** One sentence for people: what would make it available, or that nothing would. */
  readonly remedy: string;
}

/** Units that metrics are stored in. Tables for people may scale them. */
export type Unit = 'ratio' | 'ms' | 'us' | 'ns' | 'bytes' | 'bytes/s' | 'count' | 'count/s' | 'MHz';

/** Metrics by their catalogued dotted name, e.g. `eventLoop.utilization`. See docs/metrics.md. */
export type Metrics = Record<string, Metric>;

/** An available metric. Throws nothing: a value that is not finite becomes an unavailable metric. */
export function measured(value: number, unit: Unit): Metric {
  if (Number.isFinite(value)) return { available: true, value, unit };
  return unavailable(
    'NOT_MEASURED',
    'The source gave no finite number.',
    'Lengthen the measurement; report this if it persists.',
  );
}

export function unavailable(reason: string, message: string, remedy: string): UnavailableMetric {
  return { available: false, reason, message, remedy };
}

/** The value of a metric, or undefined where it is not available. */
export function metricValue(metric: Metric | undefined): number | undefined {
  return metric?.available ? metric.value : undefined;
}

/** One instant of a run's time line. `values` holds catalogued metric names. */
export interface TimelinePoint {
  /** Milliseconds since the run began. */
  readonly atMs: number;
  readonly values: Readonly<Record<string, number>>;
}
