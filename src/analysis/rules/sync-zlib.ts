import { placeOf } from '../operation-finding.js';
import { operationRule } from '../operation-rule.js';

/** Compression or decompression on the loop. */
export const syncZlib = operationRule({
  cause: 'sync-zlib',
  kinds: ['sync-zlib'],
  native: 'zlib',
  what: 'synchronous compression',
  thresholds: { block: { longestMs: 5, loopShare: 0.03 }, load: { loopShare: 0.1, busyShare: 0.15 } },
  title: ({ operation }) => `${operation.name} in ${placeOf(operation.location)} blocks the event loop`,
});
