import type { OperationCost, ThreadProfile } from '../../model/signals.js';
import { formatNumber, formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';

const SHARE = 0.15;
const THREADS = 2;
/** A thread that sleeps between tasks waits long; one that wants a lock waits often. */
const LONG_WAIT_MS = 50;
/** A worker that does next to nothing but wait has no work, rather than no lock. */
const LEAST_WORK = 0.02;

/** Threads that stand at one lock: asleep in `Atomics.wait`, or trying to swap a value again and again. */
export const lockContention: Rule = {
  cause: 'lock-contention',
  evaluate(view) {
    const profiles = view.signals.threadProfiles;
    if (profiles === undefined) return { findings: [] };
    const places = new Map<string, { operation: OperationCost; shares: number[] }>();
    for (const profile of profiles) {
      for (const operation of profile.operations) {
        if (operation.kind !== 'lock' || !contends(profile, operation)) continue;
        const key = `${operation.location.file}:${operation.functionLine}`;
        const place = places.get(key) ?? { operation, shares: [] };
        place.shares.push(operation.totalMs / profile.sampledMs);
        places.set(key, place);
      }
    }
    const sum = (shares: readonly number[]) => shares.reduce((all, share) => all + share, 0);
    const [worst] = [...places.values()]
      .filter(({ shares }) => shares.length >= THREADS)
      .sort((a, b) => sum(b.shares) - sum(a.shares));
    const share = worst === undefined ? 0 : sum(worst.shares) / worst.shares.length;
    if (worst === undefined || share < SHARE) {
      return { findings: [], because: `workers spent ${formatShare(share)} of their time at one lock` };
    }
    const { location, name } = worst.operation;
    return {
      findings: [
        {
          cause: 'lock-contention',
          severity: share >= 0.5 ? 'high' : 'medium',
          confidence: Math.min(confidenceAbove(share, SHARE), confidenceAbove(worst.shares.length, 1)),
          impact: Math.min(1, share),
          title: `${worst.shares.length} workers stand at the lock in ${placeOf(location)} for ${formatShare(share)} of their time`,
          detail: `They wait in ${name}.`,
          location,
          evidence: [
            {
              metric: 'thread.workers.lockShare',
              value: share,
              unit: 'ratio',
              threshold: SHARE,
              statement: `${worst.shares.length} workers spent ${formatShare(share)} of their time in ${name} there.`,
            },
            ...view.evidence(
              'thread.switches.voluntary',
              (value) => `Threads went to sleep ${formatNumber(value)} times a second.`,
            ),
          ],
        },
      ],
    };
  },
};

function contends(profile: ThreadProfile, operation: OperationCost): boolean {
  if (operation.name !== 'Atomics.wait') return true;
  const work = profile.operations.reduce(
    (sum, other) => (other.kind === 'lock' ? sum : sum + other.totalMs),
    0,
  );
  return operation.longestRunMs < LONG_WAIT_MS || work >= profile.sampledMs * LEAST_WORK;
}
