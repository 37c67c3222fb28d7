import { placeOf } from '../operation-finding.js';
import { operationRule } from '../operation-rule.js';
import type { Rule } from '../rule.js';

/** Work with key pairs and derivation of keys: each call takes long, and has an asynchronous form. */
const SLOW = /sign|verify|pbkdf2|scrypt|hkdf|generate|prime|diffie|hellman|publicEncrypt|privateDecrypt/i;

const COMMON = {
  cause: 'sync-crypto',
  kinds: ['sync-crypto'],
  native: 'crypto',
  what: 'synchronous crypto call',
  title: ({ operation }) => `${operation.name} in ${placeOf(operation.location)} blocks the event loop`,
} as const satisfies Partial<Parameters<typeof operationRule>[0]>;
const slow = operationRule({
  ...COMMON,
  accept: ({ operation }) => SLOW.test(operation.name),
  thresholds: { block: { longestMs: 8, loopShare: 0.03 }, load: { loopShare: 0.08, busyShare: 0.15 } },
});
/** Short digests are ordinary in every request; they count where they take a quarter of the loop. */
const short = operationRule({
  ...COMMON,
  accept: ({ operation }) => !SLOW.test(operation.name),
  thresholds: { block: { longestMs: 8, loopShare: 0.03 }, load: { loopShare: 0.25, busyShare: 0.3 } },
});

/** Key derivation, hashing or signing on the loop. */
export const syncCrypto: Rule = {
  cause: 'sync-crypto',
  evaluate(view) {
    const results = [slow.evaluate(view), short.evaluate(view)] as const;
    const findings = results.flatMap((result) => result.findings);
    if (findings.length > 0) return { findings };
    const [{ because }, other] = results;
    const isSlowSeen = view.ofKind('sync-crypto').some(({ operation }) => SLOW.test(operation.name));
    return isSlowSeen ? { findings, ...(because === undefined ? {} : { because }) } : other;
  },
};
