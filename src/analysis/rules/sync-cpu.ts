import { placeOf } from '../operation-finding.js';
import { exceeds, LEAST_BUSY_MS, operationFinding } from '../operation-finding.js';
import { formatShare } from '../../units.js';
import { canBacktrack } from '../regexp-shape.js';
import type { OperationCost } from '../../model/signals.js';
import type { Rule } from '../rule.js';
import type { HotOperation } from '../signal-view.js';
import { spreadComputation } from '../spread-computation.js';
import { megamorphicAccess } from './megamorphic-access.js';

const THRESHOLDS = {
  block: { longestMs: 10, loopShare: 0.03 },
  load: { loopShare: 0.25, busyShare: 0.3 },
} as const;
/**
 * Node's own code for requests below the user's is the work of a server, and so is a framework's without the user's above it; they
 * count only where they block for long.
 */
const NODE_THRESHOLDS = {
  block: { longestMs: 40, loopShare: 0.05 },
} as const;
/** Modules of Node that compute what they are asked for: printing, comparing, taking addresses and texts apart. */
const COMPUTES =
  /^node:(internal\/)?(util|url|querystring|path|assert|v8|string_decoder|encoding|punycode)\b/;
/** A function whose time lies below another one's by this much is part of that one's work. */
const BELOW = 0.8;
const MINOR = 0.5;

/** Plain computation on the event loop: each of the user's functions that takes too much of it. */
export const syncCpu: Rule = {
  cause: 'sync-cpu',
  evaluate(view) {
    if (view.signals.operations === undefined) return { findings: [] };
    const megamorphic = megamorphicAccess.evaluate(view).findings.map(({ location }) => location);
    const isMegamorphic = ({ location }: OperationCost) =>
      megamorphic.some((other) => other?.file === location.file && other.function === location.function);
    const candidates = view.operations.filter(
      (hot) => isComputation(hot) && !isMegamorphic(hot.operation) && hot.activeMs >= LEAST_BUSY_MS,
    );
    const hot = candidates.filter((each) => exceeds(each, isOfServer(each) ? NODE_THRESHOLDS : THRESHOLDS));
    const kept: HotOperation[] = [];
    for (const each of hot) if (!kept.some((greater) => isPartOf(each, greater))) kept.push(each);
    if (kept.length === 0) {
      const spread = spreadComputation(view);
      if (spread !== undefined) return { findings: [spread] };
      return {
        findings: [],
        because: `no function took more than ${formatShare(candidates[0]?.loopShare ?? 0)} of the time`,
      };
    }
    return {
      findings: kept.map((each) =>
        operationFinding(view, each, isOfServer(each) ? NODE_THRESHOLDS : THRESHOLDS, {
          cause: 'sync-cpu',
          title: ({ operation }) => `${placeOf(operation.location)} computes on the event loop`,
          detail: ({ operation }) =>
            operation.kind === 'own-code' ? undefined : `Most of it is ${operation.name}.`,
        }),
      ),
    };
  },
};

function isOfServer({ operation: { kind, name, location } }: HotOperation): boolean {
  return (kind === 'node' && !COMPUTES.test(name)) || /[\\/]node_modules[\\/]/.test(location.file);
}

function isComputation({ operation }: HotOperation): boolean {
  if (operation.kind === 'regexp') return !canBacktrack(operation.name);
  // A lock in a single thread is only a way to count; where threads contend, that has a finding of its own.
  if (operation.kind === 'lock') return operation.name !== 'Atomics.wait';
  return operation.kind === 'own-code' || operation.kind === 'buffer' || operation.kind === 'node';
}

/** A helper of a greater finding, or the thin caller of one: the same fault seen twice. */
function isPartOf(lesser: HotOperation, greater: HotOperation): boolean {
  if (lesser.activeMs > greater.activeMs * MINOR) return false;
  const { location } = lesser.operation;
  const callsIt = greater.operation.callers.some(
    (caller) =>
      caller.function === location.function && caller.file === location.file && caller.share >= BELOW,
  );
  const isCalledByIt = lesser.operation.callers.some(
    (caller) =>
      caller.function === greater.operation.location.function &&
      caller.file === greater.operation.location.file &&
      caller.share >= BELOW,
  );
  return callsIt || isCalledByIt || isSamePlace(lesser, greater);
}

function isSamePlace(one: HotOperation, other: HotOperation): boolean {
  const [a, b] = [one.operation, other.operation];
  return a.location.file === b.location.file && a.functionLine === b.functionLine;
}
