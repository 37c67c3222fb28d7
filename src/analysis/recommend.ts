/**
 * From findings to what can be done: a call on a registered subject where one fits, else a change to the code. Then what
 * is worth an experiment, which answers no finding (experiments.ts).
 */
import type { Finding } from '../model/finding.js';
import { metricValue } from '../model/metric.js';
import type { Analysis } from '../model/profiling-result.js';
import type { Action, Recommendation } from '../model/recommendation.js';
import type { Subject } from '../model/subject.js';
import type { ProfileType } from '../model/types.js';
import { CODE_ADVICE } from './advice.js';
import { proposeExperiments, type ExperimentSignals } from './experiments.js';

export type RecommendationDraft = Omit<Recommendation, 'schemaVersion' | 'id' | 'createdAt'>;

export interface RecommendationContext extends ExperimentSignals {
  readonly resultId: string;
  readonly type: ProfileType;
  /** What the service registered with its optimizer. */
  readonly subjects: readonly Subject[];
  /** What the host or its container has, in bytes. */
  readonly memoryBytes: number;
}

/**
 * Recommendations in the order of the findings, those that the optimizer can carry out before changes by hand; proposed
 * experiments last.
 *
 * @example
 * const { metrics } = signals;
 * recommend(analysis, { resultId: 'result-…', type: 'cpu', subjects: [], metrics, memoryBytes: totalmem() })[0].action;
 */
export function recommend(analysis: Analysis, context: RecommendationContext): RecommendationDraft[] {
  const answers = analysis.findings.flatMap((finding) =>
    actionsFor(finding, context).map(({ action, title }) => ({
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
  const experiments = proposeExperiments(analysis.findings, context).map((proposed): RecommendationDraft => ({
    resultId: context.resultId,
    ...proposed,
    severity: 'info',
    confidence: 0,
  }));
  return [...answers, ...experiments];
}

interface Advised {
  readonly action: Action;
  readonly title: string;
}

function actionsFor(finding: Finding, context: RecommendationContext): Advised[] {
  return [
    ...subjectActions(finding, context.subjects),
    ...startActions(finding, context),
    ...codeActions(finding),
  ];
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
    case 'worker-oversubscription':
    case 'lock-contention':
      return subjects.filter(({ kind }) => kind === 'job').flatMap((subject) => computationAction(subject));
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

/** libuv's own limit, and its default (`uv_queue_work`, libuv's documentation of the thread pool). */
const [MOST_POOL_THREADS, POOL_THREADS] = [1024, 4];
const MIB = 2 ** 20;
/** Of the memory that there is, what V8's heap may have: the rest is for buffers, code, stacks and the system. */
const HEAP_PART = 0.75;
/** A limit that rises by less puts the same end off for a moment. */
const LEAST_RISE = 1.25;

/** What can be tried by starting the program otherwise; nothing here says that it helps. */
function startActions({ cause }: Finding, { metrics, memoryBytes }: RecommendationContext): Advised[] {
  switch (cause) {
    case 'allocation-churn':
      return [
        {
          title: 'Try a larger young generation, so that garbage dies before it is copied',
          action: { kind: 'runtime-flag', flag: '--max-semi-space-size=64' },
        },
      ];
    case 'heap-near-limit': {
      const limit = metricValue(metrics['heap.limit']);
      if (limit === undefined) return [];
      const raised = Math.min(limit * 2, memoryBytes * HEAP_PART);
      if (raised < limit * LEAST_RISE) return [];
      return [
        {
          title: 'Try a higher limit of the heap, where what it holds is needed',
          action: { kind: 'runtime-flag', flag: `--max-old-space-size=${Math.floor(raised / MIB)}` },
        },
      ];
    }
    case 'threadpool-saturation': {
      const threads = metricValue(metrics['pool.threads']) ?? POOL_THREADS;
      if (threads >= MOST_POOL_THREADS) return [];
      const value = String(Math.min(threads * 2, MOST_POOL_THREADS));
      return [
        {
          title: 'Try more threads in libuv’s pool, where what they wait for is no CPU',
          action: { kind: 'environment', variable: 'UV_THREADPOOL_SIZE', value },
        },
      ];
    }
    default:
      return [];
  }
}

function codeActions(finding: Finding): Advised[] {
  const advice = CODE_ADVICE[finding.cause];
  if (advice === undefined) return [];
  const { location } = finding;
  const where = location === undefined ? '' : `${location.function} (${location.file}:${location.line}): `;
  return [{ title: `${where}${advice.summary}`, action: { kind: 'code-change', ...advice } }];
}
