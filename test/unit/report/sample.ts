/** A realistic run of an orders service, and profiles of every outcome, for the report's tests. */
import type { Comparison } from '../../../dist/model/comparison.js';
import type { Environment } from '../../../dist/model/fingerprint.js';
import type { OptimizationProfile } from '../../../dist/model/optimization-profile.js';
import type { ProfilingResult } from '../../../dist/model/profiling-result.js';
import type { FunctionCost, StackNode } from '../../../dist/model/signals.js';

export const environment: Environment = {
  host: {
    id: '7d3c1a90be42f6a1',
    platform: 'linux',
    arch: 'x64',
    cpuModel: 'AMD EPYC 7B13',
    logicalCpus: 2,
    memoryBytes: 25_200_000_000,
    kernel: '6.1.0-18-amd64',
    virtualised: true,
  },
  node: 'v20.20.0',
  v8: '11.3.244.8-node.30',
  flags: [],
  loadAverage: 0.42,
  stealShare: 0.004,
  libraryVersion: '0.1.0',
};

const ROOT = '/srv/orders-service';
const at = (name: string, file: string, line: number) => ({ function: name, file, line, column: 3 });

function node(
  name: string,
  value: number,
  file: string,
  line: number,
  children: StackNode[] = [],
): StackNode {
  return { name, value, children, ...(file !== '' && { file, line }) };
}

export const callTree: StackNode = node('(root)', 9200, '', 0, [
  node('processTicksAndRejections', 7900, 'node:internal/process/task_queues', 67, [
    node('parserOnIncoming', 7600, 'node:_http_server', 978, [
      node('emit', 7550, 'node:events', 466, [
        node('handleRequest', 7500, `${ROOT}/app.js`, 41, [
          node('route', 7320, `${ROOT}/lib/router.js`, 12, [
            node('monthlyReport', 4100, `${ROOT}/routes/report.js`, 23, [
              node('groupByCustomer', 2900, `${ROOT}/routes/report.js`, 57, [
                node('findCustomer', 2450, `${ROOT}/lib/customers.js`, 19),
                node('spreadInto', 300, `${ROOT}/routes/report.js`, 71),
              ]),
              node('formatMoney', 820, `${ROOT}/lib/format.js`, 4, [node('NumberFormat', 610, '', 0)]),
            ]),
            node('searchOrders', 2100, `${ROOT}/routes/search.js`, 15, [
              node('matches', 1680, `${ROOT}/routes/search.js`, 33, [
                node('RegExp: ^(\\w+\\s?)+$', 1290, '', 0),
              ]),
            ]),
            node('listOrders', 900, `${ROOT}/routes/list.js`, 8, [
              node('stringify', 520, `${ROOT}/node_modules/fast-ish-json/index.js`, 77),
              node('structuredClone', 240, 'node:internal/structured_clone', 12),
            ]),
          ]),
          node('readBody', 120, `${ROOT}/lib/body.js`, 6),
        ]),
      ]),
    ]),
    node('afterWriteDispatched', 180, 'node:internal/stream_base_commons', 150),
  ]),
  node('(garbage collector)', 890, '', 0),
  node('(program)', 380, '', 0),
]);

function cost(name: string, file: string, line: number, selfMs: number, totalMs: number): FunctionCost {
  return {
    location: at(name, file, line),
    selfMs,
    totalMs,
    selfShare: selfMs / 9200,
    totalShare: totalMs / 9200,
    hottestLine: line + 4,
    origin:
      file === ''
        ? 'native'
        : file.startsWith('node:')
          ? 'node'
          : file.includes('node_modules')
            ? 'dependency'
            : 'user',
  };
}

