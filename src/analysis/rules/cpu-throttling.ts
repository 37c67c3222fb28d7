import { formatNumber, formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import type { Rule } from '../rule.js';

const PERIODS_SHARE = 0.1;

/** The container used up its CPU quota and was stopped for the rest of the period. */
export const cpuThrottling: Rule = {
  cause: 'cpu-throttling',
  evaluate(view) {
    const share = view.value('cgroup.cpu.throttledPeriods');
    if (share === undefined) return { findings: [] };
    if (share < PERIODS_SHARE)
      return { findings: [], because: `the container was stopped in ${formatShare(share)} of its periods` };
    const quota = view.value('cgroup.cpu.quota');
    return {
      findings: [
        {
          cause: 'cpu-throttling',
          severity: share >= 0.5 ? 'critical' : 'high',
          confidence: confidenceAbove(share, PERIODS_SHARE),
          impact: Math.max(0.4, share),
          title: `The container is stopped for its CPU quota in ${formatShare(share)} of the periods`,
          ...(quota === undefined ? {} : { detail: `The quota amounts to ${formatNumber(quota)} CPUs.` }),
          evidence: view.evidence(
            'cgroup.cpu.throttledPeriods',
            (value) => `${formatShare(value)} of the periods ended with the quota used up.`,
            PERIODS_SHARE,
          ),
        },
      ],
    };
  },
};
