/** Documents for the tests of the store. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Environment } from '../../../src/model/fingerprint.js';
import type { Comparison } from '../../../src/model/comparison.js';
import type { OptimizationProfile } from '../../../src/model/optimization-profile.js';
import type { ProfilingResult } from '../../../src/model/profiling-result.js';
import type { Recommendation } from '../../../src/model/recommendation.js';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  folders.push(folder);
  return folder;
}

export const environment: Environment = {
  host: {
    id: 'abc123',
    platform: 'linux',
    arch: 'x64',
    cpuModel: 'test',
    logicalCpus: 2,
    memoryBytes: 1,
    kernel: '6',
  },
  node: 'v20.19.0',
  v8: '11',
  flags: [],
  libraryVersion: '0.1.0',
};

export function comparison(ratio: number): Comparison {
  return {
    form: 'in-process',
    baseline: 'a',
    candidate: 'b',
    verdict: ratio < 1 ? 'faster' : 'slower',
    ratio,
    interval: [ratio * 0.9, ratio * 1.1],
    confidenceLevel: 0.95,
    equivalenceMargin: 0.01,
    processes: 5,
    pairs: 100,
    elapsedMs: 10,
    minimumDetectableEffect: null,
    measure: 'time',
    baselineCost: 1,
    candidateCost: ratio,
    unit: 'ms',
    costs: [],
    environment,
    warnings: [],
  };
}

export function profile(id: string, changes: Partial<OptimizationProfile> = {}): OptimizationProfile {
  return {
    schemaVersion: 1,
    id,
    type: 'memory',
    createdAt: '2026-03-01T12:00:00.000Z',
    elapsedMs: 5,
    subject: { kind: 'struct', name: 'Order' },
    settings: { cacheOptimization: { dataAlignment: { structPacking: 'cache_line' } } },
    plan: { considered: ['declared'] },
    status: 'applied',
    validation: comparison(0.5),
    comparisons: [],
    choice: { kind: 'memory', packing: 'cache_line', cacheLineBytes: 64, order: 'aos' },
    environment,
    warnings: [],
    ...changes,
  };
}

export function recommendation(id: string, resultId: string): Recommendation {
  return {
    schemaVersion: 1,
    id,
    createdAt: '2026-03-01T12:00:00.000Z',
    resultId,
    cause: 'sync-cpu',
    severity: 'high',
    confidence: 0.9,
    title: 'Do less',
    evidence: [],
    action: { kind: 'optimize-memory', settings: { runtime: true } },
  };
}

export function result(id: string, changes: Partial<ProfilingResult> = {}): ProfilingResult {
  return {
    schemaVersion: 1,
    id,
    type: 'cpu',
    createdAt: '2026-03-01T12:00:00.000Z',
    durationMs: 2_000,
    target: { pid: 1, description: 'in-process' },
    environment,
    metrics: {
      'eventLoop.utilization': { available: true, value: 0.4, unit: 'ratio' },
      'cpu.instructions': { available: false, reason: 'NO_PMU', message: 'none', remedy: 'none' },
    },
    timeline: [
      { atMs: 0, values: { 'eventLoop.utilization': 0.3 } },
      { atMs: 1000, values: { 'eventLoop.utilization': 0.5 } },
    ],
    functions: [],
    allocations: [],
    callTree: { name: '(root)', value: 10, children: [{ name: 'f', value: 10, children: [] }] },
    analysis: {
      findings: [
        { cause: 'healthy', severity: 'info', confidence: 1, title: 'Fine', evidence: [], ruledOut: [] },
      ],
      ruledOut: [],
      summary: 'Fine.',
    },
    recommendations: [recommendation(`recommendation-${id}`, id)],
    warnings: ['w'],
    ...changes,
  };
}
