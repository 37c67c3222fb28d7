/** The subjects that a service registered with one optimizer, by kind and name. */
import { describe, fail } from '../errors.js';
import type { Choice } from '../model/choice.js';
import { subjectKey, type Subject } from '../model/subject.js';

const KINDS: readonly Subject['kind'][] = ['struct', 'pool', 'computation', 'job', 'workload'];

export class SubjectRegistry {
  readonly #subjects = new Map<string, Subject>();

  /** @throws INVALID_ARGUMENT for what is no subject; DUPLICATE_NAME for a second one of that kind and name. */
  add(subject: Subject): void {
    this.#check(subject);
    const present = this.#subjects.get(subjectKey(subject));
    if (present && present !== subject)
      throw fail('DUPLICATE_NAME', { kind: subject.kind, name: subject.name });
    this.#subjects.set(subjectKey(subject), subject);
  }

  /** As `add`, but takes the place of another of that kind and name. True where the subject was not there before. */
  put(subject: Subject): boolean {
    this.#check(subject);
    const isNew = this.#subjects.get(subjectKey(subject)) !== subject;
    this.#subjects.set(subjectKey(subject), subject);
    return isNew;
  }

  #check(subject: Subject): void {
    const candidate = subject as Partial<Subject> | null | undefined;
    if (
      !candidate ||
      !KINDS.includes(candidate.kind!) ||
      typeof candidate.name !== 'string' ||
      candidate.name === ''
    ) {
      throw fail('INVALID_ARGUMENT', {
        name: 'subject',
        actual: describe(subject),
        expected: 'a named struct type, pool, computation, job or workload',
      });
    }
  }

  get(key: string): Subject | undefined {
    return this.#subjects.get(key);
  }

  ofKind<K extends Subject['kind']>(...kinds: K[]): Subject[] {
    return [...this.#subjects.values()].filter((subject) => (kinds as string[]).includes(subject.kind));
  }

  all(): Subject[] {
    return [...this.#subjects.values()];
  }

  /** Subjects of some kinds, or the one that is named. @throws SUBJECT_NOT_HERE if the named one is not registered. */
  select(kinds: Subject['kind'][], name: string | undefined): Subject[] {
    const candidates = this.ofKind(...kinds);
    if (name === undefined) return candidates;
    const named = candidates.filter((subject) => subject.name === name || subjectKey(subject) === name);
    if (named.length > 0) return named;
    const known = candidates.map((subject) => subject.name).join(', ') || 'none';
    throw fail('SUBJECT_NOT_HERE', {
      subject: `${kinds.join(' or ')} "${name}"`,
      remedy: `name one that is registered here (${known}).`,
    });
  }

  /** Puts a choice in force; false where no such subject lives here. */
  apply(key: string, choice: Choice): boolean {
    const subject = this.#subjects.get(key);
    if (!subject?.applyChoice) return false;
    subject.applyChoice(choice);
    return true;
  }
}
