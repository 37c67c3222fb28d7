/**
 * A workload is the user's own measure of what matters: the work that a gain must show in. Rooms that optimise
 * run it once with the present state of a subject and once with the candidate's, and compare.
 */
import { describe, fail } from '../errors.js';
import type { Subject } from '../model/subject.js';
import type { ModuleSubject } from './subject.js';

/** What a workload's setup receives: the subject in the configuration that is being measured. */
export type WorkloadSetup = (subject: unknown) => (() => unknown) | Promise<() => unknown>;

interface WorkloadBase {
  readonly name: string;
  /** Name of the registered subject that it exercises; any subject of the optimisation's kind otherwise. */
  readonly subject?: string;
}

export type WorkloadOptions =
  | (WorkloadBase & { readonly setup: WorkloadSetup })
  | (WorkloadBase & { readonly module: string | URL; readonly export: string });

export interface Workload extends Subject {
  readonly kind: 'workload';
  readonly subject: string | undefined;
  /** The setup, where it is a function of this process. */
  readonly setup: WorkloadSetup | undefined;
  /** The setup, where fresh processes can load it: a factory for `compare`, still without its argument. */
  readonly source: (Pick<ModuleSubject, 'module' | 'export'> & { readonly factory: true }) | undefined;
}

/**
 * Describes a workload to register with an optimizer.
 *
 * @throws INVALID_ARGUMENT
 * @example
 * optimizer.register(
 *   workload({
 *     name: 'scan prices',
 *     subject: 'Order',
 *     setup: (Order) => {
 *       const orders = Order.array(10_000);
 *       return () => totalPrice(orders);
 *     },
 *   }),
 * );
 */
export function workload(options: WorkloadOptions): Workload {
  const given = options as Partial<Record<'name' | 'subject' | 'setup' | 'module' | 'export', unknown>>;
  const need = (name: string, valid: boolean, actual: unknown, expected: string) => {
    if (!valid) throw fail('INVALID_ARGUMENT', { name, actual: describe(actual), expected });
  };
  const isText = (value: unknown) => typeof value === 'string' && value !== '';
  need('options', typeof options === 'object' && options !== null, options, 'an object');
  need('options.name', isText(given.name), given.name, 'a name');
  need(
    'options.subject',
    given.subject === undefined || isText(given.subject),
    given.subject,
    'the name of a subject, or nothing',
  );
  const base = { kind: 'workload', name: options.name, subject: options.subject } as const;
  if ('setup' in options) {
    need('options.setup', typeof options.setup === 'function', options.setup, 'a function');
    need('options', given.module === undefined, 'an object with setup and module', 'one of the two');
    return { ...base, setup: options.setup, source: undefined };
  }
  need('options.module', isText(given.module) || given.module instanceof URL, given.module, 'a path or URL');
  need('options.export', isText(given.export), given.export, 'the name of an export');
  return {
    ...base,
    setup: undefined,
    source: { module: options.module, export: options.export, factory: true },
  };
}