export const result: ProfilingResult = {
  schemaVersion: 1,
  id: 'cpu-01890f3e-7c2a-7b10-9d3e-1f2a3b4c5d6e',
  type: 'cpu',
  createdAt: '2026-03-02T09:14:05.000Z',
  durationMs: 10_000,
  target: {
    pid: 4242,
    description: 'node app.js',
    load: {
      url: 'http://127.0.0.1:3000/report',
      requests: 1873,
      errors: 0,
      requestsPerSecond: 187.3,
      latencyMs: { p50: 48, p90: 92, p99: 181, max: 240 },
    },
  },
  environment,
  metrics: {
    'eventLoop.utilization': { available: true, value: 0.972, unit: 'ratio' },
    'eventLoop.delay.p50': { available: true, value: 9.4, unit: 'ms' },
    'eventLoop.delay.p99': { available: true, value: 61.2, unit: 'ms' },
    'eventLoop.delay.max': { available: true, value: 118, unit: 'ms' },
    'cpu.samples': { available: true, value: 9412, unit: 'count' },
    'cpu.busy.share': { available: true, value: 0.92, unit: 'ratio' },
    'cpu.gc.share': { available: true, value: 0.097, unit: 'ratio' },
    'process.cpu.user': { available: true, value: 1.04, unit: 'ratio' },
    'process.cpu.system': { available: true, value: 0.06, unit: 'ratio' },
    'process.rss': { available: true, value: 412_000_000, unit: 'bytes' },
    'process.switches.involuntary': { available: true, value: 38.2, unit: 'count/s' },
    'thread.main.onCpu': { available: true, value: 0.941, unit: 'ratio' },
    'thread.main.runnable': { available: true, value: 0.021, unit: 'ratio' },
    'gc.share': { available: true, value: 0.089, unit: 'ratio' },
    'gc.pause.max': { available: true, value: 21.7, unit: 'ms' },
    'heap.used': { available: true, value: 187_000_000, unit: 'bytes' },
    'heap.allocation.rate': { available: true, value: 310_000_000, unit: 'bytes/s' },
    'host.cpu.busy': { available: true, value: 0.73, unit: 'ratio' },
    'counters.instructions': {
      available: false,
      reason: 'NO_PMU',
      message: 'This virtual machine exposes no performance monitoring unit.',
      remedy: 'Run on bare metal, or on an instance type that passes the PMU through.',
    },
    'host.pressure.cpu': {
      available: false,
      reason: 'NO_PSI',
      message: 'The kernel was started without pressure stall information.',
      remedy: 'Boot with psi=1.',
    },
  },
  timeline: Array.from({ length: 100 }, (_, i) => ({
    atMs: i * 100,
    values: {
      'eventLoop.utilization': 0.94 + 0.05 * Math.sin(i / 7),
      'heap.used': 140e6 + ((i * 7e6) % 61e6),
      'process.cpu.total': 1.05 + 0.08 * Math.cos(i / 3),
      'eventLoop.delay.p99': 40 + 25 * Math.abs(Math.sin(i / 5)) + (i === 63 ? 55 : 0),
    },
  })),
  functions: [
    cost('findCustomer', `${ROOT}/lib/customers.js`, 19, 2450, 2450),
    cost('RegExp: ^(\\w+\\s?)+$', '', 0, 1290, 1290),
    cost('stringify', `${ROOT}/node_modules/fast-ish-json/index.js`, 77, 520, 520),
    cost('matches', `${ROOT}/routes/search.js`, 33, 390, 1680),
    cost('monthlyReport', `${ROOT}/routes/report.js`, 23, 380, 4100),
    cost('groupByCustomer', `${ROOT}/routes/report.js`, 57, 150, 2900),
    cost('parserOnIncoming', 'node:_http_server', 978, 50, 7600),
  ],
  allocations: [],
  activities: [
    {
      kind: 'fs',
      name: 'fs.readFile',
      location: at('loadTemplate', `${ROOT}/lib/templates.js`, 9),
      count: 1873,
      errors: 0,
      totalMs: 2210,
      p50Ms: 0.8,
      p99Ms: 14.2,
      maxMs: 21,
      bytes: 7_670_000,
      maxInFlight: 4,
    },
    {
      kind: 'http',
      name: 'GET',
      target: 'prices.internal:8080',
      location: at('priceOf', `${ROOT}/lib/prices.js`, 31),
      count: 640,
      errors: 3,
      totalMs: 31_500,
      p50Ms: 42,
      p99Ms: 180,
      maxMs: 412,
      bytes: 0,
      maxInFlight: 11,
    },
  ],
  threads: [
    { tid: 4242, name: 'node', role: 'main', onCpuMs: 9410, runnableMs: 210, blockedMs: 380, migrations: 12 },
    { tid: 4260, name: 'worker 1', role: 'worker', onCpuMs: 2500, runnableMs: 100, blockedMs: 7400 },
    { tid: 4250, name: 'libuv-worker', role: 'pool', onCpuMs: 0, runnableMs: 0, blockedMs: 10_000 },
  ],
  threadProfiles: [
    {
      workerId: '1',
      title: 'thumbnails',
      url: `${ROOT}/workers/thumbnails.js`,
      sampledMs: 10_000,
      busyShare: 0.25,
      functions: [cost('resample', `${ROOT}/workers/thumbnails.js`, 14, 2300, 2400)],
      operations: [],
      callTree: null,
    },
  ],
  callTree,
  analysis: {
    summary:
      'The event loop was busy for 97 % of the window, and 27 % of the CPU time went into one linear search inside the report route. A backtracking regular expression in the search route takes another 14 %.',
    findings: [
      {
        cause: 'sync-cpu',
        severity: 'critical',
        confidence: 0.94,
        title: 'findCustomer searches a list linearly and takes 27 % of all CPU time',
        detail: 'It is called once per order, so the report route does orders × customers comparisons.',
        location: at('findCustomer', `${ROOT}/lib/customers.js`, 19),
        evidence: [
          {
            metric: 'cpu.self.share',
            value: 0.266,
            unit: 'ratio',
            threshold: 0.1,
            statement: 'findCustomer itself ran for 27 % of sampled CPU time.',
          },
          {
            metric: 'eventLoop.delay.p99',
            value: 61.2,
            unit: 'ms',
            threshold: 30,
            statement: 'Timers were up to 61 ms late (99th percentile).',
          },
        ],
        ruledOut: [{ cause: 'cpu-steal', because: 'The hypervisor took 0.4 % of the host’s CPU time.' }],
        expectedGain: 0.26,
      },
      {
        cause: 'regexp-backtracking',
        severity: 'high',
        confidence: 0.88,
        title: 'A regular expression in matches backtracks for 14 % of CPU time',
        location: at('matches', `${ROOT}/routes/search.js`, 33),
        evidence: [
          {
            metric: 'cpu.self.share',
            value: 0.14,
            unit: 'ratio',
            threshold: 0.05,
            statement: '14 % of sampled CPU time lies in one regular expression.',
          },
        ],
        ruledOut: [],
        expectedGain: 0.14,
      },
      {
        cause: 'allocation-churn',
        severity: 'medium',
        confidence: 0.7,
        title: 'Garbage collection takes 9 % of the window',
        evidence: [
          {
            metric: 'gc.share',
            value: 0.089,
            unit: 'ratio',
            threshold: 0.05,
            statement: 'The main thread was paused for 8.9 % of the window.',
          },
        ],
        ruledOut: [],
      },
    ],
    ruledOut: [
      {
        cause: 'noisy-neighbour',
        because: 'Other processes used 4 % of one CPU besides the load generator.',
      },
      { cause: 'threadpool-saturation', because: 'A no-op through the libuv pool came back in 0.03 ms.' },
    ],
  },
  recommendations: [
    {
      schemaVersion: 1,
      id: 'recommendation-01890f3e-0001',
      createdAt: '2026-03-02T09:14:15.000Z',
      resultId: 'cpu-01890f3e-7c2a-7b10-9d3e-1f2a3b4c5d6e',
      cause: 'sync-cpu',
      severity: 'critical',
      confidence: 0.94,
      title: 'Look customers up in a Map',
      evidence: [],
      location: at('findCustomer', `${ROOT}/lib/customers.js`, 19),
      action: {
        kind: 'code-change',
        summary: 'Build an index once, where the list changes, and look customers up in it.',
        before: 'function findCustomer(id) {\n  return customers.find((c) => c.id === id);\n}',
        after:
          'const byId = new Map(customers.map((c) => [c.id, c]));\n\nfunction findCustomer(id) {\n  return byId.get(id);\n}',
        guide: 'docs/guide-computation.md#linear-search',
      },
    },
    {
      schemaVersion: 1,
      id: 'recommendation-01890f3e-0002',
      createdAt: '2026-03-02T09:14:15.000Z',
      resultId: 'cpu-01890f3e-7c2a-7b10-9d3e-1f2a3b4c5d6e',
      cause: 'allocation-churn',
      severity: 'medium',
      confidence: 0.7,
      title: 'Try a larger young generation',
      evidence: [],
      action: { kind: 'runtime-flag', flag: '--max-semi-space-size=64' },
    },
  ],
  warnings: [],
};

