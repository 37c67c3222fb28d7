import { formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import { nativeEvidence, nativeShare } from '../native-evidence.js';
import { LEAST_BUSY_MS, operationFinding, placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';
import type { HotOperation, SignalView } from '../signal-view.js';

/** Shape-stable code stays below 0.05; at 400 samples a second a megamorphic loop shows 0.2 to 0.4. */
const STUB_SHARE = 0.12;
/** Bytes per millisecond of its own time from which on a function is in stubs that make objects and text. */
const COPYING = 500e3;
/** Half a dozen samples in stubs; fewer may be chance. */
const LEAST_STUB_MS = 15;
/** Of the time in stubs, what has to be in V8's look-up by its own name; samples of two clocks never agree. */
const NAMED_PART = 0.2;
const THRESHOLDS = {
  block: { longestMs: 20, loopShare: 0.03 },
  load: { loopShare: 0.1, busyShare: 0.15 },
} as const;

/**
 * Reads of one property from objects of more shapes than V8's inline caches hold. V8 then goes through a shared
 * stub that builds no frame, which leaves its mark in the samples.
 */
export const megamorphicAccess: Rule = {
  cause: 'megamorphic-access',
  evaluate(view) {
    if (view.signals.operations === undefined) return { findings: [] };
    const found = view
      .ofKind('own-code')
      .map((hot) => ({
        hot,
        stubShare: hot.operation.totalMs === 0 ? 0 : hot.operation.stubMs / hot.operation.totalMs,
      }))
      .filter(
        ({ hot, stubShare }) =>
          stubShare >= STUB_SHARE &&
          !copies(view, hot) &&
          !isOtherStub(view, hot, stubShare) &&
          hot.operation.stubMs >= LEAST_STUB_MS &&
          hot.activeMs >= LEAST_BUSY_MS &&
          hot.loopShare >= THRESHOLDS.block.loopShare,
      );
    if (found.length === 0)
      return { findings: [], because: 'no function spent its time in V8’s generic property access' };
    return {
      findings: found.map(({ hot, stubShare }) => {
        const finding = operationFinding(view, hot, THRESHOLDS, {
          cause: 'megamorphic-access',
          title: ({ operation }) =>
            `${placeOf(operation.location)} reads properties of objects of many shapes`,
        });
        return {
          ...finding,
          confidence: Math.min(finding.confidence, confidenceAbove(stubShare, STUB_SHARE)),
          evidence: [
            {
              metric: 'operation.stubShare',
              value: stubShare,
              unit: 'ratio',
              threshold: STUB_SHARE,
              statement: `${formatShare(stubShare)} of its time went into V8’s generic property access, which shape-stable code never enters.`,
            },
            ...finding.evidence,
            ...nativeEvidence(view, 'megamorphic'),
          ],
          expectedGain: hot.busyShare * stubShare,
        };
      }),
    };
  },
};

/**
 * Where native code was sampled by its own clock, the stub has a name: comparing texts or copying arrays leaves the same mark
 * in V8's samples as a look-up does.
 */
function isOtherStub(view: SignalView, { busyShare }: HotOperation, stubShare: number): boolean {
  const lookUps = nativeShare(view, 'megamorphic');
  return lookUps !== undefined && lookUps < busyShare * stubShare * NAMED_PART;
}

function copies(view: SignalView, { operation: { location }, activeMs }: HotOperation): boolean {
  const site = view
    .userAllocations('allocatedBytes')
    .find(({ location: { file, function: name } }) => file === location.file && name === location.function);
  return site !== undefined && site.allocatedBytes / activeMs >= COPYING;
}
