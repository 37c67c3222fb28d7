/**
 * Carries out what a recommendation asks for: an optimisation of a subject that lives here, or the choice that the
 * subject's own process measured last. What came of it is kept with the recommendation.
 */
import { describe, fail } from '../errors.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { Recommendation } from '../model/recommendation.js';
import type { Subject } from '../model/subject.js';
import type { MemorySettingsInput } from '../settings/memory.js';
import type { Store } from '../storage/store.js';
import type { SubjectRegistry } from './subject-registry.js';

type OnSubject = { readonly subject?: string };

/** What carrying out needs of its optimizer. */
export interface ActionHost {
  readonly store: Store;
  readonly subjects: SubjectRegistry;
  optimizeMemory(settings: MemorySettingsInput & OnSubject): Promise<OptimizationProfile>;
  optimizeComputation(settings: OnSubject): Promise<OptimizationProfile>;
  optimizeThreads(settings: OnSubject): Promise<OptimizationProfile>;
  enforce(profile: OptimizationProfile): Promise<OptimizationProfile>;
}

/**
 * Carries out what `SystemOptimizer.apply` is given without a module: a recommendation, or an optimisation profile whose
 * choice is put in force again. The parameter is what a caller without types may pass: `recommendations[0]` of a healthy
 * service is undefined.
 *
 * @throws INVALID_ARGUMENT for anything else; UNKNOWN_ID; as `carryOut`.
 */
export async function applyStored(what: unknown, host: ActionHost): Promise<OptimizationProfile> {
  const document: unknown = typeof what === 'string' ? await host.store.get(what) : what;
  if (isDocument(document) && 'action' in document) {
    const recommendation = document as Recommendation;
    const profile = await carryOut(recommendation, host);
    await host.store.saveRecommendation(withOutcome(recommendation, profile));
    return profile;
  }
  if (isDocument(document) && 'choice' in document) return host.enforce(document as OptimizationProfile);
  throw fail('INVALID_ARGUMENT', {
    name: 'what',
    actual: describe(what),
    expected: 'a recommendation, its id, or the id of an optimisation profile',
  });
}

function isDocument(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The recommendation with what became of it, as it is stored. */
export function withOutcome(recommendation: Recommendation, profile: OptimizationProfile): Recommendation {
  const { validation } = profile;
  return {
    ...recommendation,
    outcome: {
      status: profile.status,
      profileId: profile.id,
      appliedAt: new Date().toISOString(),
      ...(validation && { ratio: validation.ratio }),
      ...(validation?.interval && { interval: validation.interval }),
    },
  };
}

/** @throws NOTHING_TO_APPLY for a change that a person must make; SUBJECT_NOT_HERE; EXPERIMENT_WITHOUT_MODULE. */
async function carryOut(
  { id, action, title, location }: Recommendation,
  host: ActionHost,
): Promise<OptimizationProfile> {
  switch (action.kind) {
    case 'code-change':
      throw fail('NOTHING_TO_APPLY', { title, remedy: action.summary });
    case 'runtime-flag':
    case 'environment':
      throw fail('SUBJECT_NOT_HERE', {
        subject: `A Node process to start with ${action.kind === 'environment' ? `${action.variable}=${action.value}` : action.flag}`,
        remedy: `measure it with: sysopt optimize --recommendation ${id} --url URL -- node app.js`,
      });
    case 'experiment':
      throw fail('EXPERIMENT_WITHOUT_MODULE', {
        cause: action.cause,
        of: location?.function ?? action.export,
        id,
        name: action.export,
      });
    case 'optimize-memory':
      return onSubject(host, action.subject, ['struct', 'pool'], (subject) =>
        host.optimizeMemory({ ...action.settings, ...subject }),
      );
    case 'optimize-computation':
      return onSubject(host, action.subject, ['computation'], (subject) => host.optimizeComputation(subject));
    case 'optimize-threads':
      return onSubject(host, action.subject, ['job'], (subject) => host.optimizeThreads(subject));
  }
}

/** Runs an optimisation if its subject lives here; else puts in force what its own process measured last. */
async function onSubject(
  host: ActionHost,
  name: string | undefined,
  kinds: Subject['kind'][],
  optimise: (settings: OnSubject) => Promise<OptimizationProfile>,
): Promise<OptimizationProfile> {
  if (name === undefined) return optimise({});
  if (host.subjects.ofKind(...kinds).some((subject) => subject.name === name))
    return optimise({ subject: name });
  const measured = host.store
    .list({ kind: 'profile', status: 'applied' })
    .find(
      ({ subject }) =>
        subject !== undefined && kinds.includes(subject.kind as Subject['kind']) && subject.name === name,
    );
  if (measured) return host.enforce(await host.store.getProfile(measured.id));
  throw fail('SUBJECT_NOT_HERE', {
    subject: `${kinds.join(' or ')} "${name}"`,
    remedy: 'run `sysopt optimize --subjects FILE` with the module that exports it.',
  });
}
