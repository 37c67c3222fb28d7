import { describe, expect, it } from 'vitest';
import { analyse } from '../../../dist/analysis/analyse.js';
import { canBacktrack } from '../../../dist/analysis/regexp-shape.js';
import type { AllocationSite, OperationKind } from '../../../dist/model/signals.js';
import { operation, signals, type Changes } from './signals.js';

const find = (changes: Changes) => analyse(signals(changes)).findings;
const first = (changes: Changes) => find(changes)[0]!;
const busy = { 'eventLoop.utilization': 0.6, 'cpu.busy.share': 0.6, 'thread.main.onCpu': 0.59 } as const;
const site = (name: string, changes: Partial<AllocationSite> = {}): AllocationSite => ({
  location: { function: name, file: '/app/service.js', line: 8 },
  allocatedBytes: 5e8,
  share: 0.8,
  origin: 'user',
  ...changes,
});

describe('work that holds the loop', () => {
  it.each<[OperationKind, string, string]>([
    ['own-code', 'rankCustomers', 'sync-cpu'],
    ['json', 'JSON.parse', 'json-processing'],
    ['regexp', '/^(a+)+$/', 'regexp-backtracking'],
    ['sync-fs', 'fs.readFileSync', 'sync-fs'],
    ['console', 'log', 'sync-fs'],
    ['sync-child-process', 'child_process.execSync', 'sync-child-process'],
    ['sync-crypto', 'crypto.pbkdf2Sync', 'sync-crypto'],
    ['sync-zlib', 'zlib.gzipSync', 'sync-zlib'],
    ['exception', 'throw', 'exception-storm'],
    ['regexp', '/[a-z]+/g', 'sync-cpu'],
    ['buffer', 'Buffer.concat', 'sync-cpu'],
  ])('of kind %s (%s) is %s, at its line', (kind, name, cause) => {
    const finding = first({
      metrics: busy,
      operations: [operation(kind, name, 0.6, { busy: 0.6, longestRunMs: 80, line: 42 })],
    });
    expect(finding).toMatchObject({ cause, location: { line: 42, file: '/app/service.js' } });
    expect(finding.expectedGain).toBeCloseTo(0.6);
  });

  it.each<[OperationKind, string]>([
    ['json', 'JSON.stringify'],
    ['own-code', 'handler'],
    ['sync-crypto', 'crypto.createHash'],
    ['node', 'node:_http_outgoing: end'],
  ])('is ordinary where a service does a little of it in every request (%s)', (kind, name) => {
    const operations = [operation(kind, name, 0.2, { busy: 0.6, longestRunMs: 3 })];
    expect(first({ metrics: busy, operations }).cause).toBe('healthy');
  });

  it('is no fault where modules are loaded, and is one where loading is all the program does', () => {
    const loading = operation('own-code', 'buildIndex', 0.4, {
      busy: 0.6,
      longestRunMs: 900,
      startupMs: 0.4 * 0.6 * 5000,
    });
    expect(first({ metrics: { ...busy, 'cpu.startup.share': 0.4 }, operations: [loading] }).cause).toBe(
      'healthy',
    );
    expect(first({ metrics: { ...busy, 'cpu.startup.share': 0.9 }, operations: [loading] }).cause).toBe(
      'sync-cpu',
    );
  });

  it('is not blamed for the time in which the thread waits for a CPU', () => {
    const operations = [operation('own-code', 'small', 0.5, { busy: 0.6, longestRunMs: 5 })];
    const crowded = {
      ...busy,
      'thread.main.onCpu': 0.06,
      'thread.main.runnable': 0.54,
      'host.cpu.others': 3.9,
    };
    expect(first({ metrics: crowded, operations }).cause).toBe('noisy-neighbour');
  });

  it('is blamed for what it ran, where the thread waited for a CPU longer than its loop was busy', () => {
    // Woken threads wait for a CPU while their loop counts as idle: 0.17 of the window against 0.14 busy.
    const operations = [operation('own-code', 'rare', 0.87, { busy: 0.14, longestRunMs: 60 })];
    const metrics = {
      'eventLoop.utilization': 0.14,
      'cpu.busy.share': 0.14,
      'thread.main.onCpu': 0.08,
      'thread.main.runnable': 0.17,
    };
    const finding = find({ metrics, operations }).find(({ cause }) => cause === 'sync-cpu');
    expect(finding?.location?.function).toBe('rare');
    // Its part of the time on a CPU, over the window less what the thread missed.
    expect(finding?.evidence[0]?.value).toBeCloseTo((0.87 * 0.08) / (1 - 0.06), 3);
  });

  it('is blamed for all its time where it sleeps in a synchronous call, which is no wait for a CPU', () => {
    const operations = [operation('sync-fs', 'fs.readFileSync', 0.5, { busy: 0.6, longestRunMs: 40 })];
    const metrics = { ...busy, 'thread.main.onCpu': 0.1, 'thread.main.runnable': 0 };
    expect(first({ metrics, operations }).evidence[0]?.value).toBeCloseTo(0.3, 3);
  });

  it('is named after the dependency that does it, in the detail', () => {
    const via = { function: 'crunch', file: '/app/node_modules/x/i.js', line: 3 };
    const finding = first({
      metrics: busy,
      operations: [operation('own-code', 'report', 0.7, { busy: 0.6, longestRunMs: 50, via })],
    });
    expect(finding.detail).toContain('crunch (/app/node_modules/x/i.js:3)');
    expect(finding.location!.function).toBe('report');
  });

  it('is one finding for a function and its helpers', () => {
    const location = { function: 'render', file: '/app/service.js', line: 10 };
    const helper = operation('own-code', 'pad', 0.2, {
      busy: 0.6,
      longestRunMs: 40,
      line: 60,
      callers: [{ ...location, share: 1 }],
    });
    const findings = find({
      metrics: busy,
      operations: [operation('own-code', 'render', 0.6, { busy: 0.6, longestRunMs: 90 }), helper],
    });
    expect(findings.map(({ location: place }) => place?.function)).toEqual(['render']);
  });

  it('is two findings for two functions that do not call each other', () => {
    const operations = [
      operation('own-code', 'render', 0.4, { busy: 0.6, longestRunMs: 90 }),
      operation('own-code', 'rank', 0.3, { busy: 0.6, longestRunMs: 60, line: 70 }),
    ];
    expect(find({ metrics: busy, operations }).map(({ location }) => location?.function)).toEqual([
      'render',
      'rank',
    ]);
  });

  it('is megamorphic access where V8 stood in its generic stub, and then not plain computation too', () => {
    const operations = [
      operation('own-code', 'total', 0.8, { busy: 0.6, longestRunMs: 40, stubMs: 0.5 * 0.8 * 0.6 * 5000 }),
    ];
    expect(find({ metrics: busy, operations }).map(({ cause }) => cause)).toEqual(['megamorphic-access']);
  });

  it('needs more than a handful of samples', () => {
    const operations = [operation('own-code', 'once', 1, { busy: 0.006, longestRunMs: 30 })];
    const idle = { 'eventLoop.utilization': 0.006, 'cpu.busy.share': 0.006, 'thread.main.onCpu': 0.006 };
    expect(first({ metrics: idle, operations }).cause).toBe('healthy');
  });
});

