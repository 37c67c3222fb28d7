/** Where the passive evidence leaves a cause open, measuring it is proposed, and nowhere else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { analyse } from '../../../dist/analysis/analyse.js';
import { experimentTemplate } from '../../../dist/analysis/experiment-templates.js';
import { proposeExperiments } from '../../../dist/analysis/experiments.js';
import { recommend } from '../../../dist/analysis/recommend.js';
import { EXPERIMENT_CAUSES, type ExperimentArm } from '../../../dist/model/experiment.js';
import type { OperationCost, Signals, ThreadProfile } from '../../../dist/model/signals.js';
import { operation, signals, WINDOW_MS } from './signals.js';

const MIB = 2 ** 20;
const busy = { 'eventLoop.utilization': 0.6, 'cpu.busy.share': 0.6, 'external.used': 200 * MIB } as const;

function proposedFor(given: Signals, lastCacheBytes = 8 * MIB) {
  const analysis = analyse(given);
  const { metrics, operations, threadProfiles, durationMs } = given;
  const all = recommend(analysis, {
    resultId: 'result-1',
    type: 'cpu',
    subjects: [],
    memoryBytes: 2 ** 30,
    metrics,
    operations,
    threadProfiles,
    durationMs,
    lastCacheBytes: () => lastCacheBytes,
  });
  return { analysis, proposed: all.filter(({ action }) => action.kind === 'experiment') };
}

/** A function that takes most of the loop, with a part of its time on lines out of the order of memory. */
function hot(scatteredShare: number): OperationCost {
  const cost = operation('own-code', 'sumColumns', 0.7, { busy: 0.6, longestRunMs: 90 });
  return { ...cost, scatteredMs: cost.totalMs * scatteredShare };
}

function worker(workerId: string, sharedWriteShare: number, file = '/app/service.js'): ThreadProfile {
  const cost = operation('own-code', 'count', 0.9, { busy: 0.9 });
  return {
    workerId,
    title: `worker ${workerId}`,
    url: `file://${file}`,
    sampledMs: WINDOW_MS,
    busyShare: 0.9,
    functions: [],
    operations: [
      { ...cost, location: { ...cost.location, file }, sharedWriteMs: sharedWriteShare * WINDOW_MS },
    ],
    callTree: null,
  };
}

describe('the order of accesses', () => {
  it('is to be measured where a hot function leaves the order of memory, in more data than caches hold', () => {
    const { proposed } = proposedFor(signals({ metrics: busy, operations: [hot(0.9)] }));
    expect(proposed).toHaveLength(1);
    expect(proposed[0]).toMatchObject({
      cause: 'cache-unfriendly-access',
      severity: 'info',
      confidence: 0,
      location: { function: 'sumColumns', file: '/app/service.js' },
      evidence: [{ metric: 'source.scatteredAccess.share' }, { metric: 'memory.data', threshold: 16 * MIB }],
      action: { kind: 'experiment', cause: 'cache-unfriendly-access', export: 'sumColumns' },
    });
    expect(proposed[0]!.action).toHaveProperty('rationale', expect.stringContaining('no diagnosis'));
  });

  it.each([
    ['it goes forward through memory', signals({ metrics: busy, operations: [hot(0.2)] })],
    [
      'its data is small',
      signals({ metrics: { ...busy, 'external.used': MIB, 'heap.used': 20 * MIB }, operations: [hot(0.9)] }),
    ],
    [
      'counters see few misses',
      signals({
        metrics: { ...busy, 'counter.main.instructions': 1e9, 'counter.main.cacheMisses': 2e5 },
        operations: [hot(0.9)],
      }),
    ],
    ['it does not take the loop', signals({ operations: [{ ...hot(0.9), totalMs: 5, scatteredMs: 5 }] })],
  ])('is not where %s', (_why, given) => {
    expect(proposedFor(given).proposed).toEqual([]);
  });

  it('is where counters see misses, whatever the size of the data', () => {
    const { proposed } = proposedFor(
      signals({
        metrics: {
          ...busy,
          'external.used': MIB,
          'counter.main.instructions': 1e9,
          'counter.main.cacheMisses': 2e7,
        },
        operations: [hot(0.9)],
      }),
    );
    expect(proposed[0]!.evidence[1]).toMatchObject({ metric: 'counter.main.cacheMisses', value: 20 });
  });
});

