/** What the host probe found, for the terminal: the latency curve as bars, and the figures below it. */
import type { HostProbe } from '../model/host-probe.js';
import type { Metric } from '../model/metric.js';
import { formatValue } from '../report/format.js';
import { formatBytes, formatNumber } from '../units.js';
import type { Terminal } from './terminal.js';

const BAR_COLUMNS = 40;

export function printHostProbe(terminal: Terminal, probe: HostProbe): void {
  const { topology } = probe;
  terminal.print();
  terminal.print(terminal.style('bold', 'Memory and calls, measured (estimates)'));
  const advertised = topology.caches
    .filter(({ kind, sharedBy }) => kind !== 'instruction' && sharedBy.includes(topology.allowedCpus[0] ?? 0))
    .map(({ level, sizeBytes }) => `L${level} ${formatBytes(sizeBytes)}`);
  if (advertised.length > 0) terminal.print(`  advertised caches: ${advertised.join(', ')}`);
  if (probe.effectiveCaches.length > 0) {
    const levels = probe.effectiveCaches.map(
      ({ sizeBytes, latencyNs }) => `${formatBytes(sizeBytes)} at ${formatNumber(latencyNs)} ns`,
    );
    terminal.print(`  effective caches: ${levels.join(', ')}`);
  }
  for (const line of latencyPlot(probe)) terminal.print(`  ${line}`);
  const figures: readonly (readonly [string, Metric])[] = [
    ['main memory, an access', probe.memoryLatency],
    ['a page walk', probe.pageWalk],
    ['reading in order', probe.readBandwidth],
    ['least step of the clock', probe.timerResolution],
    ['a system call', probe.systemCall],
    ['a call into the addon', probe.nativeCall],
  ];
  const { falseSharing } = probe;
  terminal.print(
    `  an atomic addition to a line that another core writes: ${falseSharing.available ? `${formatNumber(falseSharing.value)} times one to a line of its own` : falseSharing.message}`,
  );
  for (const [name, figure] of figures) {
    terminal.print(
      `  ${name}: ${figure.available ? formatValue(figure.value, figure.unit) : figure.message}`,
    );
  }
}

/** A row a size; the bar's length is the logarithm of the latency, since levels lie factors apart. */
export function latencyPlot({ latencyCurve }: Pick<HostProbe, 'latencyCurve'>): string[] {
  const latencies = latencyCurve.map(({ latencyNs }) => latencyNs);
  const low = Math.min(...latencies);
  // At least a decade, or noise on a flat curve would fill the width.
  const high = Math.max(low * 10, ...latencies);
  return latencyCurve.map(({ sizeBytes, latencyNs }) => {
    const share = Math.log(latencyNs / low) / Math.log(high / low);
    const bar = '█'.repeat(1 + Math.round(share * (BAR_COLUMNS - 1)));
    return `${formatBytes(sizeBytes).padStart(9)} ${bar} ${formatNumber(latencyNs)} ns`;
  });
}
