import { describe, expect, it } from 'vitest';
import { analyse } from '../../../dist/analysis/analyse.js';
import { reachesGate } from '../../../dist/cli/fail-on.js';
import { SEVERITIES, type Cause, type Severity } from '../../../dist/model/finding.js';
import { signals } from '../analysis/signals.js';

function found(...all: [Cause, Severity][]) {
  return all.map(([cause, severity]) => ({
    cause,
    severity,
    confidence: 1,
    title: cause,
    evidence: [],
    ruledOut: [],
  }));
}

describe('--fail-on', () => {
  it('fails on a fault that is as severe or worse', () => {
    expect(reachesGate(found(['sync-cpu', 'medium']), 'medium')).toBe(true);
    expect(reachesGate(found(['healthy', 'info'], ['sync-cpu', 'critical']), 'high')).toBe(true);
    expect(reachesGate(found(['sync-cpu', 'medium']), 'high')).toBe(false);
    expect(reachesGate([], 'info')).toBe(false);
  });

  it.each(SEVERITIES)('%s does not fail on a service that is merely well used', (least) => {
    for (const utilization of [0.2, 1]) {
      const { findings } = analyse(signals({ metrics: { 'eventLoop.utilization': utilization } }));
      expect(findings.map(({ cause }) => cause)).toEqual([utilization === 1 ? 'saturated' : 'healthy']);
      expect(SEVERITIES.indexOf(findings[0]!.severity)).toBeLessThan(SEVERITIES.indexOf('medium'));
      expect(reachesGate(findings, least)).toBe(false);
    }
  });
});
