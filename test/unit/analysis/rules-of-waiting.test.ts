/** Rules over what waits, on scripted signals: what each finds, where, and why it rules its cause out. */
import { describe, expect, it } from 'vitest';
import type { Rule } from '../../../dist/analysis/rule.js';
import { backpressureIgnored } from '../../../dist/analysis/rules/backpressure-ignored.js';
import { descriptorExhaustion } from '../../../dist/analysis/rules/descriptor-exhaustion.js';
import { lockContention } from '../../../dist/analysis/rules/lock-contention.js';
import { serialAwaits } from '../../../dist/analysis/rules/serial-awaits.js';
import { slowDownstream } from '../../../dist/analysis/rules/slow-downstream.js';
import { threadpoolSaturation } from '../../../dist/analysis/rules/threadpool-saturation.js';
import { workerOversubscription } from '../../../dist/analysis/rules/worker-oversubscription.js';
import { SignalView } from '../../../dist/analysis/signal-view.js';
import type { ActivityCost, OperationCost, ThreadCost, ThreadProfile } from '../../../dist/model/signals.js';
import { operation, signals, WINDOW_MS, type Changes } from './signals.js';

const at = (name: string, line = 12) => ({ function: name, file: '/app/service.js', line });

function activity(changes: Partial<ActivityCost>): ActivityCost {
  return {
    kind: 'fs',
    name: 'fs.readFile',
    location: at('load'),
    count: 100,
    errors: 0,
    totalMs: 1000,
    p50Ms: 10,
    p99Ms: 20,
    maxMs: 30,
    bytes: 0,
    maxInFlight: 1,
    ...changes,
  };
}

/** Workers, of which each ran and waited for a CPU for these shares of the window. */
function workers(...shares: (readonly [onCpu: number, runnable: number])[]): ThreadCost[] {
  return shares.map(([onCpu, runnable], i) => ({
    tid: 100 + i,
    name: `worker ${i + 1}`,
    role: 'worker',
    onCpuMs: onCpu * WINDOW_MS,
    runnableMs: runnable * WINDOW_MS,
  }));
}

function profile(workerId: number, operations: OperationCost[]): ThreadProfile {
  return {
    workerId: String(workerId),
    title: `worker ${workerId}`,
    url: 'file:///app/worker.js',
    sampledMs: WINDOW_MS,
    busyShare: 0.9,
    functions: [],
    operations,
    callTree: null,
  };
}

const lock = (share: number, longestRunMs = 4) => ({
  ...operation('lock', 'Atomics.wait', share, { longestRunMs, line: 33 }),
  location: at('takeTurn', 33),
  totalMs: share * WINDOW_MS,
});
const compute = { ...operation('own-code', 'hash', 0.5), location: at('hash', 5), totalMs: 0.5 * WINDOW_MS };

function evaluate(rule: Rule, changes: Changes) {
  return rule.evaluate(new SignalView(signals(changes)));
}

const overfilled = (changes: Partial<ActivityCost> = {}) =>
  activity({
    kind: 'overfilled-write',
    name: 'Socket.write',
    location: at('pump', 8),
    count: 500,
    peakBufferedBytes: 8 * 2 ** 20,
    ...changes,
  });
const serial = (line: number, changes: Partial<ActivityCost> = {}) =>
  activity({
    kind: 'http',
    name: 'GET',
    totalMs: 2000,
    p50Ms: 20,
    serialIn: { location: at('handler', line), functionLine: 20, shape: 'sequence' },
    ...changes,
  });
const downstream = (changes: Partial<ActivityCost> = {}) =>
  activity({
    kind: 'http',
    name: 'GET',
    target: 'stock:80',
    location: at('ask', 3),
    totalMs: 4e4,
    p50Ms: 400,
    ...changes,
  });

