import { formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import type { Rule } from '../rule.js';

const IOWAIT = 0.15;
const MAJOR_FAULTS_PER_SECOND = 20;
const BLOCKED = 0.1;

/** The disk holds the program up. A host that waits for its disk while the program does not is not the cause. */
export const diskIowait: Rule = {
  cause: 'disk-iowait',
  evaluate(view) {
    const iowait = view.value('host.cpu.iowait');
    if (iowait === undefined) return { findings: [] };
    const blocked = view.value('thread.main.blocked') ?? 0;
    const majorFaults = view.value('process.faults.major') ?? 0;
    if (iowait < IOWAIT)
      return {
        findings: [],
        because: `the CPUs were idle for the disk in ${formatShare(iowait)} of the time`,
      };
    if (blocked < BLOCKED && majorFaults < MAJOR_FAULTS_PER_SECOND) {
      return { findings: [], because: 'the host waits for its disk, but the program does not stand still' };
    }
    return {
      findings: [
        {
          cause: 'disk-iowait',
          severity: iowait >= 0.4 ? 'high' : 'medium',
          confidence: Math.min(
            confidenceAbove(iowait, IOWAIT),
            Math.max(
              confidenceAbove(blocked, BLOCKED),
              confidenceAbove(majorFaults, MAJOR_FAULTS_PER_SECOND),
            ),
          ),
          impact: Math.max(blocked, iowait),
          title: `The disk holds the program up: CPUs idle for it in ${formatShare(iowait)} of the time`,
          evidence: [
            ...view.evidence(
              'host.cpu.iowait',
              (value) =>
                `CPUs were idle with disk requests outstanding for ${formatShare(value)} of the time.`,
              IOWAIT,
            ),
            ...view.evidence(
              'thread.main.blocked',
              (value) => `The event loop stood in blocking calls for ${formatShare(value)} of the time.`,
              BLOCKED,
            ),
          ],
        },
      ],
    };
  },
};
