/** A rule about one kind of operation that holds the event loop. */
import type { OperationKind } from '../model/signals.js';
import { formatShare } from '../units.js';
import {
  exceeds,
  LEAST_BUSY_MS,
  operationFinding,
  type OperationText,
  type OperationThresholds,
} from './operation-finding.js';
import { nativeEvidence } from './native-evidence.js';
import type { Rule } from './rule.js';
import type { HotOperation } from './signal-view.js';

export interface OperationRule extends OperationText {
  readonly kinds: readonly OperationKind[];
  readonly thresholds: OperationThresholds;
  /** What the operation is called in “…, because no …”. */
  readonly what: string;
  readonly accept?: (hot: HotOperation) => boolean;
  /** Family of native functions whose share of the CPU time supports the finding. */
  readonly native?: Parameters<typeof nativeEvidence>[1];
}

export function operationRule(definition: OperationRule): Rule {
  const { cause, kinds, thresholds, what, accept, native } = definition;
  return {
    cause,
    evaluate(view) {
      if (view.signals.operations === undefined) return { findings: [] };
      const candidates = view.ofKind(...kinds).filter((hot) => accept?.(hot) ?? true);
      const found = candidates.filter((hot) => hot.activeMs >= LEAST_BUSY_MS && exceeds(hot, thresholds));
      if (found.length > 0) {
        const support = native === undefined ? [] : nativeEvidence(view, native);
        return {
          findings: found.map((hot) => {
            const finding = operationFinding(view, hot, thresholds, definition);
            return { ...finding, evidence: [...finding.evidence, ...support] };
          }),
        };
      }
      const share = candidates[0]?.loopShare ?? 0;
      return { findings: [], because: `no ${what} took more than ${formatShare(share)} of the time` };
    },
  };
}
