/**
 * One optimisation after the other: each subject's outcome is kept as soon as it is known, and the caller gets the one
 * with the greatest gain.
 */
import { fail, OptimizerError } from '../errors.js';
import { captureEnvironment } from '../host/environment.js';
import type { OptimizationContext, OptimizationDraft } from '../model/context.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { Subject } from '../model/subject.js';
import { SCHEMA_VERSION, type OptimizationType } from '../model/types.js';
import { newId } from '../storage/ids.js';

/** What optimising one subject led to: what is stored (`draft`), and what only the caller gets (a dispatcher). */
export type Outcome<P extends object> = { readonly draft: OptimizationDraft } & P;

export interface OptimizationRun extends Omit<OptimizationContext, 'environment'> {
  /** Stores an outcome, puts a win in force and tells of it. */
  readonly keep: (profile: OptimizationProfile, subject: Subject | undefined) => Promise<void>;
}

/** Optimises each subject in turn; one `undefined` stands for the reference. */
export async function optimizeEach<S extends Subject, P extends object>(
  type: OptimizationType,
  subjects: readonly S[],
  optimise: (subject: S | undefined, context: OptimizationContext) => Promise<Outcome<P>>,
  { keep, ...run }: OptimizationRun,
): Promise<OptimizationProfile & P> {
  const outcomes: { profile: OptimizationProfile; product: Omit<Outcome<P>, 'draft'> }[] = [];
  for (const subject of subjects.length > 0 ? subjects : [undefined]) {
    throwIfAborted(run.signal);
    const startedAt = performance.now();
    const environment = captureEnvironment();
    const { draft, ...product } = await optimise(subject, { ...run, environment });
    const profile: OptimizationProfile = {
      schemaVersion: SCHEMA_VERSION,
      id: await newId(type),
      createdAt: new Date().toISOString(),
      elapsedMs: performance.now() - startedAt,
      environment,
      ...draft,
    };
    // Kept one by one: what was found for one subject must not be lost when a later one fails.
    await keep(profile, subject);
    outcomes.push({ profile, product });
  }
  const best = outcomes.reduce((a, b) => (gainOf(b.profile) < gainOf(a.profile) ? b : a));
  const others = outcomes.filter((outcome) => outcome !== best).map(({ profile }) => profile.id);
  return {
    ...best.profile,
    ...best.product,
    ...(others.length > 0 && { others }),
  } as unknown as OptimizationProfile & P;
}

/** As the rooms throw it, whatever the caller aborted with: `AbortSignal.timeout` has an error of Node's own. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  const reason: unknown = signal.reason;
  throw reason instanceof OptimizerError
    ? reason
    : fail('ABORTED', { what: 'The optimisation' }, { cause: reason });
}

/** Cost ratio of what was applied; 1 for everything else. */
function gainOf({ status, validation }: OptimizationProfile): number {
  return status === 'applied' && validation ? validation.ratio : 1;
}