describe('memory', () => {
  it('is churned where the collector is busy with new garbage, by the function that makes it', () => {
    const metrics = { ...busy, 'cpu.gc.share': 0.35, 'gc.share': 0.2, 'heap.allocation.rate': 4e8 };
    const finding = first({ metrics, allocations: [site('project')] });
    expect(finding).toMatchObject({ cause: 'allocation-churn', location: { function: 'project' } });
  });

  it('is not churned by JSON, which has a finding of its own', () => {
    const metrics = { ...busy, 'cpu.gc.share': 0.35, 'gc.share': 0.2, 'heap.allocation.rate': 4e8 };
    const operations = [
      {
        ...operation('json', 'JSON.parse', 0.5, { busy: 0.6, longestRunMs: 60 }),
        location: site('load').location,
      },
    ];
    expect(find({ metrics, operations, allocations: [site('load')] }).map(({ cause }) => cause)).toEqual([
      'json-processing',
    ]);
  });

  it('is near its limit, whether the floor or the collections show it', () => {
    expect(first({ metrics: { 'heap.floor.share': 0.85 } }).cause).toBe('heap-near-limit');
    expect(first({ metrics: { 'heap.floor.share': 0.5, 'gc.major.share': 0.3 } }).cause).toBe(
      'heap-near-limit',
    );
    expect(first({ metrics: { 'heap.floor.share': 0.5, 'gc.major.share': 0.02 } }).cause).toBe('healthy');
  });

  it('leaks where what survives collections grows at one place', () => {
    const allocations = [
      site('parse', { liveBytes: 1e4 }),
      site('remember', { liveBytes: 9e6, allocatedBytes: 1e7 }),
    ];
    const finding = first({ metrics: { 'heap.live.growth': 2e6 }, allocations });
    expect(finding).toMatchObject({
      cause: 'heap-leak',
      severity: 'critical',
      location: { function: 'remember' },
    });
    expect(finding.detail).toMatch(/limit is reached in \d+ minutes/);
  });

  it('names what a leak hangs on where the run looked for it, if it is the greater part', () => {
    const allocations = [site('remember', { liveBytes: 9e6, allocatedBytes: 1e7 })];
    const leak = { metrics: { 'heap.live.growth': 2e6 }, allocations };
    const retainer = { container: 'Map', path: 'sessions', bytes: 8e6, objects: 9e4 };
    const location = { function: 'login', file: '/app/lib/app.js', line: 3 };
    const named = first({ ...leak, retainers: [{ ...retainer, share: 0.9, location }] });
    expect(named.detail).toContain('They hang on sessions (app.js:3), of class Map.');
    expect(named.evidence).toContainEqual(
      expect.objectContaining({ metric: 'retainer.share', value: 0.9, threshold: 0.25 }),
    );
    expect(first({ ...leak, retainers: [{ ...retainer, share: 0.2 }] }).detail).not.toContain('hang on');
    expect(first(leak).detail).toContain('--retainers');
  });

  it('does not leak where what is kept comes from everywhere, or hardly grows', () => {
    const everywhere = Array.from({ length: 10 }, (_, i) => site(`f${i}`, { liveBytes: 1e6 }));
    expect(first({ metrics: { 'heap.live.growth': 2e6 }, allocations: everywhere }).cause).toBe('healthy');
    expect(
      first({ metrics: { 'heap.live.growth': 5e4 }, allocations: [site('f', { liveBytes: 9e6 })] }).cause,
    ).toBe('healthy');
  });

  it('is not said to leak by a short run where what keeps it is bounded, unless something else leaks', () => {
    const bounded = site('fare', { liveBytes: 6e6, boundedBy: 'fares: new LRUCache was given a limit' });
    const metrics = { 'heap.live.growth': 2e6 };
    const filling = analyse(signals({ metrics, allocations: [bounded] }));
    expect(filling.findings[0]!.cause).toBe('healthy');
    expect(filling.ruledOut.find(({ cause }) => cause === 'heap-leak')!.because).toMatch(
      /fares: new LRUCache was given a limit.*a cache that fills up/,
    );
    const leaking = [bounded, site('remember', { liveBytes: 4e6 })];
    expect(first({ metrics, allocations: leaking })).toMatchObject({
      cause: 'heap-leak',
      location: { function: 'remember' },
    });
    expect(first({ metrics, allocations: [bounded], durationMs: 120_000 }).cause).toBe('healthy');
    const lasting = [site('fare', { liveBytes: 2e8, boundedBy: 'fares: new LRUCache was given a limit' })];
    expect(first({ metrics, allocations: lasting, durationMs: 120_000 }).cause).toBe('heap-leak');
  });

  it('is not said to leak by a short run that knows no place', () => {
    expect(first({ metrics: { 'heap.live.growth': 2e6 } }).cause).toBe('healthy');
    expect(first({ metrics: { 'heap.live.growth': 2e6 }, durationMs: 120_000 }).cause).toBe('heap-leak');
  });

  it('leaks listeners where they are what is kept', () => {
    const allocations = [site('subscribe', { liveBytes: 9e6, through: 'addListener' })];
    expect(find({ metrics: { 'heap.live.growth': 2e6 }, allocations }).map(({ cause }) => cause)).toEqual([
      'listener-leak',
    ]);
  });

  it('leaks outside the heap, from the function that makes buffers', () => {
    const operations = [operation('buffer', 'Buffer.alloc', 0.1)];
    expect(first({ metrics: { 'external.live.growth': 5e6 }, operations })).toMatchObject({
      cause: 'external-leak',
      location: { function: 'Buffer.alloc' },
    });
  });

  it('is not called leaking outside the heap without collections that show it', () => {
    const changes = { without: ['external.live.growth'] as const, metrics: { 'external.growth': 9e6 } };
    expect(first(changes).cause).toBe('healthy');
    const gc = [{ kind: 'mark-sweep-compact', count: 4, totalMs: 20, maxMs: 8 }] as const;
    expect(first({ ...changes, gc }).cause).toBe('external-leak');
  });

  it('is touched afresh all the time', () => {
    const metrics = {
      ...busy,
      'process.faults.minor': 90_000,
      'process.cpu.system': 0.4,
      'process.cpu.total': 0.6,
    };
    const operations = [operation('own-code', 'histogram', 0.7, { busy: 0.6 })];
    expect(first({ metrics, operations })).toMatchObject({
      cause: 'fresh-page-faults',
      location: { function: 'histogram' },
    });
  });
});