export function comparison(overrides: Partial<Comparison> = {}): Comparison {
  return {
    form: 'fresh-processes',
    baseline: 'declared',
    candidate: 'cache_line',
    verdict: 'faster',
    ratio: 0.7,
    interval: [0.68, 0.72],
    confidenceLevel: 0.95,
    equivalenceMargin: 0.01,
    processes: 8,
    pairs: 640,
    elapsedMs: 4200,
    minimumDetectableEffect: 0.02,
    measure: 'time per call',
    baselineCost: 1200,
    candidateCost: 840,
    unit: 'ns',
    costs: [],
    environment,
    warnings: [],
    ...overrides,
  };
}

export function profile(overrides: Partial<OptimizationProfile> = {}): OptimizationProfile {
  return {
    schemaVersion: 1,
    id: 'memory-01890f3e-aaaa',
    type: 'memory',
    createdAt: '2026-03-02T09:20:00.000Z',
    elapsedMs: 6200,
    subject: { kind: 'struct', name: 'Order' },
    settings: {},
    plan: {},
    status: 'applied',
    validation: comparison(),
    comparisons: [],
    choice: { kind: 'memory', packing: 'cache_line', cacheLineBytes: 64, order: 'soa' },
    environment,
    warnings: [],
    ...overrides,
  };
}

