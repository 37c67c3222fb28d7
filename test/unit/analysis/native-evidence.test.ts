/** What samples of native code add to findings: a row of evidence, and no finding. */
import { describe, expect, it } from 'vitest';
import { analyse } from '../../../dist/analysis/analyse.js';
import type { NativeFamily, NativeFunction } from '../../../dist/model/signals.js';
import { operation, signals } from './signals.js';

const row = (family: NativeFamily, name: string, share: number): NativeFunction => ({
  name,
  module: 'node',
  family,
  share,
  samples: Math.round(share * 1000),
});
const busy = { 'eventLoop.utilization': 0.9, 'cpu.busy.share': 0.9, 'thread.main.onCpu': 0.9 };

describe('native functions as evidence', () => {
  it.each([
    ['json', 'json-processing', 'json', 'JSON.parse'],
    ['regexp', 'regexp-backtracking', 'regexp', '/^(a+)+$/'],
    ['sync-zlib', 'sync-zlib', 'zlib', 'zlib.gzipSync'],
    ['sync-crypto', 'sync-crypto', 'crypto', 'crypto.pbkdf2Sync'],
  ] as const)('%s: the share of its family, with the function that has most', (kind, cause, family, name) => {
    const operations = [operation(kind, name, 0.8, { busy: 0.9, longestRunMs: 400 })];
    const found = (nativeFunctions?: NativeFunction[]) =>
      analyse(signals({ metrics: busy, operations, ...(nativeFunctions && { nativeFunctions }) }))
        .findings[0]!;
    const with_ = found([row(family, 'first', 0.4), row('gc', 'other', 0.3), row(family, 'second', 0.2)]);
    const without = found();
    expect(with_.cause).toBe(cause);
    const added = with_.evidence.filter(({ metric }) => metric === 'native.share');
    expect(added).toHaveLength(1);
    expect(added[0]!.value).toBeCloseTo(0.6);
    expect(added[0]!.statement).toMatch(/^60 % of the thread’s CPU time .*, most of it in first\.$/);
    // It supports: nothing else of the finding changes.
    expect({ ...with_, evidence: [] }).toEqual({ ...without, evidence: [] });
    expect(without.evidence.some(({ metric }) => metric === 'native.share')).toBe(false);
    expect(found([row(family, 'first', 0.019)]).evidence).toEqual(without.evidence);
  });

  it('supports the finding about shapes', () => {
    const shapes = operation('own-code', 'total', 0.8, { busy: 0.9, longestRunMs: 400 });
    const operations = [{ ...shapes, stubMs: shapes.totalMs * 0.4 }];
    const nativeFunctions = [row('megamorphic', 'Builtins_LoadIC_Megamorphic', 0.35)];
    const { findings } = analyse(signals({ metrics: busy, operations, nativeFunctions }));
    const finding = findings.find(({ cause }) => cause === 'megamorphic-access')!;
    expect(finding.evidence.map(({ metric }) => metric)).toContain('native.share');
  });

  it('tells other stubs from look-ups by name, which V8’s samples cannot', () => {
    const texts = operation('own-code', 'dedupe', 0.8, { busy: 0.9, longestRunMs: 400 });
    const operations = [{ ...texts, stubMs: texts.totalMs * 0.4 }];
    const causes = (...nativeFunctions: NativeFunction[]) =>
      analyse(signals({ metrics: busy, operations, nativeFunctions })).findings.map(({ cause }) => cause);
    expect(causes(row('builtin', 'Builtins_StringEqual', 0.4))).toEqual(['sync-cpu']);
    expect(causes(row('builtin', 'Builtins_StringEqual', 0.1), row('megamorphic', 'LoadIC', 0.2))).toEqual([
      'megamorphic-access',
    ]);
    expect(causes()).toEqual(['megamorphic-access']);
  });

  it('makes no finding by itself', () => {
    const { findings } = analyse(signals({ nativeFunctions: [row('json', 'parse', 0.9)] }));
    expect(findings.map(({ cause }) => cause)).toEqual(['healthy']);
  });
});
