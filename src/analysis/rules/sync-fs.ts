import { placeOf } from '../operation-finding.js';
import { operationRule } from '../operation-rule.js';

/** Synchronous file calls while requests wait. Logging to a file or a pipe is one too: console calls block there. */
export const syncFs = operationRule({
  cause: 'sync-fs',
  kinds: ['sync-fs', 'console'],
  what: 'synchronous file call',
  thresholds: { block: { longestMs: 10, loopShare: 0.03 }, load: { loopShare: 0.08, busyShare: 0.15 } },
  title: ({ operation }) => `${operation.name} in ${placeOf(operation.location)} blocks the event loop`,
  detail: ({ operation }) =>
    operation.kind === 'console'
      ? 'Writing to the console is synchronous where it goes to a file or a pipe.'
      : undefined,
});
