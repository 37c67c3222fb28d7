/**
 * Benchmarks as data: a case is named variants of one task, with a shared setup. A file exports one case or an
 * array of them as its default export; nothing runs when it is imported.
 */
import { pathToFileURL } from 'node:url';
import { describe, fail } from '../errors.js';

/** A variant gets what the setup returned and does the task once. */
export type BenchVariant<Context = unknown> = (context: Context) => unknown;

export interface BenchCase<Context = unknown> {
  readonly name: string;
  /** Called once in each process for each side; may return a promise. Not timed. */
  readonly setup?: () => Context | Promise<Context>;
  /** Two or more. A variant that does more than one thing at once gives the time of all of them. */
  readonly variants: Readonly<Record<string, BenchVariant<Context>>>;
  /** The variant that others are compared with; the first by default. */
  readonly baseline?: string;
  /**
   * Whether two results agree. Deep equality by default; false where results cannot agree (handles, buffers
   * with arbitrary contents).
   */
  readonly equal?: false | ((baseline: unknown, candidate: unknown) => boolean);
}

/** A case with its place, and its defaults filled in. */
export interface LoadedCase {
  readonly file: string;
  readonly index: number;
  readonly name: string;
  readonly baseline: string;
  readonly candidates: readonly string[];
  readonly equal: BenchCase['equal'];
}

/**
 * Imports a file of cases and checks them.
 *
 * @throws SUBJECT_UNLOADABLE for a file that cannot be imported, INVALID_ARGUMENT for one that holds no cases.
 */
export async function loadCases(file: string): Promise<LoadedCase[]> {
  const exported = await importCases(pathToFileURL(file).href, file);
  return exported.map((value, index) => checkCase(value, file, index));
}

/** The raw cases of a file. Shared with the process that runs them. */
export async function importCases(url: string, file = url): Promise<unknown[]> {
  let module: { default?: unknown };
  try {
    module = (await import(url)) as { default?: unknown };
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    const remedy = /\.[mc]?ts$/.test(file)
      ? 'Compile it first, or run under the loader that you use (NODE_OPTIONS="--import …").'
      : 'Import the file alone to see the whole error.';
    throw fail('SUBJECT_UNLOADABLE', { subject: file, reason, remedy }, { cause });
  }
  const cases: unknown[] = Array.isArray(module.default) ? module.default : [module.default];
  return cases;
}

function checkCase(value: unknown, file: string, index: number): LoadedCase {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Partial<BenchCase>;
  const need = (name: string, valid: boolean, actual: unknown, expected: string) => {
    if (valid) return;
    throw fail('INVALID_ARGUMENT', {
      name: `${name} of case ${index} in ${file}`,
      actual: describe(actual),
      expected,
    });
  };
  need('default export', value === given, value, 'a case: { name, variants }');
  need('name', typeof given.name === 'string' && given.name !== '', given.name, 'a name');
  const variants = Object.entries(given.variants ?? {});
  need('variants', variants.length >= 2, given.variants, 'an object of two or more named functions');
  for (const [name, variant] of variants)
    need(`variants.${name}`, typeof variant === 'function', variant, 'a function');
  need('setup', given.setup === undefined || typeof given.setup === 'function', given.setup, 'a function');
  const names = variants.map(([name]) => name);
  const baseline = given.baseline ?? names[0]!;
  need('baseline', names.includes(baseline), baseline, `one of ${names.join(', ')}`);
  const { equal } = given;
  need(
    'equal',
    equal === undefined || equal === false || typeof equal === 'function',
    equal,
    'false or a function',
  );
  return {
    file,
    index,
    name: given.name!,
    baseline,
    candidates: names.filter((name) => name !== baseline),
    equal,
  };
}
