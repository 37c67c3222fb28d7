import type { Evidence } from '../../model/finding.js';
import type { ActivityCost } from '../../model/signals.js';
import { formatDurationMs, formatNumber, formatShare } from '../../units.js';
import { activitiesOf, byTarget, median, topPlace, total, waitingShare } from '../activity.js';
import { confidenceAbove } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { RankedFinding, Rule } from '../rule.js';
import type { SignalView } from '../signal-view.js';
import { slowDns } from './slow-dns.js';
import { serialAwaits } from './serial-awaits.js';

const LATENCY_MS = 80;
const SHARE = 0.3;
const LEAST_CALLS = 3;
/** Below this factor over the loop's own lateness the answer may have lain there, waiting for the loop. */
const OVER_LOOP_DELAY = 3;
const LOOP_IS_FULL = 0.95;
/** Share of segments that are sent again from which on the network may be what answers come late over. */
const LOSS = 0.01;
const LEAST_RETRANSMITS = 1;
/** Part of the window in which an answer was outstanding, from which on requests share the connection. */
const OUTSTANDING = 0.8;
/** Of the time that answers take, in no other wait that is known. */
const UNEXPLAINED = 0.5;
/** Exchanges for each request that is served, below which most requests do without this service. */
const EXCHANGES_PER_REQUEST = 0.3;

/** Another service takes long to answer, and the program with it. */
export const slowDownstream: Rule = {
  cause: 'slow-downstream',
  evaluate(view) {
    const calls = activitiesOf(view, 'http', 'socket');
    if (view.signals.activities === undefined) return { findings: [] };
    if (calls.length === 0) return { findings: [], because: 'no call to another service was answered' };
    if ((view.value('eventLoop.utilization') ?? 0) >= LOOP_IS_FULL) {
      return { findings: [], because: 'the event loop itself is full, so answers wait for it' };
    }
    const functionsOf = (rule: Rule) =>
      new Set(rule.evaluate(view).findings.map(({ location }) => location?.function));
    const serial = functionsOf(serialAwaits);
    const slowNames = functionsOf(slowDns);
    const found: RankedFinding[] = [];
    let slowest = 0;
    for (const { target, rows } of byTarget(calls)) {
      const ms = Math.max(median(rows), sharedConnectionMs(view, rows));
      slowest = Math.max(slowest, ms);
      const share = waitingShare(view, Math.max(total(rows, 'totalMs'), ms * total(rows, 'count')));
      const delay = view.value('eventLoop.delay.p50') ?? 0;
      const pool = view.value('pool.queue.wait.p50') ?? 0;
      const isSlow = ms >= LATENCY_MS && ms >= delay * OVER_LOOP_DELAY && ms >= pool * OVER_LOOP_DELAY;
      if (!isSlow || share < SHARE || total(rows, 'count') < LEAST_CALLS) continue;
      if (rows.every(({ serialIn }) => serialIn !== undefined && serial.has(serialIn.location.function)))
        continue;
      if (rows.every(({ location }) => location !== undefined && slowNames.has(location.function))) continue;
      found.push(finding(view, target, rows, ms, share));
    }
    if (found.length > 0) return { findings: found };
    return {
      findings: [],
      because: `the slowest service answered in ${formatDurationMs(slowest)}, as half of its calls did`,
    };
  },
};

/**
 * What an answer takes where requests share one connection, as with a database's or a broker's client: the next bytes that
 * come in after a request answer an earlier one, so that exchanges seem short. Told by what is left: the program's own
 * answers take long, none of its other waits explains that, and the connection never is without a question.
 *
 * @returns milliseconds for each request that is served; 0 where the connection is not shared, or something else explains it.
 */
function sharedConnectionMs(view: SignalView, rows: readonly ActivityCost[]): number {
  const served = activitiesOf(view, 'http-server');
  const count = total(served, 'count');
  const isShared =
    rows.every(({ kind }) => kind === 'socket') &&
    total(rows, 'totalMs') >= view.signals.durationMs * OUTSTANDING &&
    total(rows, 'count') >= count * EXCHANGES_PER_REQUEST;
  if (!isShared || count < LEAST_CALLS || median(served) < LATENCY_MS) return 0;
  const known = (view.signals.activities ?? []).filter(
    ({ kind, location }) => kind !== 'http-server' && location !== undefined,
  );
  const servedMs = total(served, 'totalMs');
  const unexplainedMs = servedMs - total(known, 'totalMs');
  return unexplainedMs < servedMs * UNEXPLAINED ? 0 : unexplainedMs / count;
}

function finding(
  view: SignalView,
  target: string,
  rows: readonly ActivityCost[],
  ms: number,
  share: number,
): RankedFinding {
  const top = topPlace(rows);
  const who = target === '' ? 'another service' : target;
  const seconds = view.signals.durationMs / 1000;
  return {
    cause: 'slow-downstream',
    severity: ms >= 1000 ? 'critical' : ms >= 250 ? 'high' : 'medium',
    confidence: Math.min(confidenceAbove(ms, LATENCY_MS / 1.5), confidenceAbove(share, SHARE / 1.5)),
    impact: share,
    title:
      top === undefined
        ? `${who} takes ${formatDurationMs(ms)} to answer`
        : `${placeOf(top.location!)} waits ${formatDurationMs(ms)} for ${who}`,
    ...(top === undefined ? {} : { location: top.location! }),
    evidence: [
      {
        metric: 'downstream.latency.p50',
        value: ms,
        unit: 'ms',
        threshold: LATENCY_MS,
        statement: `Half of ${formatNumber(total(rows, 'count') / seconds)} calls a second to ${who} took ${formatDurationMs(ms)} or longer.`,
      },
      {
        metric: 'downstream.waitingShare',
        value: share,
        unit: 'ratio',
        threshold: SHARE,
        statement: `Waiting for it makes up ${formatShare(share)} of the time that the program’s own answers take.`,
      },
      ...losses(view),
      ...view.evidence(
        'eventLoop.utilization',
        (value) => `The event loop was busy for ${formatShare(value)} of the time.`,
      ),
    ],
  };
}

/** Where packets are lost, part of the wait may be the network's: of all connections of this network namespace. */
function losses(view: SignalView): Evidence[] {
  const again = view.value('network.tcp.retransmits') ?? 0;
  const sent = view.value('network.tcp.segmentsSent') ?? 0;
  if (again < LEAST_RETRANSMITS || again < sent * LOSS) return [];
  return view.evidence(
    'network.tcp.retransmits',
    (value) =>
      `${formatNumber(value)} of ${formatNumber(sent)} TCP segments a second were sent again: packets get lost on some connection of this network namespace.`,
    sent * LOSS,
  );
}
