/**
 * The machine's latency curve and what else the host probe measured. Both axes are logarithmic: caches differ by factors,
 * and a level is then a flat stretch wherever it lies.
 */
import type { HostProbe } from '../model/host-probe.js';
import type { Metric } from '../model/metric.js';
import { formatBytes, formatNumber } from '../units.js';
import { formatInstant, formatValue } from './format.js';
import { html, trusted, type Markup } from './markup.js';

const OCTAVES_PER_TICK = 3;

export function hostSection(probe: HostProbe): Markup {
  const figures: readonly (readonly [string, Metric])[] = [
    ['main memory, an access', probe.memoryLatency],
    ['a page walk', probe.pageWalk],
    ['a contended line, against one of its own', probe.falseSharing],
    ['reading in order', probe.readBandwidth],
    ['least step of the clock', probe.timerResolution],
    ['a system call', probe.systemCall],
    ['a call into the addon', probe.nativeCall],
  ];
  const show = (figure: Metric) =>
    figure.available
      ? figure.unit === 'ratio'
        ? `${formatNumber(figure.value)}×`
        : formatValue(figure.value, figure.unit)
      : figure.message;
  return html`<p class="quiet">
      Estimated, ${formatInstant(probe.measuredAt)}. ${probe.method} Pages: ${probe.pages}.
    </p>
    ${latencyChart(probe)}
    <div class="scroll">
      <table>
        <tbody>
          ${probe.effectiveCaches.map(
            ({ sizeBytes, latencyNs }, level) =>
              html`<tr>
                <th scope="row">cache level ${String(level + 1)}, as found</th>
                <td>${formatBytes(sizeBytes)} at ${formatNumber(latencyNs)} ns</td>
              </tr>`,
          )}
          ${figures.map(
            ([name, figure]) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td>${show(figure)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

/** Latency over size of the memory that is gone through, with a line where each cache ends. */
export function latencyChart({
  latencyCurve,
  effectiveCaches,
}: Pick<HostProbe, 'latencyCurve' | 'effectiveCaches'>): Markup {
  const sizes = latencyCurve.map(({ sizeBytes }) => sizeBytes);
  const latencies = latencyCurve.map(({ latencyNs }) => latencyNs);
  const [least, greatest] = [Math.min(...sizes), Math.max(...sizes)];
  const low = 10 ** Math.floor(Math.log10(Math.min(...latencies)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...latencies) * 1.0001));
  const place = (value: number, from: number, to: number) =>
    (Math.log(value / from) / Math.log(to / from)) * 100;
  const x = (bytes: number) => fixed(place(bytes, least, greatest));
  const y = (ns: number) => fixed(100 - place(ns, low, high));
  const line = latencyCurve
    .map(({ sizeBytes, latencyNs }, i) => `${i === 0 ? 'M' : 'L'}${x(sizeBytes)} ${y(latencyNs)}`)
    .join('');
  const decades: number[] = [];
  for (let ns = low; ns <= high; ns *= 10) decades.push(ns);
  const edges = effectiveCaches.filter(({ sizeBytes }) => sizeBytes > least && sizeBytes < greatest);
  const grid = [
    ...decades.map((ns) => `M0 ${y(ns)}H100`),
    ...edges.map(({ sizeBytes }) => `M${x(sizeBytes)} 0V100`),
  ].join('');
  // Two sizes an octave.
  const ticks = sizes.filter((_, i) => i % (2 * OCTAVES_PER_TICK) === 0);
  const ends = edges.map(({ sizeBytes }) => formatBytes(sizeBytes)).join(', ');
  const description = `Latency of an access, from ${formatNumber(Math.min(...latencies))} ns in ${formatBytes(least)} to ${formatNumber(Math.max(...latencies))} ns in ${formatBytes(greatest)}${ends === '' ? '' : `; caches end at ${ends}`}`;
  return html`<figure
    class="chart wide"
    data-points="${JSON.stringify(latencyCurve.map(({ sizeBytes, latencyNs }) => [x(sizeBytes), y(latencyNs), `${formatNumber(latencyNs)} ns`, formatBytes(sizeBytes)]))}"
  >
    <figcaption>
      <b>Latency of an access</b
      ><span class="quiet">by size of the memory that is gone through at random</span>
    </figcaption>
    <div class="plot">
      ${decades.map((ns) => html`<span class="y-tick" style="top:${y(ns)}%">${formatNumber(ns)} ns</span>`)}
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${description}">
        <path class="grid" d="${trusted(grid)}" />
        <path class="line" d="${trusted(line)}" />
      </svg>
    </div>
    <div class="x-ticks">
      ${ticks.map((bytes) => html`<span style="left:${x(bytes)}%">${formatBytes(bytes)}</span>`)}
    </div>
  </figure>`;
}

function fixed(value: number): string {
  return value.toFixed(2);
}
