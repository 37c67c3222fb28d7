import { formatDurationMs, formatShare } from '../../units.js';
import { activitiesOf, median, topPlace, total, waitingShare } from '../activity.js';
import { confidenceAbove } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';

const LATENCY_MS = 40;
const SHARE = 0.05;
const LEAST_LOOKUPS = 3;

/** Looking a name up takes long: the resolver is slow, or tries what does not answer first. */
export const slowDns: Rule = {
  cause: 'slow-dns',
  evaluate(view) {
    const all = activitiesOf(view, 'dns');
    if (view.signals.activities === undefined) return { findings: [] };
    // Addresses and names from the hosts file are "looked up" at once, often many times for one name that is slow.
    const slowest = all.filter(({ p50Ms }) => p50Ms >= LATENCY_MS);
    const lookUps = slowest.length === 0 ? all : slowest;
    const count = total(lookUps, 'count');
    if (count < LEAST_LOOKUPS) return { findings: [], because: 'hardly any name was looked up' };
    const wait = (view.value('pool.queue.wait.p50') ?? 0) + (view.value('eventLoop.delay.p50') ?? 0);
    const ms = median(lookUps);
    const own = Math.max(0, ms - wait);
    const share = waitingShare(view, total(lookUps, 'totalMs'));
    if (own < LATENCY_MS || own < ms / 2 || share < SHARE) {
      return { findings: [], because: `half of the name look-ups took less than ${formatDurationMs(ms)}` };
    }
    const top = topPlace(lookUps);
    return {
      findings: [
        {
          cause: 'slow-dns',
          severity: own >= 500 ? 'high' : 'medium',
          confidence: Math.min(confidenceAbove(own, LATENCY_MS), confidenceAbove(share, SHARE)),
          impact: Math.min(1, share),
          title:
            top === undefined
              ? `Looking a name up takes ${formatDurationMs(ms)}`
              : `${placeOf(top.location!)} waits ${formatDurationMs(ms)} for a name look-up`,
          ...(top?.target === undefined ? {} : { detail: `The name is ${top.target}.` }),
          ...(top === undefined ? {} : { location: top.location! }),
          evidence: [
            {
              metric: 'dns.latency',
              value: ms,
              unit: 'ms',
              threshold: LATENCY_MS,
              statement: `Half of these look-ups took ${formatDurationMs(ms)} or longer.`,
            },
            {
              metric: 'dns.waitingShare',
              value: share,
              unit: 'ratio',
              threshold: SHARE,
              statement: `They make up ${formatShare(share)} of the time that the program’s answers take.`,
            },
            ...view.evidence(
              'pool.queue.wait.p50',
              (value) => `The pool that looks names up had them wait ${formatDurationMs(value)}.`,
            ),
          ],
        },
      ],
    };
  },
};
