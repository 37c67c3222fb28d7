/**
 * Carries a proposed experiment out with the module that the user made of its template, and keeps what it came to: the
 * comparison, as one that a person made, and the outcome with the recommendation. Nothing is put in force by it.
 */
import { testCause, type ExperimentOutcome, type ExperimentSubject } from './cause-experiment.js';
import { describe, fail } from '../errors.js';
import type { Comparison, StoredComparison } from '../model/comparison.js';
import type { Recommendation } from '../model/recommendation.js';
import type { Store } from '../storage/store.js';
import type { CompareOptions } from '../validation/options.js';

/** What an experiment came to, and under which id its comparison is stored. */
export interface CarriedOutExperiment extends ExperimentOutcome {
  readonly comparisonId: string;
}

export interface ExperimentHost {
  readonly store: Store;
  readonly keepComparison: (name: string, comparison: Comparison) => Promise<StoredComparison>;
}

/** @throws INVALID_ARGUMENT for a document that proposes no experiment; what `testCause` throws; StorageError. */
export async function carryOutExperiment(
  document: unknown,
  subject: ExperimentSubject,
  options: CompareOptions,
  { store, keepComparison }: ExperimentHost,
): Promise<CarriedOutExperiment> {
  const recommendation = proposalIn(document);
  const { cause } = recommendation.action;
  const outcome = await testCause(cause, subject, options);
  const { comparison, status } = outcome;
  const { id: comparisonId } = await keepComparison(`${cause} in ${subject.export}`, comparison);
  await store.saveRecommendation({
    ...recommendation,
    outcome: {
      status,
      comparisonId,
      appliedAt: new Date().toISOString(),
      ratio: comparison.ratio,
      ...(comparison.interval && { interval: comparison.interval }),
    },
  });
  return { ...outcome, comparisonId };
}

type Proposal = Recommendation & {
  readonly action: Extract<Recommendation['action'], { kind: 'experiment' }>;
};

function proposalIn(document: unknown): Proposal {
  if (isProposal(document)) return document;
  const id = (document as { id?: unknown } | null | undefined)?.id;
  throw fail('INVALID_ARGUMENT', {
    name: 'what',
    actual: typeof id === 'string' ? `${id}, which proposes no experiment` : describe(document),
    expected: 'a recommendation whose action is an experiment, or its id; anything else without a module',
  });
}

function isProposal(document: unknown): document is Proposal {
  return (document as Partial<Recommendation> | null | undefined)?.action?.kind === 'experiment';
}
