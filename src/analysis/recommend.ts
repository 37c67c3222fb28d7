/** From findings to what can be done: a call on a registered subject where one fits, else a change to the code. */
import type { Finding } from '../model/finding.js';
import type { Analysis } from '../model/profiling-result.js';
import type { Action, Recommendation } from '../model/recommendation.js';
import type { Subject } from '../model/subject.js';
import type { ProfileType } from '../model/types.js';
import { CODE_ADVICE } from './advice.js';

export type RecommendationDraft = Omit<Recommendation, 'schemaVersion' | 'id' | 'createdAt'>;

export interface RecommendationContext {
  readonly resultId: string;
  readonly type: ProfileType;
  /** What the service registered with its optimizer. */
  readonly subjects: readonly Subject[];
}

/**
 * Recommendations in the order of the findings, those that the optimizer can carry out before changes by hand.
 *
 * @example
 * recommend(analysis, { resultId: 'result-…', type: 'cpu', subjects: [] })[0].action.kind; // 'code-change'
 */
export function recommend(analysis: Analysis, context: RecommendationContext): RecommendationDraft[] {
  return analysis.findings.flatMap((finding) =>
    actionsFor(finding, context.subjects).map(({ action, title }) => ({
      resultId: context.resultId,
      cause: finding.cause,
      severity: finding.severity,
      confidence: finding.confidence,
      title,
      evidence: finding.evidence,
      ...(finding.location === undefined ? {} : { location: finding.location }),
      action,
    })),
  );
}

interface Advised {
  readonly action: Action;
  readonly title: string;
}

function actionsFor(finding: Finding, subjects: readonly Subject[]): Advised[] {
  return [...subjectActions(finding, subjects), ...flagActions(finding), ...codeActions(finding)];
}

/** A computation or job fits where it carries the function's name; pools and records where the cause is memory. */
function subjectActions(finding: Finding, subjects: readonly Subject[]): Advised[] {
  switch (finding.cause) {
    case 'sync-cpu':
    case 'megamorphic-access':
    case 'json-processing':
    case 'regexp-backtracking':
      return subjects
        .filter((subject) => isNamedLike(subject, finding))
        .flatMap((subject) => computationAction(subject));
    case 'allocation-churn':
    case 'fresh-page-faults':
    case 'heap-near-limit':
      return subjects
        .filter(({ kind }) => kind === 'pool' || kind === 'struct')
        .map((subject) => memoryAction(subject));
    default:
      return [];
  }
}

function computationAction({ kind, name }: Subject): Advised[] {
  if (kind === 'computation') {
    return [
      {
        title: `Let the optimizer choose the best variant of ${name}`,
        action: { kind: 'optimize-computation', subject: name },
      },
    ];
  }
  if (kind === 'job') {
    return [
      {
        title: `Let the optimizer spread ${name} over threads`,
        action: { kind: 'optimize-threads', subject: name },
      },
    ];
  }
  return [];
}

function memoryAction({ kind, name }: Subject): Advised {
  const settings =
    kind === 'pool'
      ? { memoryAllocation: { poolingStrategy: { objectPools: 'configurable' } } }
      : { cacheOptimization: { dataAlignment: { structPacking: 'minimal_padding' } } };
  return {
    title: `Let the optimizer plan and measure the ${kind === 'pool' ? 'pool' : 'layout of'} ${name}`,
    action: { kind: 'optimize-memory', settings, subject: name },
  };
}

function isNamedLike({ name }: Subject, { location }: Finding): boolean {
  if (location === undefined) return false;
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const [subject, place] = [plain(name), plain(location.function)];
  return subject !== '' && place !== '' && (subject.includes(place) || place.includes(subject));
}

function flagActions({ cause }: Finding): Advised[] {
  if (cause === 'allocation-churn') {
    return [
      {
        title: 'Try a larger young generation, so that garbage dies before it is copied',
        action: { kind: 'runtime-flag', flag: '--max-semi-space-size=64' },
      },
    ];
  }
  return [];
}

function codeActions(finding: Finding): Advised[] {
  const advice = CODE_ADVICE[finding.cause];
  if (advice === undefined) return [];
  const { location } = finding;
  const where = location === undefined ? '' : `${location.function} (${location.file}:${location.line}): `;
  return [{ title: `${where}${advice.summary}`, action: { kind: 'code-change', ...advice } }];
}
