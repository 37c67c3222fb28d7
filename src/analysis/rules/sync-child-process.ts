import { placeOf } from '../operation-finding.js';
import { operationRule } from '../operation-rule.js';

/** A child process that the event loop waits for. */
export const syncChildProcess = operationRule({
  cause: 'sync-child-process',
  kinds: ['sync-child-process'],
  what: 'synchronous child process',
  thresholds: { block: { longestMs: 5, loopShare: 0.02 }, load: { loopShare: 0.05, busyShare: 0.05 } },
  title: ({ operation }) => `${operation.name} in ${placeOf(operation.location)} waits for a child process`,
});
