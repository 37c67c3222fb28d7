import { placeOf } from '../operation-finding.js';
import { operationRule } from '../operation-rule.js';

/** Exceptions as control flow: making one walks the stack, which costs more than most code around it. */
export const exceptionStorm = operationRule({
  cause: 'exception-storm',
  kinds: ['exception'],
  what: 'throwing of exceptions',
  thresholds: { block: { longestMs: 10, loopShare: 0.03 }, load: { loopShare: 0.06, busyShare: 0.2 } },
  title: ({ operation }) => `${placeOf(operation.location)} makes exceptions all the time`,
});
