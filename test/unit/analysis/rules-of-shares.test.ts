/** Findings that weigh what several functions, or the collector, take for one cause. */
import { describe, expect, it } from 'vitest';
import { analyse } from '../../../dist/analysis/analyse.js';
import type { ActivityCost, AllocationSite, FunctionCost } from '../../../dist/model/signals.js';
import { operation, signals, WINDOW_MS, type Changes } from './signals.js';

const findings = (changes: Changes) => analyse(signals(changes)).findings;
const causes = (changes: Changes) => findings(changes).map(({ cause }) => cause);
const site = (name: string, changes: Partial<AllocationSite> = {}): AllocationSite => ({
  location: { function: name, file: '/app/service.js', line: 8 },
  allocatedBytes: 3e8,
  share: 0.8,
  origin: 'user',
  ...changes,
});
const FULL = {
  'eventLoop.utilization': 0.97,
  'cpu.busy.share': 0.97,
  'thread.main.onCpu': 0.97,
} as const;

describe('garbage against computation in one function', () => {
  const metrics = { ...FULL, 'cpu.gc.share': 0.16, 'gc.share': 0.15, 'heap.allocation.rate': 6e7 };
  const enrich = (makingShare: number) =>
    operation('own-code', 'enrich', 0.7, {
      busy: 0.97,
      longestRunMs: 60,
      makingMs: makingShare * 0.7 * 0.97 * WINDOW_MS,
    });

  it('is the cause where the function’s lines make objects, however slowly', () => {
    expect(causes({ metrics, operations: [enrich(0.8)], allocations: [site('enrich')] })).toEqual([
      'allocation-churn',
    ]);
  });

  it('comes second where they compute', () => {
    expect(causes({ metrics, operations: [enrich(0.2)], allocations: [site('enrich')] })[0]).toBe('sync-cpu');
  });
});

describe('timers', () => {
  const metrics = {
    ...FULL,
    'cpu.timers.share': 0.06,
    'cpu.gc.share': 0.28,
    'gc.share': 0.25,
    'heap.allocation.rate': 9e7,
  };
  const operations = [operation('timer', 'set', 0.04, { busy: 0.97 })];

  it('answer for the collector’s time where they are the garbage', () => {
    const allocations = [site('set', { through: 'setTimeout', nodeShare: 0.4 })];
    expect(causes({ metrics, operations, allocations })[0]).toBe('timer-flood');
  });

  it('do not where the garbage is another one', () => {
    expect(causes({ metrics, operations, allocations: [site('project')] })[0]).toBe('allocation-churn');
  });
});

describe('computation that is spread over many functions', () => {
  const callers = [{ function: 'report', file: '/app/service.js', line: 3, share: 1 }];
  const operations = ['parse', 'score', 'weigh', 'norm', 'sum'].map((name) =>
    operation('own-code', name, 0.16, { busy: 0.4, longestRunMs: 4, callers }),
  );
  const cost = (name: string, share: number, longestRunMs: number): FunctionCost => ({
    location: { function: name, file: '/app/service.js', line: 3 },
    selfMs: 1,
    totalMs: share * 0.4 * WINDOW_MS,
    selfShare: 0,
    totalShare: share,
    origin: 'user',
    longestRunMs,
  });
  const metrics = { 'eventLoop.utilization': 0.4, 'cpu.busy.share': 0.4, 'thread.main.onCpu': 0.39 };

  it('is a fault of the innermost function that holds it, where one call blocks for long', () => {
    const functions = [cost('report', 0.85, 120), cost('handler', 0.9, 125), cost('parse', 0.16, 4)];
    const [first] = findings({ metrics, operations, functions });
    expect(first).toMatchObject({ cause: 'sync-cpu', location: { function: 'report' } });
  });

  it('is what a service does where its calls are short', () => {
    expect(causes({ metrics, operations, functions: [cost('report', 0.85, 9)] })).toEqual(['healthy']);
  });

  it('is what a service does where one request follows another', () => {
    const dense = operations.map((each) => ({ ...each, totalMs: each.share * 0.97 * WINDOW_MS }));
    const functions = [{ ...cost('report', 0.85, 60), totalMs: 0.85 * 0.97 * WINDOW_MS }];
    expect(causes({ metrics: FULL, operations: dense, functions })).toEqual(['saturated']);
  });
});

