import { formatBytes, formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import type { Rule } from '../rule.js';

/** Pages of the old generation that are held and empty in part. Below these, V8 keeps them for what comes next. */
const SLACK_BYTES = 32e6;
const SLACK_SHARE = 0.45;
/** Resident memory that neither V8's heap nor buffers account for: what malloc keeps between live blocks. */
const UNACCOUNTED_BYTES = 96e6;
const UNACCOUNTED_SHARE = 0.5;
/** Still rising by more than this, it is a leak of native memory or a start, not holes. */
const RISING_BYTES_PER_SECOND = 2e6;

/**
 * Memory that the program holds and does not use: blocks of many lifetimes lie mixed, so that hardly a page becomes
 * free as a whole. In V8's own heap the collector's books tell; outside of it, the kernel's less what is accounted for.
 */
export const heapFragmentation: Rule = {
  cause: 'heap-fragmentation',
  evaluate(view) {
    const slack = view.value('heap.slack');
    const slackShare = view.value('heap.slack.share');
    const unaccounted = view.value('process.unaccounted');
    const unaccountedShare = view.value('process.unaccounted.share');
    if (slack === undefined || slackShare === undefined) return { findings: [] };
    const rising = view.value('process.rss.growth') ?? 0;
    const inHeap = slack >= SLACK_BYTES && slackShare >= SLACK_SHARE;
    const outside =
      (unaccounted ?? 0) >= UNACCOUNTED_BYTES &&
      (unaccountedShare ?? 0) >= UNACCOUNTED_SHARE &&
      rising < RISING_BYTES_PER_SECOND;
    if (!inHeap && !outside) {
      return {
        findings: [],
        because: `${formatShare(slackShare)} of the old generation’s pages (${formatBytes(slack)}) stood empty, and ${formatBytes(Math.max(0, unaccounted ?? 0))} of resident memory is not accounted for`,
      };
    }
    const bytes = inHeap ? slack : unaccounted!;
    return {
      findings: [
        {
          cause: 'heap-fragmentation',
          severity: bytes >= 500e6 ? 'high' : 'medium',
          confidence: inHeap
            ? Math.min(
                confidenceAbove(slack, SLACK_BYTES),
                confidenceAbove(slackShare / (1.001 - slackShare), SLACK_SHARE / (1 - SLACK_SHARE)),
              )
            : Math.min(
                confidenceAbove(unaccounted!, UNACCOUNTED_BYTES),
                confidenceAbove(unaccountedShare!, UNACCOUNTED_SHARE / 2),
              ),
          impact: Math.min(1, 0.3 + (inHeap ? slackShare : unaccountedShare!) / 2),
          title: inHeap
            ? `The heap holds ${formatBytes(slack)} in pages that are mostly empty`
            : `${formatBytes(unaccounted!)} of resident memory lie between blocks that malloc gave out`,
          detail: inHeap
            ? 'Objects that live on are spread over pages of objects that died, so that the pages cannot be given back.'
            : 'Buffers of many sizes and lifetimes share malloc’s arenas; blocks that live on keep what lies around them.',
          evidence: [
            ...view.evidence(
              'heap.slack.share',
              (value) => `${formatShare(value)} of the old generation’s pages was empty when the run began.`,
              SLACK_SHARE,
            ),
            ...view.evidence(
              'process.unaccounted',
              (value) =>
                `${formatBytes(value)} of anonymous memory are neither V8’s heap nor buffers nor a runtime’s usual needs.`,
              UNACCOUNTED_BYTES,
            ),
          ],
        },
      ],
    };
  },
};
