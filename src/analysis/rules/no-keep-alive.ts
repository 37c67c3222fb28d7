import type { ActivityCost } from '../../model/signals.js';
import { formatNumber, formatShare } from '../../units.js';
import { activitiesOf, byTarget, topPlace, total } from '../activity.js';
import { confidenceAbove } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { RankedFinding, Rule } from '../rule.js';
import type { SignalView } from '../signal-view.js';

const NEW_SHARE = 0.5;
const CONNECTS_PER_SECOND = 2;
const LEAST_REQUESTS = 8;

/** A connection is made for nearly every request, though the same host is asked again and again. */
export const noKeepAlive: Rule = {
  cause: 'no-keep-alive',
  evaluate(view) {
    if (view.signals.activities === undefined) return { findings: [] };
    const found: RankedFinding[] = [];
    let greatest = 0;
    for (const { target, rows } of byTarget(activitiesOf(view, 'http', 'socket'))) {
      const requests = total(rows, 'count');
      const fresh = freshConnections(view, target, rows);
      const share = requests === 0 ? 0 : fresh / requests;
      const perSecond = fresh / (view.signals.durationMs / 1000);
      if (requests >= LEAST_REQUESTS) greatest = Math.max(greatest, share);
      if (requests < LEAST_REQUESTS || share < NEW_SHARE || perSecond < CONNECTS_PER_SECOND) continue;
      found.push(finding(view, target, rows, share, perSecond));
    }
    if (found.length > 0) return { findings: found };
    return {
      findings: [],
      because: `at most ${formatShare(greatest)} of the requests to one host made a connection`,
    };
  },
};

/**
 * Connections made for these requests. `fetch` and plain sockets do not tell for each request whether it made one;
 * there the connections to the host that no other request accounts for are theirs.
 */
function freshConnections(view: SignalView, target: string, rows: readonly ActivityCost[]): number {
  const known = rows.filter(({ newConnectionShare }) => newConnectionShare !== undefined);
  const unknown = rows.filter(({ newConnectionShare }) => newConnectionShare === undefined);
  const fresh = known.reduce((sum, row) => sum + row.count * row.newConnectionShare!, 0);
  const made = activitiesOf(view, 'connect').filter((row) => row.target === target);
  return fresh + Math.min(total(unknown, 'count'), Math.max(0, total(made, 'count') - fresh));
}

function finding(
  view: SignalView,
  target: string,
  rows: readonly ActivityCost[],
  share: number,
  perSecond: number,
): RankedFinding {
  const top = topPlace(rows, ({ count, newConnectionShare }) => count * (newConnectionShare ?? share));
  return {
    cause: 'no-keep-alive',
    severity: perSecond >= 100 ? 'high' : 'medium',
    confidence: Math.min(
      confidenceAbove(share, NEW_SHARE / 2),
      confidenceAbove(perSecond, CONNECTS_PER_SECOND / 2),
    ),
    impact: Math.min(0.6, 0.25 + perSecond / 500),
    title:
      top === undefined
        ? `${formatShare(share)} of the requests to ${target} make a connection of their own`
        : `${placeOf(top.location!)} makes a connection for ${formatShare(share)} of its requests to ${target}`,
    ...(top === undefined ? {} : { location: top.location! }),
    evidence: [
      {
        metric: 'connection.newShare',
        value: share,
        unit: 'ratio',
        threshold: NEW_SHARE,
        statement: `${formatShare(share)} of the requests to ${target} went over a new connection.`,
      },
      {
        metric: 'connection.rate',
        value: perSecond,
        unit: 'count/s',
        threshold: CONNECTS_PER_SECOND,
        statement: `That makes ${formatNumber(perSecond)} connections a second.`,
      },
      ...view.evidence(
        'network.tcp.timeWait',
        (value) => `${formatNumber(value)} closed connections linger in the kernel.`,
      ),
    ],
  };
}
