import { placeOf } from '../operation-finding.js';
import { operationRule } from '../operation-rule.js';

/** Key derivation, hashing or signing on the loop. Short digests are ordinary; long ones have asynchronous forms. */
export const syncCrypto = operationRule({
  cause: 'sync-crypto',
  kinds: ['sync-crypto'],
  what: 'synchronous crypto call',
  thresholds: { block: { longestMs: 8, loopShare: 0.03 }, load: { loopShare: 0.25, busyShare: 0.3 } },
  title: ({ operation }) => `${operation.name} in ${placeOf(operation.location)} blocks the event loop`,
});
