import { describe, expect, it } from 'vitest';
import { analyse } from '../../../dist/analysis/analyse.js';
import { defaultRules } from '../../../dist/analysis/rules/index.js';
import { CAUSES } from '../../../dist/model/finding.js';
import type { Rule } from '../../../dist/analysis/rule.js';
import { operation, signals } from './signals.js';

const causes = (...args: Parameters<typeof analyse>) => analyse(...args).findings.map(({ cause }) => cause);

describe('the state of a program without a fault', () => {
  it('is healthy at moderate load', () => {
    const { findings, ruledOut, summary } = analyse(signals());
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ cause: 'healthy', severity: 'info' });
    expect(findings[0]!.ruledOut.map(({ cause }) => cause)).toContain('sync-cpu');
    expect(ruledOut.length).toBeGreaterThan(10);
    expect(summary).toContain('healthy');
  });

  it('is saturated where the loop is full and no function stands out', () => {
    const spread = Array.from({ length: 20 }, (_, i) =>
      operation('own-code', `f${i}`, 0.03, { busy: 0.99, longestRunMs: 3 }),
    );
    const metrics = { 'eventLoop.utilization': 0.99, 'cpu.busy.share': 0.99, 'thread.main.onCpu': 0.97 };
    expect(causes(signals({ metrics, operations: spread }))).toEqual(['saturated']);
  });

  it('stays healthy beside a neighbour that hardly hurts it', () => {
    const metrics = { 'thread.main.runnable': 0.11, 'host.cpu.others': 3.5 };
    expect(causes(signals({ metrics }))).toEqual(['healthy', 'noisy-neighbour']);
  });

  it('is not claimed with confidence where the load is not known', () => {
    const { findings } = analyse(signals({ without: ['eventLoop.utilization', 'cpu.busy.share'] }));
    expect(findings[0]!.confidence).toBeLessThan(0.5);
  });

  it('is found in signals that hold nothing at all', () => {
    expect(causes({ ...signals(), metrics: {}, operations: undefined as never })).toEqual(['healthy']);
  });
});

describe('order', () => {
  it('puts the several faults of one program best first', () => {
    const operations = [
      operation('own-code', 'rank', 0.5, { busy: 0.8, longestRunMs: 90 }),
      operation('json', 'JSON.parse', 0.25, { busy: 0.8, longestRunMs: 40, line: 50 }),
      operation('own-code', 'score', 0.12, { busy: 0.8, longestRunMs: 30, line: 90 }),
    ];
    const metrics = { 'eventLoop.utilization': 0.8, 'cpu.busy.share': 0.8, 'thread.main.onCpu': 0.79 };
    const { findings } = analyse(signals({ metrics, operations }));
    expect(findings.map(({ cause, location }) => `${cause} ${location?.function ?? ''}`)).toEqual([
      'sync-cpu rank',
      'json-processing JSON.parse',
      'sync-cpu score',
    ]);
  });

  it('puts a fault in the program before what is wrong around it', () => {
    const operations = [operation('own-code', 'rank', 0.9, { busy: 0.3, longestRunMs: 60 })];
    const metrics = {
      'cpu.busy.share': 0.3,
      'eventLoop.utilization': 0.6,
      'thread.main.runnable': 0.4,
      'host.cpu.others': 3.9,
    };
    expect(causes(signals({ metrics, operations }))).toEqual(['sync-cpu', 'noisy-neighbour']);
  });
});

describe('every finding', () => {
  it('has a confidence from 0 to 1, evidence with statements, and nothing that it rules out itself', () => {
    const operations = [operation('json', 'JSON.parse', 0.8, { busy: 0.9, longestRunMs: 400 })];
    const metrics = {
      'eventLoop.utilization': 0.9,
      'cpu.busy.share': 0.9,
      'heap.floor.share': 0.9,
      'gc.major.share': 0.3,
    };
    for (const finding of analyse(signals({ metrics, operations })).findings) {
      expect(CAUSES).toContain(finding.cause);
      expect(finding.confidence).toBeGreaterThan(0);
      expect(finding.confidence).toBeLessThanOrEqual(1);
      expect(
        finding.evidence.every(({ statement, value }) => statement !== '' && Number.isFinite(value)),
      ).toBe(true);
      expect(finding.ruledOut.map(({ cause }) => cause)).not.toContain(finding.cause);
      expect(finding).not.toHaveProperty('impact');
    }
  });
});

describe('rules of a user', () => {
  it('run beside the built-in ones', () => {
    const rule: Rule = {
      cause: 'slow-downstream',
      evaluate: (view) => ({
        findings:
          view.value('app.queue.depth') === undefined
            ? []
            : [
                {
                  cause: 'slow-downstream',
                  severity: 'high',
                  confidence: 0.9,
                  impact: 0.9,
                  title: 'The queue is long',
                  evidence: [],
                },
              ],
      }),
    };
    const base = signals();
    const custom = {
      ...base,
      metrics: { ...base.metrics, 'app.queue.depth': { available: true, value: 9, unit: 'count' } as const },
    };
    expect(causes(custom, [...defaultRules, rule])[0]).toBe('slow-downstream');
    expect(causes(base, [...defaultRules, rule])).toEqual(['healthy']);
  });
});
