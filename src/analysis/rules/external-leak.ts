import { formatBytes } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';

/** Healthy programs, ours in them, grow by 5 kB a second between full collections. */
const BYTES_PER_SECOND = 200e3;
const LEAST_BYTES = 8e5;
/** Times as much without a collection at both ends, where a rising floor may be garbage. */
const UNCERTAIN = 10;
const LEAST_COLLECTIONS = 3;
const KEPT_SHARE = 0.4;

/** Buffers, or other memory outside the heap, that grow over the window and are not given back. */
export const externalLeak: Rule = {
  cause: 'external-leak',
  evaluate(view) {
    const metric =
      view.value('external.live.growth') !== undefined ? 'external.live.growth' : 'external.growth';
    const growth = view.value(metric);
    if (growth === undefined) return { findings: [] };
    // Without a collection at both ends, a rising floor may be garbage that nothing made the collector fetch.
    const certain = metric === 'external.live.growth';
    const threshold = certain ? BYTES_PER_SECOND : BYTES_PER_SECOND * UNCERTAIN;
    const collected = view.signals.gc.find(({ kind }) => kind === 'mark-sweep-compact')?.count ?? 0;
    if (!certain && collected < LEAST_COLLECTIONS) return { findings: [] };
    if (growth < threshold || (growth * view.signals.durationMs) / 1000 < LEAST_BYTES) {
      return {
        findings: [],
        because: `memory outside the heap grew by ${formatBytes(Math.max(0, growth))} a second`,
      };
    }
    const through = view
      .userAllocations('liveBytes')
      .find(
        ({ through: callee }) =>
          callee !== undefined &&
          /alloc|buffer|from|concat|^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$/i.test(callee),
      );
    // `new Uint8Array` shows no callee: what is kept of it on the heap is then most of what its maker keeps.
    const [kept] = view.userAllocations('liveBytes');
    const live = view.userAllocations('liveBytes').reduce((sum, { liveBytes }) => sum + (liveBytes ?? 0), 0);
    const isMostOfIt = live > 0 && (kept?.liveBytes ?? 0) >= live * KEPT_SHARE;
    const location =
      through?.location ??
      view.ofKind('buffer')[0]?.operation.location ??
      (isMostOfIt ? kept!.location : undefined);
    return {
      findings: [
        {
          cause: 'external-leak',
          severity: 'critical',
          confidence: confidenceAbove(growth, threshold) * (certain ? 1 : 0.8),
          impact: 0.9,
          title:
            location === undefined
              ? `Memory outside the heap grows by ${formatBytes(growth)} a second`
              : `Buffers made in ${placeOf(location)} are never freed: ${formatBytes(growth)} more every second`,
          ...(location === undefined ? {} : { location }),
          evidence: [
            ...view.evidence(
              metric,
              (value) => `Memory held outside the heap grew by ${formatBytes(value)} a second.`,
              threshold,
            ),
            ...view.evidence(
              'external.used',
              (value) => `${formatBytes(value)} are held outside the heap now.`,
            ),
          ],
        },
      ],
    };
  },
};
