import { formatNumber, formatShare } from '../../units.js';
import { activitiesOf, topPlace } from '../activity.js';
import { confidenceAbove } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';

const OF_LIMIT = 0.8;
const GROWTH_PER_SECOND = 2.5;
const LEAST_LEFT = 10;
/** Connections are kept open on purpose, and more of them where answers come late for a while. */
const OF_CONNECTIONS = 2;
/** Where both ends of a connection are in the program, half of the growth is the other end's. */
const OF_GROWTH = 0.4;

/** Files or sockets that are opened and not closed: at the limit, nothing more can be opened at all. */
export const descriptorExhaustion: Rule = {
  cause: 'descriptor-exhaustion',
  evaluate(view) {
    const open = view.value('process.openDescriptors');
    const limit = view.value('process.openDescriptors.limit');
    const growth = view.value('process.openDescriptors.growth') ?? 0;
    if (open === undefined || limit === undefined) return { findings: [] };
    const leftOpen = topPlace(
      activitiesOf(view, 'fs', 'connect'),
      ({ openDescriptors }) => openDescriptors ?? 0,
    );
    const left = leftOpen?.openDescriptors ?? 0;
    const grew = (growth * view.signals.durationMs) / 1000;
    const factor = leftOpen?.kind === 'connect' ? OF_CONNECTIONS : 1;
    const isLeak =
      growth >= GROWTH_PER_SECOND * factor && left >= LEAST_LEFT * factor && left >= grew * OF_GROWTH;
    if (open < limit * OF_LIMIT && !isLeak) {
      return {
        findings: [],
        because: `${formatNumber(open)} of ${formatNumber(limit)} descriptors are open`,
      };
    }
    const location = left > 0 ? leftOpen!.location : undefined;
    return {
      findings: [
        {
          cause: 'descriptor-exhaustion',
          severity: open >= limit * OF_LIMIT ? 'critical' : 'high',
          confidence: isLeak
            ? confidenceAbove(growth, GROWTH_PER_SECOND)
            : confidenceAbove(open / limit / (1 - open / limit + 1e-9), OF_LIMIT / (1 - OF_LIMIT)),
          impact: Math.max(0.8, open / limit),
          title:
            location === undefined
              ? `${formatNumber(open)} of ${formatNumber(limit)} descriptors are open`
              : `${placeOf(location)} opens descriptors and does not close them: ${formatNumber(left)} in this window`,
          ...(location === undefined ? {} : { location }),
          evidence: [
            ...view.evidence(
              'process.openDescriptors',
              (value) =>
                `${formatNumber(value)} descriptors are open, ${formatShare(value / limit)} of the limit.`,
              limit * OF_LIMIT,
            ),
            ...view.evidence(
              'process.openDescriptors.growth',
              (value) => `${formatNumber(value)} more are open every second.`,
              GROWTH_PER_SECOND,
            ),
          ],
        },
      ],
    };
  },
};
