import { formatBytes, formatNumber, formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import type { Rule } from '../rule.js';

const OF_LIMIT = 0.9;
const PRESSURE = 0.1;
const MAJOR_FAULTS_PER_SECOND = 50;

/** The container is close to its memory limit, or the host waits for memory. */
export const memoryPressure: Rule = {
  cause: 'memory-pressure',
  evaluate(view) {
    const used = view.value('cgroup.memory.used');
    const limit = view.value('cgroup.memory.limit');
    const pressure = view.value('host.pressure.memory') ?? 0;
    const majorFaults = view.value('process.faults.major') ?? 0;
    const ofLimit = used === undefined || limit === undefined ? 0 : used / limit;
    const isPressed = ofLimit >= OF_LIMIT || (pressure >= PRESSURE && majorFaults >= MAJOR_FAULTS_PER_SECOND);
    if (!isPressed) {
      return {
        findings: [],
        because: `the host waited for memory in ${formatShare(pressure)} of the time, and ${formatNumber(majorFaults)} pages a second came from disk`,
      };
    }
    return {
      findings: [
        {
          cause: 'memory-pressure',
          severity: ofLimit >= 0.97 || pressure >= 0.4 ? 'critical' : 'high',
          confidence: Math.max(
            ofLimit >= OF_LIMIT ? confidenceAbove(ofLimit / (1.001 - ofLimit), OF_LIMIT / (1 - OF_LIMIT)) : 0,
            confidenceAbove(pressure, PRESSURE),
          ),
          impact: Math.max(ofLimit >= OF_LIMIT ? ofLimit : 0, pressure),
          title:
            ofLimit >= OF_LIMIT
              ? `The container uses ${formatShare(ofLimit)} of its memory limit of ${formatBytes(limit!)}`
              : `The host waits for memory in ${formatShare(pressure)} of the time`,
          evidence: [
            ...view.evidence(
              'cgroup.memory.used',
              (value) => `${formatBytes(value)} are charged to the container.`,
            ),
            ...view.evidence(
              'host.pressure.memory',
              (value) => `Some task waited for memory in ${formatShare(value)} of the time.`,
              PRESSURE,
            ),
            ...view.evidence(
              'process.faults.major',
              (value) => `${formatNumber(value)} pages a second were read from disk.`,
              MAJOR_FAULTS_PER_SECOND,
            ),
          ],
        },
      ],
    };
  },
};
