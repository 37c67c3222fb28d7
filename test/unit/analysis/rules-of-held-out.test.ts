/** What the held-out half of the corpus taught: each rule at its threshold, and the healthy program beside it. */
import { describe, expect, it } from 'vitest';
import { analyse } from '../../../dist/analysis/analyse.js';
import type { AllocationSite } from '../../../dist/model/signals.js';
import { operation, signals, type Changes } from './signals.js';

const findings = (changes: Changes) => analyse(signals(changes)).findings;
const causes = (changes: Changes) => findings(changes).map(({ cause }) => cause);
const place = (name: string, line = 8) => ({ function: name, file: '/app/service.js', line });
const site = (name: string, changes: Partial<AllocationSite> = {}): AllocationSite => ({
  location: place(name),
  allocatedBytes: 5e8,
  share: 0.8,
  origin: 'user',
  ...changes,
});

describe('garbage', () => {
  const churning = {
    'eventLoop.utilization': 0.97,
    'cpu.busy.share': 0.97,
    'thread.main.onCpu': 0.97,
    'cpu.gc.share': 0.16,
    'gc.share': 0.12,
    'heap.allocation.rate': 1e8,
  };
  it('is a fault of the function that makes it', () => {
    expect(causes({ metrics: churning, allocations: [site('project')] })[0]).toBe('allocation-churn');
  });
  it('is none where Node makes most of it for requests', () => {
    const allocations = [
      site('handler', { nodeShare: 0.95 }),
      site('onHeaders', { origin: 'node', share: 0.4 }),
    ];
    expect(causes({ metrics: churning, allocations })).toEqual(['saturated']);
  });
  it('is the fault also where copying takes the time and the collector little', () => {
    const metrics = { ...churning, 'cpu.gc.share': 0.07, 'heap.allocation.rate': 1e9 };
    const copying = operation('own-code', 'indexBy', 0.6, { busy: 0.97, longestRunMs: 60 });
    const allocations = [site('indexBy', { allocatedBytes: 5e9, share: 0.99 })];
    expect(causes({ metrics, operations: [copying], allocations })[0]).toBe('allocation-churn');
  });
});

describe('listeners', () => {
  const growth = { emitter: 'EventEmitter', event: 'shutdown', first: 16, peak: 900, last: 900 };
  it('that are added and not removed are a leak, at the place that adds them', () => {
    const [first, ...others] = findings({
      type: 'memory',
      listeners: [{ ...growth, location: place('subscribe') }],
    });
    expect(first).toMatchObject({ cause: 'listener-leak', location: { function: 'subscribe' } });
    expect(others).toEqual([]);
  });
  it.each([
    ['fall again', { ...growth, last: 300 }],
    ['grow by a handful', { ...growth, peak: 30, last: 30 }],
  ])('are none where they %s', (_what, listeners) => {
    expect(causes({ type: 'memory', listeners: [listeners] })).toEqual(['healthy']);
  });
});

describe('deoptimisation', () => {
  const metrics = {
    'eventLoop.utilization': 0.4,
    'cpu.busy.share': 0.4,
    'thread.main.onCpu': 0.4,
    'cpu.deoptimisations': 200,
    'cpu.deoptimisations.lasting': 150,
  };
  const operations = [operation('own-code', 'total', 0.7, { busy: 0.4, longestRunMs: 4 })];
  const deoptimisations = [
    { location: { ...operations[0]!.location, line: operations[0]!.functionLine }, count: 800, share: 0.9 },
  ];
  it('that lasts, in one function, is a loop', () => {
    expect(causes({ metrics, operations, deoptimisations })[0]).toBe('deoptimisation-loop');
  });
  it('is ordinary where it ends with warming up, or is spread over the program', () => {
    const warm = { ...metrics, 'cpu.deoptimisations.lasting': 2 };
    expect(causes({ metrics: warm, operations, deoptimisations })).not.toContain('deoptimisation-loop');
    const spread = [{ ...deoptimisations[0]!, share: 0.1 }];
    expect(causes({ metrics, operations, deoptimisations: spread })).not.toContain('deoptimisation-loop');
  });
});

describe('fragmentation', () => {
  it('of the heap is told by pages that stand empty', () => {
    expect(causes({ type: 'memory', metrics: { 'heap.slack': 9e7, 'heap.slack.share': 0.57 } })[0]).toBe(
      'heap-fragmentation',
    );
    expect(causes({ type: 'memory', metrics: { 'heap.slack': 5e6, 'heap.slack.share': 0.57 } })).toEqual([
      'healthy',
    ]);
  });
  it('outside of it by resident memory without an owner, unless it rises', () => {
    const holes = {
      'heap.slack': 1e6,
      'heap.slack.share': 0.1,
      'process.unaccounted': 4e8,
      'process.unaccounted.share': 0.8,
    };
    expect(causes({ type: 'memory', metrics: holes })[0]).toBe('heap-fragmentation');
    expect(causes({ type: 'memory', metrics: { ...holes, 'process.rss.growth': 9e6 } })).toEqual(['healthy']);
  });
});

describe('the host', () => {
  it.each([
    ['cpu-steal', { 'host.cpu.steal': 0.25 }],
    ['disk-iowait', { 'host.cpu.iowait': 0.4, 'thread.main.blocked': 0.3 }],
    ['cpu-throttling', { 'cgroup.cpu.throttledPeriods': 0.3 }],
  ])('comes before the program’s own health where it is clearly in the way: %s', (cause, metrics) => {
    expect(causes({ metrics })).toEqual([cause, 'healthy']);
  });
});

describe('a slow name', () => {
  it('is not hidden by addresses that are looked up at once', () => {
    const row = { errors: 0, bytes: 0, maxInFlight: 1, kind: 'dns' as const };
    const slow = {
      ...row,
      name: 'resolve4',
      target: 'rates.internal',
      location: place('locate'),
      count: 20,
      totalMs: 4000,
      p50Ms: 200,
      p99Ms: 210,
      maxMs: 220,
    };
    const quick = {
      ...row,
      name: 'dns.lookup',
      target: '127.0.0.1',
      location: place('send'),
      count: 400,
      totalMs: 8,
      p50Ms: 0.02,
      p99Ms: 0.1,
      maxMs: 0.1,
    };
    const [first] = findings({ type: 'network', activities: [slow, quick] });
    expect(first).toMatchObject({ cause: 'slow-dns', location: { function: 'locate' } });
  });
});
