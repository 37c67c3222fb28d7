import { formatBytes, formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import type { Rule } from '../rule.js';

/** Floor of the heap over its limit from which V8 collects ever more often to find less. */
export const HEAP_NEAR_LIMIT = 0.7;
const MAJOR_SHARE = 0.1;
const STARVED = 0.45;
/** Of what the limit leaves to the old generation, which is what fills. */
const STARVED_OLD = 0.6;
/** V8 counts three semi-spaces of 16 MiB into the limit. */
const YOUNG_BYTES = 3 * 16 * 1024 ** 2;

/** A heap that is nearly full even after collections: full collections one after another, then the end. */
export const heapNearLimit: Rule = {
  cause: 'heap-near-limit',
  evaluate(view) {
    const floorShare = view.value('heap.floor.share');
    const limit = view.value('heap.limit');
    if (floorShare === undefined || limit === undefined) return { findings: [] };
    const majorShare = view.value('gc.major.share') ?? 0;
    // V8 counts the young generation into the limit, which in a small heap is a good part of it. One that collects
    // fully again and again with half of the limit in use has no old generation left.
    const oldShare = (floorShare * limit) / Math.max(limit / 2, limit - YOUNG_BYTES);
    const isStarved = majorShare >= MAJOR_SHARE && (floorShare >= STARVED || oldShare >= STARVED_OLD);
    if (floorShare < HEAP_NEAR_LIMIT && !isStarved) {
      return {
        findings: [],
        because: `the heap’s floor is ${formatShare(floorShare)} of its limit of ${formatBytes(limit)}`,
      };
    }
    return {
      findings: [
        {
          cause: 'heap-near-limit',
          severity: floorShare >= 0.85 || majorShare >= 0.2 ? 'critical' : 'high',
          confidence: Math.max(
            confidenceAbove(floorShare / (1 - floorShare), HEAP_NEAR_LIMIT / (1 - HEAP_NEAR_LIMIT)),
            isStarved ? confidenceAbove(majorShare, MAJOR_SHARE) : 0,
          ),
          impact: Math.max(floorShare, majorShare),
          title: `The heap’s floor is ${formatShare(floorShare)} of its limit of ${formatBytes(limit)}`,
          evidence: [
            ...view.evidence(
              'heap.floor.share',
              (value) => `After collections ${formatShare(value)} of the limit is still in use.`,
              HEAP_NEAR_LIMIT,
            ),
            ...view.evidence(
              'gc.major.share',
              (value) => `Full collections paused the program for ${formatShare(value)} of the time.`,
            ),
          ],
          ...(majorShare > 0 ? { expectedGain: majorShare } : {}),
        },
      ],
    };
  },
};
