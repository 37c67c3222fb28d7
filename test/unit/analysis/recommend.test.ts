import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CODE_ADVICE } from '../../../dist/analysis/advice.js';
import { analyse } from '../../../dist/analysis/analyse.js';
import { recommend, type RecommendationContext } from '../../../dist/analysis/recommend.js';
import { CAUSES, type Cause } from '../../../dist/model/finding.js';
import type { Subject } from '../../../dist/model/subject.js';
import { operation, signals } from './signals.js';

const GIB = 2 ** 30;
const busy = { 'eventLoop.utilization': 0.6, 'cpu.busy.share': 0.6 } as const;
const ranking = analyse(
  signals({
    metrics: busy,
    operations: [operation('own-code', 'rankCustomers', 0.7, { busy: 0.6, longestRunMs: 90 })],
  }),
);
const churning = analyse(
  signals({ metrics: { ...busy, 'cpu.gc.share': 0.4, 'gc.share': 0.2, 'heap.allocation.rate': 4e8 } }),
);
const advise = (analysis: typeof ranking, subjects: Subject[] = []) =>
  recommend(analysis, { resultId: 'result-1', type: 'cpu', subjects, metrics: {}, memoryBytes: GIB });

describe('recommendations', () => {
  it('are a change to the code with an example and a page where nothing is registered', () => {
    const [only, ...others] = advise(ranking);
    expect(others).toEqual([]);
    expect(only).toMatchObject({
      resultId: 'result-1',
      cause: 'sync-cpu',
      location: { function: 'rankCustomers' },
      action: { kind: 'code-change' },
    });
    expect(only!.title).toContain('rankCustomers (/app/service.js:10)');
  });

  it.each([
    ['computation', 'rank customers', 'optimize-computation'],
    ['job', 'rankCustomersJob', 'optimize-threads'],
  ] as const)('are a call where a %s carries the function’s name', (kind, name, action) => {
    expect(advise(ranking, [{ kind, name }]).map(({ action: { kind: found } }) => found)).toEqual([
      action,
      'code-change',
    ]);
  });

  it('leave subjects of other functions alone', () => {
    const subjects: Subject[] = [
      { kind: 'computation', name: 'price' },
      { kind: 'pool', name: 'rankCustomers' },
    ];
    expect(advise(ranking, subjects).map(({ action: { kind } }) => kind)).toEqual(['code-change']);
  });

  it('are a memory optimisation and a flag to try for garbage', () => {
    const subjects: Subject[] = [
      { kind: 'pool', name: 'points' },
      { kind: 'struct', name: 'Order' },
    ];
    expect(advise(churning, subjects).map(({ action: { kind } }) => kind)).toEqual([
      'optimize-memory',
      'optimize-memory',
      'runtime-flag',
      'code-change',
    ]);
  });

  const found = (cause: Cause) => ({
    ...analyse(signals()),
    findings: [
      {
        cause,
        severity: 'high' as const,
        confidence: 0.9,
        title: 'It is so',
        evidence: [],
        ruledOut: [],
      },
    ],
  });
  const actions = (cause: Cause, context: Partial<RecommendationContext> = {}) =>
    recommend(found(cause), {
      resultId: 'result-1',
      type: 'thread',
      subjects: [],
      metrics: {},
      memoryBytes: 8 * GIB,
      ...context,
    }).map(({ action }) => action);
  const bytes = (value: number) => ({ available: true as const, value, unit: 'bytes' as const });

  it('are twice the heap’s limit where there is memory for it, and less or nothing where there is not', () => {
    const flag = (limit: number, memoryBytes: number) =>
      actions('heap-near-limit', { metrics: { 'heap.limit': bytes(limit) }, memoryBytes })[0];
    expect(flag(GIB, 8 * GIB)).toEqual({ kind: 'runtime-flag', flag: '--max-old-space-size=2048' });
    expect(flag(GIB, 2 * GIB)).toEqual({ kind: 'runtime-flag', flag: '--max-old-space-size=1536' });
    expect(flag(GIB, GIB)).toMatchObject({ kind: 'code-change' });
    expect(actions('heap-near-limit')[0]).toMatchObject({ kind: 'code-change' });
  });

  it('are twice the pool’s threads, up to libuv’s limit', () => {
    const threads = (value: number) =>
      actions('threadpool-saturation', {
        metrics: { 'pool.threads': { available: true, value, unit: 'count' } },
      })[0];
    expect(threads(4)).toEqual({ kind: 'environment', variable: 'UV_THREADPOOL_SIZE', value: '8' });
    expect(threads(1000)).toMatchObject({ value: '1024' });
    expect(threads(1024)).toMatchObject({ kind: 'code-change' });
  });

  it.each(['worker-oversubscription', 'lock-contention'] as const)(
    'let the optimizer choose the threads of every job where there is %s',
    (cause) => {
      const subjects: Subject[] = [
        { kind: 'job', name: 'scores' },
        { kind: 'computation', name: 'price' },
      ];
      expect(actions(cause, { subjects })[0]).toEqual({ kind: 'optimize-threads', subject: 'scores' });
      expect(actions(cause, { subjects }).filter(({ kind }) => kind !== 'code-change')).toHaveLength(1);
    },
  );

  it('are none for a healthy program', () => {
    expect(advise(analyse(signals()))).toEqual([]);
  });
});

describe('advice', () => {
  const page = readFileSync(new URL('../../../docs/guide-causes.md', import.meta.url), 'utf8');

  it('stands on the guide’s page, with differing examples, for every cause that the rules can name, and for no other', () => {
    for (const [cause, { before, after, guide, summary }] of Object.entries(CODE_ADVICE)) {
      expect(CAUSES).toContain(cause);
      expect(guide).toBe(`docs/guide-causes.md#${cause}`);
      expect(page).toContain(`
## ${cause}
`);
      expect(page).toContain(summary);
      expect(page).toContain(`${before}
`);
      expect(page).toContain(`${after}
`);
      expect(before).not.toBe(after);
      expect(summary.endsWith('.')).toBe(true);
    }
  });
});
