import { placeOf } from '../operation-finding.js';
import { operationRule } from '../operation-rule.js';

/**
 * Large texts through `JSON.parse` or `JSON.stringify`. Small ones in every request are what a service does, so
 * short calls count only where they take a third of the loop.
 */
export const jsonProcessing = operationRule({
  cause: 'json-processing',
  kinds: ['json'],
  native: 'json',
  what: 'JSON call',
  thresholds: { block: { longestMs: 8, loopShare: 0.03 }, load: { loopShare: 0.3, busyShare: 0.35 } },
  title: ({ operation }) => `${operation.name} in ${placeOf(operation.location)} blocks the event loop`,
});
