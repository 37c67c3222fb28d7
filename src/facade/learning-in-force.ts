/**
 * The learning that an optimizer owns: each watches a registered computation, is told what its latest stored profile
 * measured, and what it changes is stored: in config.json, which this host's next process starts with, and in wisdom.json.
 */
import type { ChoicesInForce } from './choices-in-force.js';
import type { Computation } from '../computation/computation.js';
import type { LearningOptions, OnlineLearning } from '../computation/online-learning.js';
import type { Wisdom } from '../computation/wisdom.js';
import { fail } from '../errors.js';
import { requireOptions } from '../options.js';
import { hostFingerprint } from '../host/environment.js';
import type { ComputationChoice } from '../model/choice.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { ComputationSettings } from '../settings/computation.js';
import type { Store } from '../storage/store.js';

/** As for `keepLearning`; `choices` are those of the latest stored profile where they are not given. */
export type KeepLearningOptions = Omit<LearningOptions, 'choices'> &
  Partial<Pick<LearningOptions, 'choices'>>;

export class LearningInForce {
  readonly #store: Store;
  readonly #choices: ChoicesInForce;
  readonly #onProblem: (message: string) => void;
  readonly #running = new Set<OnlineLearning>();
  /** Changes are stored one after the other: the last one has to stand. */
  #stored: Promise<void> = Promise.resolve();

  /** @param onProblem told what could not be stored; the choice is in force all the same. */
  constructor(store: Store, choices: ChoicesInForce, onProblem: (message: string) => void) {
    this.#store = store;
    this.#choices = choices;
    this.#onProblem = onProblem;
  }

  /** @throws INVALID_ARGUMENT where nothing was measured for it on this host, or for another objective, or it is watched already. */
  async keep(computation: Computation, options: KeepLearningOptions): Promise<OnlineLearning> {
    requireOptions('options of keepLearning', options);
    const [{ keepLearning }, profile] = await Promise.all([
      import('../computation/online-learning.js'),
      this.#latest(computation.name),
    ]);
    refuseOtherObjective(profile);
    const choices = options.choices ?? measuredBy(profile);
    const learning = keepLearning(computation, { ...options, choices });
    learning.on('choice', ({ choice }) => {
      this.#stored = this.#stored.then(() => this.#keepChoice(computation, choice, profile.id));
    });
    this.#running.add(learning);
    return learning;
  }

  /** Adds what is in force for a computation to wisdom.json. Never throws: the choice itself is stored elsewhere. */
  async keepWisdom(computation: Computation): Promise<void> {
    try {
      const { exportWisdom } = await import('../computation/wisdom.js');
      await this.#store.changeWisdom((earlier) => exportWisdom([computation], earlier as Wisdom | undefined));
    } catch (error) {
      this.#onProblem(`The wisdom of "${computation.name}" could not be stored: ${String(error)}`);
    }
  }

  /** Ends all and waits until what they changed is stored. */
  async close(): Promise<void> {
    for (const learning of this.#running) learning.close();
    this.#running.clear();
    await this.#stored;
  }

  async #keepChoice(computation: Computation, choice: ComputationChoice, profileId: string): Promise<void> {
    try {
      await this.#choices.learnt(computation, choice, profileId);
    } catch (error) {
      this.#onProblem(
        `What "${computation.name}" learnt is in force and could not be stored: ${String(error)}`,
      );
    }
    await this.keepWisdom(computation);
  }

  /** The newest profile of the computation that was measured on this host. */
  async #latest(name: string): Promise<OptimizationProfile> {
    const hostId = hostFingerprint().id;
    for (const { id, subject } of this.#store.list({ kind: 'profile', type: 'computation' })) {
      if (subject?.name !== name) continue;
      const profile = await this.#store.getProfile(id);
      if (profile.environment.host.id === hostId && measuredBy(profile).length > 0) return profile;
    }
    throw fail('INVALID_ARGUMENT', {
      name: 'subject',
      actual: `"${name}", for which nothing is stored that was measured on this host`,
      expected: 'a computation that optimizeComputation() has raced on this host, with this storagePath',
    });
  }
}

/** Learning compares times: a choice that was made by anything else it would undo. @throws INVALID_ARGUMENT */
function refuseOtherObjective({ settings, subject }: OptimizationProfile): void {
  const { resourceUtilization } = settings as Partial<ComputationSettings>;
  const objective = resourceUtilization?.objective ?? 'time';
  if (objective === 'time') return;
  throw fail('INVALID_ARGUMENT', {
    name: 'subject',
    actual: `"${subject.name}", whose latest profile has the objective ${objective}`,
    expected: 'a computation that was raced for the objective time: learning compares times',
  });
}

/** What was measured at each size, as the plan of a profile keeps it. */
function measuredBy({ plan }: OptimizationProfile): LearningOptions['choices'] {
  const sizes = plan['sizes'] as LearningOptions['choices'] | undefined;
  return (sizes ?? []).filter(({ standings }) => standings.length > 0);
}