export const profiles: readonly OptimizationProfile[] = [
  profile(),
  profile({
    id: 'computation-01890f3e-bbbb',
    type: 'computation',
    subject: { kind: 'computation', name: 'topCustomers' },
    validation: comparison({
      baseline: 'sortAll',
      candidate: 'boundedHeap',
      ratio: 0.41,
      interval: [0.39, 0.44],
    }),
    comparisons: [
      comparison({
        baseline: 'sortAll',
        candidate: 'boundedHeap at 1,000',
        ratio: 0.93,
        interval: [0.9, 0.96],
      }),
      comparison({
        baseline: 'sortAll',
        candidate: 'quickselect at 1,000',
        ratio: 1.04,
        interval: [1.02, 1.07],
        verdict: 'slower',
      }),
    ],
    choice: {
      kind: 'computation',
      bySize: [
        { maxSize: 1000, variant: 'quickselect' },
        { maxSize: null, variant: 'boundedHeap' },
      ],
    },
  }),
  profile({
    id: 'thread-01890f3e-cccc',
    type: 'thread',
    subject: { kind: 'job', name: 'revenueByDay' },
    status: 'no_improvement',
    validation: comparison({
      baseline: 'serial',
      candidate: '2 threads',
      verdict: 'equivalent',
      ratio: 1.002,
      interval: [0.995, 1.009],
    }),
    choice: null,
  }),
  profile({
    id: 'memory-01890f3e-dddd',
    subject: { kind: 'pool', name: 'buffers' },
    status: 'inconclusive',
    validation: comparison({
      baseline: 'present',
      candidate: 'huge pages',
      verdict: 'inconclusive',
      ratio: 0.96,
      interval: [0.88, 1.05],
    }),
    choice: null,
  }),
  profile({
    id: 'computation-01890f3e-eeee',
    type: 'computation',
    subject: { kind: 'computation', name: 'parseDates' },
    status: 'failed',
    validation: null,
    choice: null,
    warnings: ['fast and slow give different results for input 3.'],
  }),
  profile({
    id: 'memory-01890f3e-ffff',
    subject: { kind: 'reference', name: 'host' },
    validation: comparison({ ratio: 0.78, interval: [0.76, 0.8] }),
  }),
];

export const stats = {
  total: 6,
  byType: { memory: 3, computation: 2, thread: 1 },
  byStatus: { applied: 3, no_improvement: 1, inconclusive: 1, failed: 1 },
  referenceRuns: 1,
  gains: {
    count: 2,
    geometricMeanSpeedup: 1.87,
    best: { profileId: 'computation-01890f3e-bbbb', subject: 'computation:topCustomers', speedup: 2.44 },
  },
  timeRange: null,
};
