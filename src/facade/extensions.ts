/**
 * What a service adds to its optimizer's profiles: rules and samplers of its own, by name. They are checked here, where
 * their author sees the error, and guarded where they run, so that a faulty one costs its own figures and nothing else.
 * The rejected alternative, options of each `profileSystem` call, leaves out the profiles that nobody calls for.
 */
import { describe, fail } from '../errors.js';
import type { Rule } from '../analysis/rule.js';
import { CAUSES } from '../model/finding.js';
import { checkedSampler } from '../profiling/custom-sampler.js';
import type { Sampler } from '../profiling/sampler.js';

const SAMPLER_METHODS = { start: true, stop: true, tick: false, late: false, release: false } as const;

export class Extensions {
  readonly #rules = new Map<string, Rule>();
  readonly #samplers = new Map<string, Sampler>();

  /** In the order in which they were added. */
  get rules(): readonly Rule[] {
    return [...this.#rules.values()];
  }

  /** As `rules`; each guarded, see custom-sampler.ts. */
  get samplers(): readonly Sampler[] {
    return [...this.#samplers.values()];
  }

  /** @returns takes it away again. @throws INVALID_ARGUMENT; DUPLICATE_NAME. */
  addRule(rule: Rule): () => void {
    const given = shapeOf('rule', rule);
    if (!(CAUSES as readonly unknown[]).includes(given['cause'])) {
      throw wrong(
        'rule.cause',
        given['cause'],
        `one of CAUSES; what is finer goes into the finding's detail`,
      );
    }
    if (typeof given['evaluate'] !== 'function')
      throw wrong('rule.evaluate', given['evaluate'], 'a function');
    return add(this.#rules, 'rule', nameOf('rule', given['name'] ?? rule.cause), rule);
  }

  /** @returns takes it away again: from the next profile on. @throws INVALID_ARGUMENT; DUPLICATE_NAME. */
  addSampler(sampler: Sampler): () => void {
    const given = shapeOf('sampler', sampler);
    const name = nameOf('sampler', given['name']);
    for (const [method, isRequired] of Object.entries(SAMPLER_METHODS)) {
      const value = given[method];
      if (typeof value === 'function' || (value === undefined && !isRequired)) continue;
      throw wrong(`sampler.${method}`, value, isRequired ? 'a function' : 'a function, or leave it out');
    }
    return add(this.#samplers, 'sampler', name, checkedSampler(sampler));
  }
}

function add<T>(all: Map<string, T>, kind: string, name: string, extension: T): () => void {
  if (all.has(name)) throw fail('DUPLICATE_NAME', { kind, name });
  all.set(name, extension);
  let isThere = true;
  return () => {
    // Called again it must not take away a later one of that name.
    if (isThere) all.delete(name);
    isThere = false;
  };
}

function shapeOf(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw wrong(name, value, `an object with the methods of a ${name}`);
}

function nameOf(kind: string, name: unknown): string {
  if (typeof name === 'string' && name.trim() !== '') return name;
  throw wrong(`${kind}.name`, name, 'a text that is not empty');
}

function wrong(name: string, value: unknown, expected: string): Error {
  return fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
}