describe('threads that write to shared memory', () => {
  it('are to be measured, and leave a healthy program healthy', () => {
    const { analysis, proposed } = proposedFor(
      signals({ threadProfiles: [worker('1', 0.6), worker('2', 0.4)] }),
    );
    expect(analysis.findings.map(({ cause }) => cause)).toEqual(['healthy']);
    expect(proposed).toMatchObject([
      { cause: 'false-sharing', location: { function: 'count' }, evidence: [{ value: 0.5 }] },
    ]);
    expect(proposed[0]!.title).toContain('count (/app/service.js:');
  });

  it.each([
    ['one of them', [worker('1', 0.9), worker('2', 0.1)]],
    ['one each in files of their own', [worker('1', 0.9), worker('2', 0.9, '/app/other.js')]],
    ['none', [worker('1', 0), worker('2', 0)]],
  ])('are not where they are %s', (_why, threadProfiles) => {
    expect(proposedFor(signals({ threadProfiles })).proposed).toEqual([]);
  });

  it('are told by workers alone where the length of the window is not known', () => {
    const { operations } = worker('1', 0.9);
    const given = { metrics: {}, operations, threadProfiles: [worker('2', 0.9)] };
    expect(proposeExperiments([], { ...given, durationMs: WINDOW_MS })).toHaveLength(1);
    expect(proposeExperiments([], given)).toEqual([]);
  });

  it('are the lock’s matter where they stand at one: which lock would do better is measured', () => {
    const atLock = (workerId: string): ThreadProfile => {
      const profile = worker(workerId, 0.8);
      const lock = operation('lock', 'acquire', 0.8, { busy: 0.9 });
      const held = {
        ...lock,
        name: 'Atomics.compareExchange',
        totalMs: 0.8 * WINDOW_MS,
        sharedWriteMs: WINDOW_MS,
      };
      return { ...profile, operations: [held] };
    };
    const { analysis, proposed } = proposedFor(signals({ threadProfiles: [atLock('1'), atLock('2')] }));
    expect(analysis.findings[0]!.cause).toBe('lock-contention');
    expect(proposed).toMatchObject([
      { cause: 'lock-contention', action: { cause: 'lock-contention', export: 'acquire' } },
    ]);
  });
});

describe('the module of an experiment', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sysopt-template-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const ARMS: Readonly<Record<(typeof EXPERIMENT_CAUSES)[number], readonly [ExperimentArm, ExperimentArm]>> =
    {
      'false-sharing': [{ strideBytes: 8 }, { strideBytes: 128 }],
      'cache-unfriendly-access': [{ order: 'as-is' }, { order: 'sequential' }],
      'lock-contention': [{ lock: 'as-is' }, { lock: 'other' }],
    };

  it.each(EXPERIMENT_CAUSES)('runs as it stands and gives one result both ways: %s', async (cause) => {
    const file = join(folder, `${cause}.mjs`);
    writeFileSync(file, experimentTemplate(cause, 'mine', 'mine\n(/app/a\nb.js:1)'));
    const { mine } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
      mine: (arm: ExperimentArm) => () => unknown;
    };
    const [asItIs, without] = ARMS[cause];
    const results = [await mine(asItIs)(), await mine(without)()];
    expect(results[0]).toBeGreaterThan(0);
    expect(results[1]).toEqual(results[0]);
  });

  it('exports another name where the function’s own is no name to export', () => {
    const named = (name: string) => {
      const profiles = [worker('1', 0.6), worker('2', 0.6)].map((profile) => ({
        ...profile,
        operations: profile.operations.map((each) => ({
          ...each,
          location: { ...each.location, function: name },
        })),
      }));
      const [only] = proposedFor(signals({ threadProfiles: profiles })).proposed;
      return only!.action.kind === 'experiment' && only!.action.export;
    };
    expect(named('count')).toBe('count');
    for (const name of ['(anonymous)', '#count', 'delete', 'get total', 'Worker', ''])
      expect(named(name)).toBe('experiment');
  });
});