describe('floods', () => {
  it('of timers', () => {
    const metrics = { ...busy, 'cpu.timers.share': 0.3, 'eventLoop.activeTimers': 50_000 };
    expect(first({ metrics, operations: [operation('timer', 'watch', 0.2, { busy: 0.6 })] })).toMatchObject({
      cause: 'timer-flood',
      location: { function: 'watch' },
    });
  });
  it('of microtasks', () => {
    const metrics = { ...busy, 'cpu.microtasks.share': 0.3 };
    expect(
      first({ metrics, operations: [operation('microtask', 'drain', 0.4, { busy: 0.6 })] }),
    ).toMatchObject({ cause: 'microtask-flood', location: { function: 'drain' } });
  });
  it('are not the few timers and promises of a service', () => {
    const metrics = { ...busy, 'cpu.timers.share': 0.06, 'cpu.microtasks.share': 0.1 };
    expect(
      first({ metrics, operations: [operation('microtask', 'handler', 0.1, { busy: 0.6 })] }).cause,
    ).toBe('healthy');
  });
});

describe('what is wrong around the program', () => {
  it.each([
    ['cpu-throttling', { 'cgroup.cpu.throttledPeriods': 0.6 }],
    ['cpu-steal', { 'host.cpu.steal': 0.45 }],
    [
      'noisy-neighbour',
      { 'eventLoop.utilization': 0.6, 'thread.main.runnable': 0.4, 'host.cpu.others': 3.8 },
    ],
    ['disk-iowait', { 'host.cpu.iowait': 0.5, 'thread.main.blocked': 0.5 }],
    ['memory-pressure', { 'cgroup.memory.used': 9.9e8, 'cgroup.memory.limit': 1e9 }],
  ] as const)('is %s', (cause, metrics) => {
    expect(first({ metrics }).cause).toBe(cause);
  });

  it('is no neighbour where the others are the load generator', () => {
    const metrics = {
      'eventLoop.utilization': 0.6,
      'thread.main.runnable': 0.4,
      'host.cpu.others': 2.2,
      'host.cpu.peers': 1.9,
    };
    expect(find({ metrics }).map(({ cause }) => cause)).toEqual(['healthy']);
  });

  it('is no disk where the host waits and the program does not', () => {
    expect(find({ metrics: { 'host.cpu.iowait': 0.5 } }).map(({ cause }) => cause)).toEqual(['healthy']);
  });
});

describe('canBacktrack', () => {
  it.each(['/^(a+)+$/', '/(\\w+\\s?)*$/', '/\\s+$/', '/(x+x+)+y/', '/a{2,}b/', 'pattern.test', '/"[^"]*":/'])(
    '%s can',
    (source) => {
      expect(canBacktrack(source)).toBe(true);
    },
  );
  it.each(['/[a-z]+/g', '/abc/', '/a?b?c{1,3}/', '/[*+]/', '/\\+\\*/i', '/\\d+/'])('%s cannot', (source) => {
    expect(canBacktrack(source)).toBe(false);
  });
});
