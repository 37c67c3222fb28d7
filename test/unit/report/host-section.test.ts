import { describe, expect, it } from 'vitest';
import type { HostProbe } from '../../../dist/model/host-probe.js';
import { measured, unavailable } from '../../../dist/model/metric.js';
import { renderHtml } from '../../../dist/report/html.js';
import { environment, profiles, result, stats } from './sample.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZES = [4 * KIB, 32 * KIB, 256 * KIB, 2 * MIB, 16 * MIB, 128 * MIB];
const LATENCIES = [1.4, 1.5, 4, 5, 40, 110];

const probe: HostProbe = {
  schemaVersion: 1,
  label: 'estimated',
  measuredAt: '2026-03-01T08:00:00.000Z',
  durationMs: 900,
  method: 'A random pointer chase.',
  host: environment.host,
  topology: {
    logicalCpus: 2,
    smtSiblings: [],
    allowedCpus: [0, 1],
    caches: [],
    numaNodes: [],
    cgroup: {},
    hugePages: {},
  },
  latencyCurve: SIZES.map((sizeBytes, i) => ({ sizeBytes, latencyNs: LATENCIES[i]! })),
  pages: 'huge',
  curveComplete: true,
  effectiveCaches: [
    { sizeBytes: 32 * KIB, latencyNs: 1.45 },
    { sizeBytes: 2 * MIB, latencyNs: 4.5 },
  ],
  memoryLatency: measured(110, 'ns'),
  pageWalk: measured(12, 'ns'),
  falseSharing: unavailable(
    'ONE_CORE',
    'This process may use one core only: no two threads can share a line at once.',
    'Allow two cores.',
  ),
  readBandwidth: measured(1.2e10, 'bytes/s'),
  timerResolution: measured(24, 'ns'),
  systemCall: measured(101, 'ns'),
  nativeCall: measured(8, 'ns'),
};

const render = (hostProbe: HostProbe) =>
  renderHtml({ results: [result], profiles, stats, environment, hostProbe });

function section(page: string): string {
  const start = page.indexOf('<section id="host"');
  expect(start).toBeGreaterThan(0);
  return page.slice(start, page.indexOf('</section>', start));
}

/** The points of the drawn line, in percent of the plot. */
function linePoints(text: string): [number, number][] {
  const path = /class="line" d="([^"]+)"/.exec(text)?.[1] ?? '';
  return [...path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

describe('the machine in the HTML report', () => {
  it('draws every size of the latency curve, larger ones to the right, slower ones higher', () => {
    const points = linePoints(section(render(probe)));
    expect(points).toHaveLength(SIZES.length);
    expect(points[0]![0]).toBe(0);
    expect(points.at(-1)![0]).toBe(100);
    for (const [i, [x, y]] of points.entries()) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(100);
      if (i === 0) continue;
      expect(x).toBeGreaterThan(points[i - 1]![0]);
      expect(y).toBeLessThan(points[i - 1]![1]);
    }
  });

  it('has equal steps for equal factors: each size here is eight times the one before', () => {
    const points = linePoints(section(render(probe)));
    for (const [i, [x]] of points.entries()) expect(x).toBeCloseTo(i * 20, 1);
  });

  it('marks where the caches end, at the size found', () => {
    const text = section(render(probe));
    const grid = /class="grid" d="([^"]+)"/.exec(text)?.[1] ?? '';
    const edges = [...grid.matchAll(/M([\d.]+) 0V100/g)].map(([, x]) => Number(x));
    expect(edges).toEqual([20, 60]);
    expect(text).toContain('caches end at 32 KiB, 2 MiB');
  });

  it('says why a figure is missing, and labels the rest as estimated', () => {
    const text = section(render(probe));
    expect(text).toContain('This process may use one core only');
    expect(text).toContain('Estimated');
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws a flat curve and a curve of two points', () => {
    for (const latencyCurve of [
      SIZES.map((sizeBytes) => ({ sizeBytes, latencyNs: 1 })),
      probe.latencyCurve.slice(0, 2),
    ]) {
      const text = section(render({ ...probe, latencyCurve, effectiveCaches: [] }));
      expect(linePoints(text)).toHaveLength(latencyCurve.length);
      expect(text).not.toMatch(/NaN|Infinity|caches end/);
    }
  });

  it('leaves the machine out where its memory could not be measured', () => {
    expect(render({ ...probe, latencyCurve: [] })).not.toContain('<section id="host"');
  });
});
