import { placeOf } from '../operation-finding.js';
import { operationRule } from '../operation-rule.js';

/** A child process that the event loop waits for. */
export const syncChildProcess = operationRule({
  cause: 'sync-child-process',
  kinds: ['sync-child-process'],
  what: 'synchronous child process',
  // No program that serves waits for children in its steady state, so that little of it is enough.
  thresholds: { block: { longestMs: 3, loopShare: 0.01 }, load: { loopShare: 0.04, busyShare: 0.05 } },
  title: ({ operation }) => `${operation.name} in ${placeOf(operation.location)} waits for a child process`,
});
