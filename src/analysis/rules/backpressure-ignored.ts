import { formatBytes, formatNumber } from '../../units.js';
import { activitiesOf, topPlace, total } from '../activity.js';
import { confidenceAbove } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';

const WRITES_PER_SECOND = 5;
const BUFFERED_BYTES = 512 * 1024;

/** A stream said "wait" (`write` returned false), and its writer went on until megabytes lay in memory. */
export const backpressureIgnored: Rule = {
  cause: 'backpressure-ignored',
  evaluate(view) {
    if (view.signals.activities === undefined) return { findings: [] };
    const writes = activitiesOf(view, 'overfilled-write');
    const perSecond = total(writes, 'count') / (view.signals.durationMs / 1000);
    const buffered = Math.max(0, ...writes.map(({ peakBufferedBytes }) => peakBufferedBytes ?? 0));
    if (perSecond < WRITES_PER_SECOND || buffered < BUFFERED_BYTES) {
      return {
        findings: [],
        because: `no stream held more than ${formatBytes(buffered)} that it had not asked for`,
      };
    }
    const top = topPlace(writes, ({ peakBufferedBytes, count }) => (peakBufferedBytes ?? 0) * count);
    return {
      findings: [
        {
          cause: 'backpressure-ignored',
          severity: buffered >= 64 * 1024 * 1024 ? 'critical' : 'high',
          confidence: Math.min(
            confidenceAbove(buffered, BUFFERED_BYTES),
            confidenceAbove(perSecond, WRITES_PER_SECOND),
          ),
          impact: 0.7,
          title:
            top === undefined
              ? `Streams hold up to ${formatBytes(buffered)} because their writers do not wait`
              : `${placeOf(top.location!)} writes on while the stream asks to wait: up to ${formatBytes(buffered)} lie in memory`,
          ...(top === undefined ? {} : { location: top.location! }),
          evidence: [
            {
              metric: 'stream.buffered.max',
              value: buffered,
              unit: 'bytes',
              threshold: BUFFERED_BYTES,
              statement: `A stream held ${formatBytes(buffered)} that it could not pass on.`,
            },
            {
              metric: 'network.overfilledWrites',
              value: perSecond,
              unit: 'count/s',
              threshold: WRITES_PER_SECOND,
              statement: `${formatNumber(perSecond)} writes a second went into streams that held four times what they want to.`,
            },
          ],
        },
      ],
    };
  },
};
