import { formatNumber, formatShare } from '../../units.js';
import { confidenceAbove, loopSeverity } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';

/** In every quarter of the window: a program that warms up has most of them in the first. */
const PER_SECOND = 8;
/** Of the deoptimisations, in one function. Between functions of a healthy program they are spread. */
const OF_ALL = 0.3;
/** Of the loop's time, in that function: below it, compiling it over and over costs next to nothing. */
const LOOP_SHARE = 0.05;

/**
 * Code that V8 optimises, throws away and optimises again: what it learns from one call does not hold for the
 * next, or the function is made anew (`new Function`, templates compiled for every request) and never stays warm.
 */
export const deoptimisationLoop: Rule = {
  cause: 'deoptimisation-loop',
  evaluate(view) {
    const lasting = view.value('cpu.deoptimisations.lasting');
    const all = view.value('cpu.deoptimisations');
    const [top] = view.signals.deoptimisations ?? [];
    if (lasting === undefined || all === undefined) return { findings: [] };
    if (lasting < PER_SECOND || top === undefined) {
      return {
        findings: [],
        because: `V8 threw optimised code away ${formatNumber(all)} times a second, and ${formatNumber(lasting)} in the quietest quarter of the run`,
      };
    }
    const { location, share } = top;
    const loopShare = view.operations
      .filter(({ operation }) => isIn(operation.location, operation.functionLine, location))
      .reduce((sum, hot) => sum + hot.loopShare, 0);
    if (share < OF_ALL || loopShare < LOOP_SHARE) {
      return {
        findings: [],
        because: `the function with most of V8’s deoptimisations has ${formatShare(share)} of them and takes ${formatShare(loopShare)} of the time`,
      };
    }
    return {
      findings: [
        {
          cause: 'deoptimisation-loop',
          severity: loopSeverity(loopShare, 0),
          confidence: Math.min(confidenceAbove(lasting, PER_SECOND), confidenceAbove(share, OF_ALL)),
          impact: Math.min(1, loopShare * 1.2),
          explainsOwnCode: true,
          title: `V8 optimises code in ${placeOf(location)} and throws it away again, ${formatNumber(all)} times a second`,
          detail:
            'While it is thrown away, the function runs in the interpreter, several times slower than it could.',
          location,
          evidence: [
            ...view.evidence(
              'cpu.deoptimisations.lasting',
              (value) => `Even the quietest quarter of the run had ${formatNumber(value)} a second.`,
              PER_SECOND,
            ),
            {
              metric: 'deoptimisation.share',
              value: share,
              unit: 'ratio',
              threshold: OF_ALL,
              statement: `This function was running at ${formatShare(share)} of them.`,
            },
            {
              metric: 'operation.loopShare',
              value: loopShare,
              unit: 'ratio',
              threshold: LOOP_SHARE,
              statement: `It held the event loop for ${formatShare(loopShare)} of the time.`,
            },
          ],
        },
      ],
    };
  },
};

function isIn(
  place: { readonly file: string; readonly function: string },
  functionLine: number,
  location: { readonly file: string; readonly function: string; readonly line: number },
): boolean {
  return (
    place.file === location.file && (functionLine === location.line || place.function === location.function)
  );
}
