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
  it('is one fault with the time of the function that does little but make it', () => {
    const metrics = { ...churning, 'cpu.gc.share': 0.13 };
    const making = operation('own-code', 'enrich', 0.8, { busy: 0.97, longestRunMs: 60 });
    const made = (allocatedBytes: number) => [site('enrich', { allocatedBytes, share: 0.99 })];
    expect(causes({ metrics, operations: [making], allocations: made(4e9) })).toEqual(['allocation-churn']);
    // Where it computes for longer than objects take to make, both are true.
    expect(causes({ metrics, operations: [making], allocations: made(1e9) })).toEqual([
      'sync-cpu',
      'allocation-churn',
    ]);
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

describe('a stretch of samples', () => {
  const hot = (busy: number, longestRunMs: number) => ({
    metrics: {
      'eventLoop.utilization': busy,
      'cpu.busy.share': busy,
      'thread.main.onCpu': busy,
      'cpu.samples': 2000,
    },
    operations: [operation('own-code', 'render', 0.2, { busy, longestRunMs })],
  });
  it('is chance where requests follow one another and each holds some of the function', () => {
    expect(causes(hot(0.97, 15))).toEqual(['saturated']);
  });
  it('is chance too where samples see less of a full loop than the kernel does', () => {
    const metrics = {
      'eventLoop.utilization': 0.97,
      'cpu.busy.share': 0.6,
      'thread.main.onCpu': 0.93,
      'cpu.samples': 760,
    };
    const end = (longestRunMs: number) => ({
      metrics,
      operations: [operation('node', 'node:_http_outgoing: end', 0.83, { busy: 0.6, longestRunMs })],
    });
    expect(causes(end(67))).toEqual(['saturated']);
    const [finding] = analyse(signals(end(900))).findings;
    expect(finding).toMatchObject({ cause: 'sync-cpu' });
    expect(finding!.evidence).toContainEqual(
      expect.objectContaining({ metric: 'operation.loopShare', threshold: 0.05 }),
    );
  });
  it('is a fault where it is longer than that, and where the loop rests between tasks', () => {
    expect(causes(hot(0.97, 40))).toEqual(['sync-cpu']);
    expect(causes(hot(0.5, 15))).toEqual(['sync-cpu']);
  });
});

describe('the work of a server', () => {
  const full = { 'eventLoop.utilization': 0.97, 'cpu.busy.share': 0.97, 'thread.main.onCpu': 0.97 };
  const file = '/app/node_modules/web/reply.js';
  const reply = (longestRunMs: number) => [
    operation('own-code', 'reply', 0.4, {
      busy: 0.97,
      longestRunMs,
      location: { function: 'reply', file, line: 4 },
    }),
  ];
  it('is a framework’s too, where none of the program’s functions is above it', () => {
    expect(causes({ metrics: full, operations: reply(12) })).toEqual(['saturated']);
    expect(causes({ metrics: full, operations: reply(120) })).toEqual(['sync-cpu']);
  });
  it('is no signing, though a call is short; digests are ordinary', () => {
    const metrics = { 'eventLoop.utilization': 0.4, 'cpu.busy.share': 0.4, 'thread.main.onCpu': 0.4 };
    const of = (name: string) => [operation('sync-crypto', name, 0.45, { busy: 0.4, longestRunMs: 3 })];
    expect(causes({ metrics, operations: of('crypto.sign') })).toEqual(['sync-crypto']);
    expect(causes({ metrics, operations: of('crypto.update') })).toEqual(['healthy']);
  });
});

describe('garbage of timers', () => {
  it('is the flood’s', () => {
    const metrics = {
      'eventLoop.utilization': 0.9,
      'cpu.busy.share': 0.9,
      'thread.main.onCpu': 0.9,
      'cpu.gc.share': 0.3,
      'gc.share': 0.25,
      'heap.allocation.rate': 3e8,
      'cpu.timers.share': 0.3,
    };
    const operations = [operation('timer', 'set', 0.2, { busy: 0.9 })];
    expect(causes({ metrics, operations, allocations: [site('touch')] })).toEqual(['timer-flood']);
  });
});

describe('a connection for each request', () => {
  const row = { target: 'rates:80', errors: 0, bytes: 0, maxInFlight: 2, p50Ms: 5, p99Ms: 9, maxMs: 9 };
  const asked = {
    ...row,
    kind: 'http' as const,
    name: 'GET',
    location: place('quote'),
    count: 200,
    totalMs: 1000,
  };
  const connected = { ...row, kind: 'connect' as const, name: 'connect', totalMs: 60 };
  it('is told by the host’s connections where requests do not tell, as those of fetch', () => {
    const [first] = findings({ type: 'network', activities: [asked, { ...connected, count: 200 }] });
    expect(first).toMatchObject({ cause: 'no-keep-alive', location: { function: 'quote' } });
    expect(causes({ type: 'network', activities: [asked, { ...connected, count: 4 }] })).toEqual(['healthy']);
  });
  it('is not told by connections that other requests made', () => {
    const fresh = { ...asked, location: place('other'), count: 20, newConnectionShare: 1 };
    const activities = [asked, fresh, { ...connected, count: 20 }];
    expect(causes({ type: 'network', activities })).toEqual(['healthy']);
  });
});

describe('objects of many shapes', () => {
  const busy = { 'eventLoop.utilization': 0.6, 'cpu.busy.share': 0.6, 'thread.main.onCpu': 0.6 };
  const stubMs = 0.5 * 0.8 * 0.6 * 5000;
  const diff = operation('own-code', 'diff', 0.8, { busy: 0.6, longestRunMs: 40, stubMs });
  it('are not the reason where the stubs are those that make new objects and text', () => {
    const allocations = (allocatedBytes: number) => [site('diff', { allocatedBytes })];
    expect(causes({ metrics: busy, operations: [diff], allocations: allocations(1e6) })[0]).toBe(
      'megamorphic-access',
    );
    expect(causes({ metrics: busy, operations: [diff], allocations: allocations(3e9) })[0]).toBe('sync-cpu');
  });
});

describe('a run of a few milliseconds', () => {
  it('says little of the program and nothing of the host', () => {
    const metrics = {
      'eventLoop.utilization': 1,
      'thread.main.onCpu': 0.6,
      'thread.main.runnable': 0.4,
      'host.cpu.others': 3.9,
    };
    const [first, ...others] = findings({ metrics, durationMs: 7 });
    expect(first).toMatchObject({ cause: 'healthy' });
    expect(first!.title).toContain('7 ms are too short');
    expect(first!.confidence).toBeLessThan(0.2);
    expect(others).toEqual([]);
  });
  it('is not told by what starting takes: fresh memory, loading, compiling', () => {
    const metrics = { 'process.faults.minor': 60_000, 'process.cpu.system': 0.5, 'process.cpu.total': 1 };
    expect(causes({ metrics, durationMs: 5_000 })).toEqual(['fresh-page-faults']);
    expect(causes({ metrics, durationMs: 7 })).toEqual(['healthy']);
  });
});

describe('a neighbour', () => {
  it('is told by its part of the host’s CPUs, in one unit throughout', () => {
    const metrics = { 'eventLoop.utilization': 0.6, 'thread.main.runnable': 0.4, 'host.cpu.others': 3.2 };
    const evidence = findings({ metrics })[0]!.evidence.at(-1)!;
    expect(evidence).toMatchObject({ unit: 'ratio', threshold: 0.4 });
    expect(evidence.value).toBeCloseTo(0.8);
    expect(evidence.statement).toBe('Other processes used 80 % of the host’s CPU time (4 CPUs).');
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
