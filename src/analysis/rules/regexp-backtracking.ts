import { placeOf } from '../operation-finding.js';
import { operationRule } from '../operation-rule.js';
import { canBacktrack } from '../regexp-shape.js';

/** A regular expression that tries many ways to match one text. */
export const regexpBacktracking = operationRule({
  cause: 'regexp-backtracking',
  kinds: ['regexp'],
  native: 'regexp',
  what: 'regular expression',
  accept: ({ operation }) => canBacktrack(operation.name),
  thresholds: { block: { longestMs: 10, loopShare: 0.03 }, load: { loopShare: 0.15, busyShare: 0.25 } },
  title: ({ operation }) =>
    `The regular expression ${shorten(operation.name)} in ${placeOf(operation.location)} backtracks`,
});

function shorten(source: string): string {
  return source.length > 60 ? `${source.slice(0, 57)}…` : source;
}
