/**
 * What is in force for an optimizer's subjects: loaded from config.json at the start, changed by what wins, and
 * written back so that the service finds it in its next process.
 */
import { fail, OptimizerError } from '../errors.js';
import { measuredHere } from '../host/environment.js';
import { differenceBetween } from '../host/measured-on.js';
import type { Choice, MemoryChoice } from '../model/choice.js';
import type { MeasuredOn } from '../model/config.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import { subjectKey, type Subject } from '../model/subject.js';
import type { Store } from '../storage/store.js';
import type { SubjectRegistry } from './subject-registry.js';

export class ChoicesInForce {
  readonly #store: Store;
  readonly #subjects: SubjectRegistry;
  readonly #bySubject = new Map<string, Choice>();
  #memoryDefaults: MemoryChoice | undefined;

  /**
   * Takes over what was measured here; a choice from another host, Node or version of this package is no evidence. An
   * upgrade that sets choices aside is told, as is an unreadable configuration: neither may stop a service.
   */
  constructor(store: Store, subjects: SubjectRegistry) {
    this.#store = store;
    this.#subjects = subjects;
    withWarning('Stored choices are not used', () => {
      const config = store.config();
      if (!config) return;
      const here = measuredHere();
      if (differenceBetween(config, here) === null) this.#memoryDefaults = config.defaults.memory;
      const aside: string[] = [];
      for (const [key, stored] of Object.entries(config.subjects)) {
        const difference = differenceBetween(stored, here);
        if (difference === null) this.#bySubject.set(key, stored.choice);
        else if (stored.hostId === here.hostId) aside.push(`${key} (${difference})`);
      }
      if (aside.length > 0)
        warn(`Not used until measured again, with Node ${here.node}: ${aside.join(', ')}`);
    });
  }

  /** Default of structs and pools without a choice of their own; undefined before one was measured. */
  get memoryDefaults(): MemoryChoice | undefined {
    return this.#memoryDefaults;
  }

  /** Puts a stored choice in force. One that no longer fits the subject (a variant is gone) is left out, aloud. */
  recall(subject: Subject): void {
    const choice = this.#bySubject.get(subjectKey(subject));
    if (!choice) return;
    withWarning(`The stored choice for ${subjectKey(subject)} is not used`, () =>
      subject.applyChoice?.(choice),
    );
  }

  /**
   * Puts what a stored profile won in force: on the subject if it lives here, and in config.json for every process.
   *
   * @throws NOTHING_TO_APPLY for a profile that won nothing; StorageError.
   */
  async enforce(profile: OptimizationProfile): Promise<void> {
    const { choice, subject } = profile;
    if (choice) this.#subjects.apply(`${subject.kind}:${subject.name}`, choice);
    await this.record(profile);
  }

  /** Adds Node flags that were measured to help to config.json, for whoever starts the service. */
  async addRuntimeFlags(flags: readonly string[]): Promise<void> {
    if (flags.length > 0) await this.#store.addRuntimeFlags(flags);
  }

  /** The second half of `enforce`, for a profile whose optimiser has changed the subject already. */
  async record(profile: OptimizationProfile): Promise<void> {
    const { choice, subject } = profile;
    if (profile.status !== 'applied' || !choice) {
      throw fail('NOTHING_TO_APPLY', {
        title: `${profile.id} (${profile.status})`,
        remedy: 'Only a profile whose candidate won can be put in force.',
      });
    }
    if (subject.kind === 'reference') {
      if (choice.kind !== 'memory') return;
      this.#memoryDefaults = choice;
      await this.#store.setMemoryDefaults(choice);
      return;
    }
    const { host, node, libraryVersion: library } = profile.environment;
    await this.#keep(`${subject.kind}:${subject.name}`, choice, profile.id, {
      hostId: host.id,
      node,
      library,
    });
  }

  /**
   * Records what a subject learnt after a profile, in place of that profile's own choice. @throws StorageError.
   *
   * @param profileId of the profile that it goes on from.
   */
  async learnt(subject: Subject, choice: Choice, profileId: string): Promise<void> {
    await this.#keep(subjectKey(subject), choice, profileId, measuredHere());
  }

  async #keep(key: string, choice: Choice, profileId: string, where: MeasuredOn): Promise<void> {
    this.#bySubject.set(key, choice);
    await this.#store.setChoice(key, { choice, profileId, appliedAt: new Date().toISOString(), ...where });
  }
}

/** Reports an error of ours as a process warning; anything else is a defect and passes. */
function withWarning(what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
    warn(`${what}: ${error.message}`, error.code);
  }
}

function warn(message: string, code?: string): void {
  process.emitWarning(message, { type: 'SystemOptimizerWarning', ...(code !== undefined && { code }) });
}
