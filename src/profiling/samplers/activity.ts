import type { MetricName } from '../../model/metric-catalogue.js';
import { unavailable } from '../../model/metric.js';
import type { ActivityKind } from '../../model/signals.js';
import type { KindTotals } from '../activity/activity-table.js';
import { summariseActivities } from '../activity/summary.js';
import { ActivityTracer } from '../activity/tracer.js';
import type { Gathered, Sampler, SamplingWindow } from '../sampler.js';

/** Files, sockets, requests and pool work by call site and latency. A memory run leaves the program as it is. */
export class ActivitySampler implements Sampler {
  readonly name = 'activity';
  #tracer: ActivityTracer | undefined;
  #window: SamplingWindow | undefined;

  start(window: SamplingWindow): void {
    this.#window = window;
    if (window.type === 'memory') return;
    this.#tracer = new ActivityTracer();
    this.#tracer.start(window.type);
  }

  tick(values: Record<string, number>): void {
    if (this.#tracer === undefined) return;
    const { table } = this.#tracer;
    table.adapt();
    values['io.fs.inFlight'] = table.totals('fs').inFlight;
    values['network.http.inFlight'] = table.totals('http').inFlight;
  }

  stop(gathered: Gathered): void {
    const tracer = this.#tracer;
    if (tracer === undefined) return;
    tracer.stop();
    const { table } = tracer;
    const { type, sources, maxFunctions } = this.#window!;
    gathered.activities = summariseActivities(table.rows(), tracer, sources, maxFunctions);
    const seconds = gathered.elapsedMs / 1000;
    const totals = (kind: ActivityKind) => table.totals(kind);
    count(gathered, 'io.fs.operations', totals('fs'), seconds);
    latency(gathered, ['io.fs.latency.p50', 'io.fs.latency.p99', 'io.fs.latency.max'], totals('fs'));
    gathered.set('io.fs.errors', totals('fs').errors / seconds);
    gathered.set('io.fs.bytes', totals('fs').bytes / seconds);
    gathered.set('io.fs.inFlight.max', totals('fs').maxInFlight);
    if (type === 'io' || type === 'network') {
      count(gathered, 'io.sync.operations', totals('fs-sync'), seconds);
      gathered.set('io.sync.share', totals('fs-sync').latency.totalMs / gathered.elapsedMs);
      gathered.set('io.sync.max', totals('fs-sync').latency.maxMs);
    }
    count(gathered, 'network.http.requests', totals('http'), seconds);
    latency(
      gathered,
      ['network.http.latency.p50', 'network.http.latency.p99', 'network.http.latency.max'],
      totals('http'),
    );
    gathered.set('network.http.errors', totals('http').errors / seconds);
    gathered.set('network.http.inFlight.max', totals('http').maxInFlight);
    count(gathered, 'network.server.requests', totals('http-server'), seconds);
    latency(gathered, ['network.server.latency.p50', 'network.server.latency.p99'], totals('http-server'));
    gathered.set('network.server.newConnections', tracer.incomingConnections / seconds);
    count(gathered, 'network.connects', totals('connect'), seconds);
    let fetchConnections = 0;
    for (const made of tracer.fetchConnections.values()) fetchConnections += made;
    gathered.set('network.fetch.newConnections', fetchConnections / seconds);
    latency(gathered, ['network.connect.p50', 'network.connect.p99'], totals('connect'));
    latency(gathered, ['network.dns.p50', 'network.dns.p99'], totals('dns'));
    count(gathered, 'network.dns.lookups', totals('dns'), seconds);
    count(gathered, 'network.overfilledWrites', totals('overfilled-write'), seconds);
  }
}

function count(gathered: Gathered, name: MetricName, totals: KindTotals, seconds: number): void {
  gathered.set(name, totals.latency.weight / seconds);
}

const SHARES: Readonly<Record<string, number>> = { p50: 0.5, p99: 0.99, max: 1 };

function latency(gathered: Gathered, names: readonly MetricName[], totals: KindTotals): void {
  if (totals.latency.weight === 0) {
    gathered.missing(
      names,
      unavailable(
        'NONE_SEEN',
        'No such operation ended in the window.',
        'Nothing is missing, unless the program took the function out of its module before the profile began.',
      ),
    );
    return;
  }
  for (const name of names) {
    const share = SHARES[name.slice(name.lastIndexOf('.') + 1)] ?? 1;
    gathered.set(name, share === 1 ? totals.latency.maxMs : totals.latency.percentile(share));
  }
}