describe('Node’s modules that compute', () => {
  const metrics = { 'eventLoop.utilization': 0.6, 'cpu.busy.share': 0.6, 'thread.main.onCpu': 0.59 };
  it.each([
    ['node:internal/util/inspect: formatValue', 'sync-cpu'],
    ['node:internal/util/comparisons: isDeepEqual', 'sync-cpu'],
    ['node:querystring: parse', 'sync-cpu'],
    ['node:_http_outgoing: end', 'healthy'],
    ['node:net: connect', 'healthy'],
  ])('%s is %s', (name, cause) => {
    const operations = [operation('node', name, 0.6, { busy: 0.6, longestRunMs: 6 })];
    expect(causes({ metrics, operations: operations.map((each) => ({ ...each, name })) })[0]).toBe(cause);
  });
});

describe('timers that are made in great number', () => {
  const metrics = {
    'eventLoop.utilization': 0.4,
    'cpu.busy.share': 0.4,
    'thread.main.onCpu': 0.39,
    'cpu.timers.share': 0.05,
    'cpu.gc.share': 0.2,
    'gc.share': 0.08,
    'heap.allocation.rate': 6e7,
  } as const;
  const operations = [operation('timer', 'arm', 0.05, { busy: 0.4 })];

  it('are a finding too where they and the collector come to more than the time there is', () => {
    const most = { ...metrics, 'cpu.timers.share': 0.7, 'cpu.gc.share': 0.5 };
    expect(causes({ metrics: most, operations })).toContain('timer-flood');
  });

  it('are a flood also where each of them is cheap', () => {
    const flood = { ...metrics, 'eventLoop.resourcesCreated': 200_000 };
    expect(causes({ metrics: flood, operations })[0]).toBe('timer-flood');
  });

  it('are none where few are made', () => {
    const few = { ...metrics, 'eventLoop.resourcesCreated': 2000, 'cpu.gc.share': 0.05 };
    expect(causes({ metrics: few, operations })).toEqual(['healthy']);
  });
});

it('holds a function against what the kernel’s clock tells, where samples missed half of a crowded program', () => {
  const operations = [operation('own-code', 'rank', 0.8, { busy: 0.12, longestRunMs: 4 })];
  const metrics = {
    'eventLoop.utilization': 0.4,
    'cpu.busy.share': 0.12,
    'thread.main.onCpu': 0.36,
    'thread.main.runnable': 0.1,
  };
  expect(causes({ metrics, operations })[0]).toBe('sync-cpu');
  expect(causes({ metrics: { ...metrics, 'thread.main.onCpu': 0.12 }, operations })[0]).toBe('healthy');
});

it('calls a program saturated whose thread always wants to run, although its callers let the loop rest now and then', () => {
  const metrics = { 'eventLoop.utilization': 0.86, 'cpu.busy.share': 0.7, 'thread.main.onCpu': 0.55 };
  const others = { 'host.cpu.others': 3.6 };
  const cause = (runnable: number) =>
    causes({ metrics: { ...metrics, ...others, 'thread.main.runnable': runnable } }).find(
      (each) => each !== 'noisy-neighbour',
    );
  expect([cause(0.4), cause(0.1)]).toEqual(['saturated', 'healthy']);
});

it('finds memory outside the heap that grows slowly, which healthy programs do not have', () => {
  const growing = (bytes: number) => causes({ metrics: { 'external.live.growth': bytes } })[0];
  expect([growing(2.5e5), growing(2e4)]).toEqual(['external-leak', 'healthy']);
});

it('takes fewer files that stay open for a leak than connections, which are kept on purpose', () => {
  const left = (kind: ActivityCost['kind'], openDescriptors: number) =>
    causes({
      metrics: {
        'process.openDescriptors': 40,
        'process.openDescriptors.limit': 1024,
        'process.openDescriptors.growth': openDescriptors / (WINDOW_MS / 1000),
      },
      activities: [
        {
          kind,
          name: 'open',
          location: { function: 'readHeader', file: '/app/service.js', line: 8 },
          count: openDescriptors,
          errors: 0,
          totalMs: 1,
          p50Ms: 0.1,
          p99Ms: 0.1,
          maxMs: 0.1,
          bytes: 0,
          maxInFlight: 1,
          openDescriptors,
        },
      ],
    })[0];
  expect([left('fs', 14), left('connect', 14), left('connect', 40)]).toEqual([
    'descriptor-exhaustion',
    'healthy',
    'descriptor-exhaustion',
  ]);
});
