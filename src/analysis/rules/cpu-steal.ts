import { formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import type { Rule } from '../rule.js';

const STEAL = 0.08;

/** The hypervisor gives the host's CPUs to other guests. */
export const cpuSteal: Rule = {
  cause: 'cpu-steal',
  evaluate(view) {
    const steal = view.value('host.cpu.steal');
    if (steal === undefined) return { findings: [] };
    if (steal < STEAL)
      return { findings: [], because: `the hypervisor took ${formatShare(steal)} of the CPUs’ time` };
    return {
      findings: [
        {
          cause: 'cpu-steal',
          severity: steal >= 0.3 ? 'high' : 'medium',
          confidence: confidenceAbove(steal, STEAL),
          impact: Math.min(1, steal * 2),
          title: `The hypervisor takes ${formatShare(steal)} of the CPUs’ time`,
          evidence: view.evidence(
            'host.cpu.steal',
            (value) => `${formatShare(value)} of the CPUs’ time went to other guests.`,
            STEAL,
          ),
        },
      ],
    };
  },
};
