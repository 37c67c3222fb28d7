/** What the host probe found, for the terminal: the latency curve as bars, and the figures below it. */
import type { HostProbe, HostTopology } from '../model/host-probe.js';
import type { Metric } from '../model/metric.js';
import { formatCount, formatValue } from '../report/format.js';
import { formatBytes, formatNumber } from '../units.js';
import { visible, wrap, type Terminal } from './terminal.js';

const BAR_COLUMNS = 40;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Cores, caches, memory nodes and limits, as the kernel tells them; what it does not tell has no line. */
export function printTopology(terminal: Terminal, topology: HostTopology): void {
  terminal.print();
  terminal.print(terminal.style('bold', 'The machine, as the kernel tells it'));
  for (const line of topologyLines(topology)) terminal.print(`  ${wrap(line, terminal.columns, '    ')}`);
}

/** Pure. */
export function topologyLines(topology: HostTopology): string[] {
  const { logicalCpus, physicalCores, packages, smtSiblings, allowedCpus, numaNodes, cgroup } = topology;
  const { hugePages, governor, clockSource } = topology;
  const list = (cpus: readonly number[]) => cpus.join(', ');
  const processors = [
    formatCount(logicalCpus, 'logical CPU'),
    ...(physicalCores === undefined ? [] : [formatCount(physicalCores, 'core')]),
    ...(packages === undefined ? [] : [formatCount(packages, 'package')]),
  ];
  const siblings = smtSiblings.map((group) => group.join('+'));
  const quota = cgroup.quotaCpus === undefined ? 'no CPU quota' : `${formatNumber(cgroup.quotaCpus)} CPUs`;
  const memory =
    cgroup.memoryLimitBytes === undefined ? 'no memory limit' : formatBytes(cgroup.memoryLimitBytes);
  const pages = [
    ...(hugePages.transparent === undefined ? [] : [`transparent: ${hugePages.transparent}`]),
    ...(hugePages.sizeBytes === undefined ? [] : [formatBytes(hugePages.sizeBytes)]),
    ...(hugePages.reservedPages === undefined ? [] : [`${formatNumber(hugePages.reservedPages)} reserved`]),
  ];
  const caches = new Map<string, number[][]>();
  for (const { level, kind, sizeBytes, lineBytes, sharedBy } of topology.caches) {
    const text = `L${level} ${kind} ${formatBytes(sizeBytes)}${lineBytes === undefined ? '' : `, lines of ${lineBytes} B`}`;
    caches.set(text, [...(caches.get(text) ?? []), [...sharedBy]]);
  }
  const cacheTexts = [...caches].map(
    ([text, sharers]) => `${text} (${sharers.map((cpus) => `CPU ${list(cpus)}`).join(' | ')})`,
  );
  return [
    `processors: ${processors.join(', ')}`,
    ...(siblings.length === 0 ? [] : [`threads of one core: ${siblings.join(', ')}`]),
    `cpuset of this process: CPU ${list(allowedCpus)}`,
    ...(cacheTexts.length === 0 ? [] : [`caches, advertised: ${cacheTexts.join('; ')}`]),
    ...numaNodes.map(({ node, cpus }) => `memory node ${node}: CPU ${list(cpus)}`),
    cgroup.version === undefined
      ? 'control group: none'
      : `control group v${cgroup.version}: ${quota}, ${memory}`,
    ...(pages.length === 0 ? [] : [`huge pages: ${pages.join(', ')}`]),
    `governor: ${governor ?? 'not shown (usual in virtual machines)'}`,
    ...(clockSource === undefined ? [] : [`clock source: ${clockSource}`]),
  ];
}

/** @param storedIn folder of the store that holds it; undefined where it is in none. */
export function printHostProbe(terminal: Terminal, probe: HostProbe, storedIn?: string): void {
  const { topology } = probe;
  terminal.print();
  terminal.print(terminal.style('bold', 'Memory and calls, measured (estimates)'));
  const ageDays = Math.floor((Date.now() - Date.parse(probe.measuredAt)) / DAY_MS);
  const age =
    ageDays < 1 ? 'today' : `${formatCount(ageDays, 'day')} ago; sysopt doctor --probe measures anew`;
  const place =
    storedIn === undefined ? 'not stored, there is no store here' : `stored in ${visible(storedIn)}`;
  terminal.print(
    `  ${wrap(`measured ${probe.measuredAt.slice(0, 10)} (${age}), ${place}`, terminal.columns, '    ')}`,
  );
  terminal.print(`  ${wrap(probe.method, terminal.columns, '    ')}`);
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
