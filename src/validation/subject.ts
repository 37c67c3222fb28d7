/** What can be compared, and what each form of it must look like. */
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, fail } from '../errors.js';

/** Anything that `compare` takes as one side. Both sides must be of one kind. */
export type ComparisonSubject = (() => unknown) | ModuleSubject | CommandSubject | ServiceSubject;

/**
 * An export of a module: the strong form, because fresh processes can load it.
 *
 * The function is called again and again with the same `args`; what it changes in them stays changed. With
 * `factory`, the export is called once per process and returns (or resolves to) the function to time, so that
 * data can be prepared outside the timing.
 */
export interface ModuleSubject {
  /** Absolute path, file URL, or path relative to the working directory. */
  readonly module: string | URL;
  readonly export: string;
  /** Structured-clonable. Each side gets its own copy. */
  readonly args?: readonly unknown[];
  readonly factory?: boolean;
  /** Name in results; `export` (and the file's name where both exports are called the same) otherwise. */
  readonly label?: string;
}

/** A program that does its work and ends. Its whole run is what is measured. */
export interface CommandSubject {
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly label?: string;
}

/** A program that answers HTTP at `url` until it is stopped. */
export interface ServiceSubject {
  readonly service: readonly string[];
  readonly url: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How long it may take to answer for the first time. 15 s by default. */
  readonly readyTimeoutMs?: number;
  readonly label?: string;
}

/** A module subject with its module resolved to a URL. */
export interface ResolvedModule {
  readonly url: string;
  readonly export: string;
  readonly args: readonly unknown[];
  readonly factory: boolean;
  readonly label: string;
}

/** Both sides of a comparison, of one kind. */
export type SubjectPair =
  | { readonly kind: 'function'; readonly subjects: readonly [() => unknown, () => unknown] }
  | { readonly kind: 'module'; readonly subjects: readonly [ModuleSubject, ModuleSubject] }
  | { readonly kind: 'command'; readonly subjects: readonly [CommandSubject, CommandSubject] }
  | { readonly kind: 'service'; readonly subjects: readonly [ServiceSubject, ServiceSubject] };

type Kind = SubjectPair['kind'];

function kindOf(subject: ComparisonSubject, name: string): Kind {
  if (typeof subject === 'function') return 'function';
  if (typeof subject === 'object' && subject !== null) {
    if ('module' in subject) return 'module';
    if ('command' in subject) return 'command';
    if ('service' in subject) return 'service';
  }
  throw fail('INVALID_ARGUMENT', {
    name,
    actual: describe(subject),
    expected: 'a function, { module, export }, { command } or { service, url }',
  });
}

/**
 * Checks both sides and that they are of one kind.
 *
 * @throws INVALID_ARGUMENT
 */
export function pairOf(baseline: ComparisonSubject, candidate: ComparisonSubject): SubjectPair {
  const kind = kindOf(baseline, 'baseline');
  const other = kindOf(candidate, 'candidate');
  if (kind !== other) {
    throw fail('INVALID_ARGUMENT', {
      name: 'candidate',
      actual: `a ${other} where the baseline is a ${kind}`,
      expected: 'two subjects of one kind',
    });
  }
  for (const [name, subject] of [
    ['baseline', baseline],
    ['candidate', candidate],
  ] as const) {
    checkFields(name, kind, subject);
  }
  return { kind, subjects: [baseline, candidate] } as unknown as SubjectPair;
}

function checkFields(name: string, kind: Kind, subject: ComparisonSubject): void {
  if (kind === 'function') return;
  const field = (key: string, expected: string, valid: (value: unknown) => boolean) => {
    const value = (subject as unknown as Record<string, unknown>)[key];
    if (valid(value)) return;
    throw fail('INVALID_ARGUMENT', { name: `${name}.${key}`, actual: describe(value), expected });
  };
  const text = (value: unknown) => typeof value === 'string' && value !== '';
  const optional = (valid: (value: unknown) => boolean) => (value: unknown) =>
    value === undefined || valid(value);
  field('label', 'a text', optional(text));
  if (kind === 'module') {
    field('module', 'a path or file URL', (value) => text(value) || value instanceof URL);
    field('export', 'the name of an export', text);
    field('args', 'an array', optional(Array.isArray));
    field(
      'factory',
      'true or false',
      optional((value) => typeof value === 'boolean'),
    );
    return;
  }
  field(
    kind,
    'an array of a program and its arguments',
    (value) => Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string'),
  );
  field('cwd', 'a directory', optional(text));
  if (kind === 'service') {
    field(
      'url',
      'an http or https URL',
      (value) =>
        typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
    );
  }
}

/** Resolves a module subject against the working directory. Does not look whether the file exists. */
export function resolveModule(subject: ModuleSubject, label: string): ResolvedModule {
  const { module } = subject;
  const isUrl = module instanceof URL || /^(file|data|node):/.test(module);
  const url = isUrl ? String(module) : pathToFileURL(isAbsolute(module) ? module : resolve(module)).href;
  return {
    url,
    export: subject.export,
    args: subject.args ?? [],
    factory: subject.factory ?? false,
    label,
  };
}

/** Names of both sides for results and messages; never equal. */
export function labelsOf(pair: SubjectPair): readonly [string, string] {
  const [first, second] = pair.subjects.map(labelOf) as [string, string];
  if (first !== second) return [first, second];
  if (pair.kind === 'module') {
    const [a, b] = pair.subjects.map((subject) => `${fileOf(subject)}#${labelOf(subject)}`) as [
      string,
      string,
    ];
    if (a !== b) return [a, b];
  }
  return [`${first} (baseline)`, `${second} (candidate)`];
}

function labelOf(subject: ComparisonSubject): string {
  if (typeof subject === 'function') return subject.name || 'function';
  if (subject.label !== undefined) return subject.label;
  if ('module' in subject) return subject.export;
  return ('command' in subject ? subject.command : subject.service).join(' ');
}

function fileOf(subject: ModuleSubject): string {
  const { module } = subject;
  const path = module instanceof URL || module.startsWith('file:') ? fileURLToPath(module) : module;
  return path.split(/[\\/]/).at(-1)!;
}
