import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CODE_ADVICE } from '../../../dist/analysis/advice.js';
import { analyse } from '../../../dist/analysis/analyse.js';
import { recommend } from '../../../dist/analysis/recommend.js';
import { CAUSES } from '../../../dist/model/finding.js';
import type { Subject } from '../../../dist/model/subject.js';
import { operation, signals } from './signals.js';

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
  recommend(analysis, { resultId: 'result-1', type: 'cpu', subjects });

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