describe('a rule about waiting', () => {
  it.each<[string, Rule, Changes, object]>([
    [
      'names the writer that does not wait',
      backpressureIgnored,
      { activities: [overfilled({ location: at('small'), peakBufferedBytes: 2 ** 16 }), overfilled()] },
      { cause: 'backpressure-ignored', severity: 'high', location: at('pump', 8) },
    ],
    [
      'names what opens descriptors and leaves them',
      descriptorExhaustion,
      {
        metrics: {
          'process.openDescriptors': 400,
          'process.openDescriptors.limit': 1e6,
          'process.openDescriptors.growth': 60,
        },
        activities: [
          activity({ openDescriptors: 3, location: at('once') }),
          activity({ openDescriptors: 290, location: at('openLog', 4) }),
        ],
      },
      { cause: 'descriptor-exhaustion', severity: 'high', location: at('openLog', 4) },
    ],
    [
      'tells descriptors near their limit without a place',
      descriptorExhaustion,
      { metrics: { 'process.openDescriptors': 950, 'process.openDescriptors.limit': 1000 }, activities: [] },
      {
        cause: 'descriptor-exhaustion',
        severity: 'critical',
        title: expect.stringContaining('950 of 1,000'),
      },
    ],
    [
      'names the lock at which workers stand',
      lockContention,
      { threadProfiles: [profile(1, [lock(0.6), compute]), profile(2, [lock(0.5), compute])] },
      { cause: 'lock-contention', severity: 'high', location: at('takeTurn', 33) },
    ],
    [
      'names what fills the pool',
      threadpoolSaturation,
      {
        metrics: { 'pool.queue.wait.p50': 120, 'pool.threads': 4, 'thread.pool.onCpu': 3.5 },
        activities: [
          activity({
            kind: 'crypto',
            name: 'crypto.scrypt',
            location: at('login', 9),
            totalMs: 2e4,
            maxInFlight: 9,
          }),
          activity({ totalMs: 3e4, location: at('waitsBehind'), maxInFlight: 20 }),
        ],
      },
      {
        cause: 'threadpool-saturation',
        severity: 'high',
        location: at('login', 9),
        detail: expect.stringContaining('crypto'),
      },
    ],
    [
      'names what the crowding workers compute',
      workerOversubscription,
      {
        metrics: { 'host.cpus': 2, 'host.cpu.others': 0 },
        threads: workers([0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.4, 0.6]),
        threadProfiles: [profile(1, [compute])],
      },
      { cause: 'worker-oversubscription', location: at('hash', 5), title: '4 workers compete for 2 CPUs' },
    ],
    [
      'names the function that awaits in turn',
      serialAwaits,
      { activities: [serial(21), serial(22)] },
      { cause: 'serial-awaits', severity: 'high', location: at('handler', 21) },
    ],
    [
      'names who asks a slow service, with the network’s losses',
      slowDownstream,
      {
        metrics: { 'network.tcp.retransmits': 40, 'network.tcp.segmentsSent': 1000 },
        activities: [downstream()],
      },
      {
        cause: 'slow-downstream',
        location: at('ask', 3),
        evidence: expect.arrayContaining([
          expect.objectContaining({ metric: 'network.tcp.retransmits', value: 40 }),
        ]),
      },
    ],
  ])('%s', (_what, rule, changes, expected) => {
    const { findings, because } = evaluate(rule, changes);
    expect(because).toBeUndefined();
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject(expected);
    const [{ confidence, impact, evidence }] = findings as [(typeof findings)[number]];
    expect(confidence).toBeGreaterThan(0.3);
    expect(confidence).toBeLessThanOrEqual(1);
    expect(impact).toBeGreaterThan(0);
    expect(impact).toBeLessThanOrEqual(1);
    expect(evidence.length).toBeGreaterThan(0);
  });

  it.each<[string, Rule, Changes, RegExp]>([
    [
      'streams wait',
      backpressureIgnored,
      { activities: [overfilled({ peakBufferedBytes: 2 ** 17 })] },
      /no stream held more than/,
    ],
    [
      'it was seldom',
      backpressureIgnored,
      { activities: [overfilled({ count: 5 })] },
      /no stream held more than/,
    ],
    [
      'what is opened is closed',
      descriptorExhaustion,
      {
        metrics: {
          'process.openDescriptors': 400,
          'process.openDescriptors.limit': 1000,
          'process.openDescriptors.growth': 60,
        },
        activities: [activity({ openDescriptors: 2 })],
      },
      /400 of 1,000 descriptors are open/,
    ],
    [
      'one thread alone stands there',
      lockContention,
      { threadProfiles: [profile(1, [lock(0.6), compute]), profile(2, [compute])] },
      /0 % of their time at one lock/,
    ],
    [
      'threads sleep between tasks',
      lockContention,
      { threadProfiles: [profile(1, [lock(0.9, 800)]), profile(2, [lock(0.9, 800)])] },
      /at one lock/,
    ],
    ['the pool answers', threadpoolSaturation, { metrics: { 'pool.queue.wait.p50': 1 } }, /work waited 1 ms/],
    [
      'the loop is as late',
      threadpoolSaturation,
      { metrics: { 'pool.queue.wait.p50': 30, 'eventLoop.delay.p50': 20 } },
      /work waited 30 ms/,
    ],
    [
      'the pool has room',
      threadpoolSaturation,
      {
        metrics: { 'pool.queue.wait.p50': 30, 'pool.threads': 4, 'thread.pool.onCpu': 0.1 },
        activities: [activity({ maxInFlight: 2 })],
      },
      /at most 2 operations were in the pool/,
    ],
    [
      'there is a CPU for each',
      workerOversubscription,
      { metrics: { 'host.cpus': 4 }, threads: workers([0.9, 0.05], [0.9, 0.05]) },
      /2 workers are busy, for 4 CPUs/,
    ],
    [
      'they do not wait',
      workerOversubscription,
      { metrics: { 'host.cpus': 2 }, threads: workers([0.6, 0.01], [0.6, 0.01], [0.6, 0.01]) },
      /waited for a CPU in/,
    ],
    [
      'others take the CPUs',
      workerOversubscription,
      {
        metrics: { 'host.cpus': 2, 'host.cpu.others': 1.5 },
        threads: workers([0.05, 0.6], [0.05, 0.6], [0.05, 0.6]),
      },
      /other processes take the CPUs/,
    ],
    [
      'there is one call alone',
      serialAwaits,
      { activities: [serial(21)] },
      /no function awaits calls in turn/,
    ],
    [
      'calls change something',
      serialAwaits,
      { activities: [serial(21, { name: 'POST' }), serial(22, { name: 'POST' })] },
      /no function awaits/,
    ],
    [
      'they are short',
      serialAwaits,
      { activities: [serial(21, { p50Ms: 1 }), serial(22, { p50Ms: 1 })] },
      /no function awaits/,
    ],
    ['answers come soon', slowDownstream, { activities: [downstream({ p50Ms: 8 })] }, /answered in 8 ms/],
    [
      'the loop is full',
      slowDownstream,
      { metrics: { 'eventLoop.utilization': 0.99 }, activities: [downstream()] },
      /the event loop itself is full/,
    ],
  ])('rules its cause out where %s', (_why, rule, changes, because) => {
    const result = evaluate(rule, changes);
    expect(result.findings).toEqual([]);
    expect(result.because).toMatch(because);
  });

  it.each<[string, Rule, Changes]>([
    ['operations', backpressureIgnored, {}],
    ['operations', serialAwaits, {}],
    ['operations', slowDownstream, {}],
    ['descriptors', descriptorExhaustion, {}],
    ['workers', lockContention, {}],
    ['the pool', threadpoolSaturation, {}],
  ])('says nothing where %s were not observed', (_what, rule, changes) => {
    expect(evaluate(rule, changes)).toEqual({ findings: [] });
  });

  it('says nothing of losses where next to nothing is lost', () => {
    const few = { 'network.tcp.retransmits': 1, 'network.tcp.segmentsSent': 1000 };
    const { findings } = evaluate(slowDownstream, { metrics: few, activities: [downstream()] });
    expect(findings).toHaveLength(1);
    expect(findings[0]!.evidence.map(({ metric }) => metric)).not.toContain('network.tcp.retransmits');
  });
});
