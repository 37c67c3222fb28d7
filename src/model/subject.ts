import type { Choice } from './choice.js';

/**
 * What a service registers with its optimizer. Each room defines its own class; this is all that the facade
 * needs to know of it.
 */
export interface Subject {
  readonly kind: 'struct' | 'pool' | 'computation' | 'job' | 'workload';
  /** Unique per kind within an optimizer; the key of stored choices is `<kind>:<name>`. */
  readonly name: string;
  /** Puts a stored or freshly measured choice in force. Throws InvalidArgumentError for a choice of another kind. */
  applyChoice?(choice: Choice): void;
}

/** Key of a subject in config.json. */
export function subjectKey(subject: Pick<Subject, 'kind' | 'name'>): string {
  return `${subject.kind}:${subject.name}`;
}
