/**
 * Variants that are exports of a module: named first, loaded when they are needed, here or in a fresh process that compares
 * choices. Whatever a variant can be as a function it can be as an export: described, with parameters, as a loop over
 * threads, by native kernels.
 */
import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, fail } from '../errors.js';
import { reasonOf } from './checked-call.js';
import {
  NATIVE_NAME,
  NATIVE_PARALLEL_NAME,
  nativeVariants,
  type NativeComputation,
} from './native-variants.js';
import { PARALLEL_NAME, parallelVariant, type ParallelComputation } from './parallel.js';
import { parseConfiguredName, type Constraint, type ParameterSpace } from './parameters.js';
import {
  fromFunctions,
  requireDistinct,
  type AnyFunction,
  type DescribedVariant,
  type FunctionVariants,
  type GivenVariants,
  type ModuleVariants,
  type TunableVariant,
  type Variant,
} from './variants.js';

type Exports = Readonly<Record<string, unknown>>;

/** Checks the names of a module form. Returns those of its variants, as far as they are known without loading it. @throws INVALID_ARGUMENT */
export function checkModuleForm({ exports, parallel, native }: ModuleVariants): readonly string[] {
  const valid = exports.every((name) => typeof name === 'string' && name !== '');
  const own = new Set(exports);
  if (!valid || exports.length === 0 || own.size !== exports.length) {
    throw fail('INVALID_ARGUMENT', {
      name: 'variants.exports',
      actual: describe(exports),
      expected: 'different names of exported functions',
    });
  }
  for (const [name, value] of Object.entries({ parallel, native })) {
    if (value === undefined || (typeof value === 'string' && value !== '' && !own.has(value))) continue;
    const expected = 'the name of an export that is none of the functions';
    throw fail('INVALID_ARGUMENT', { name: `variants.${name}`, actual: describe(value), expected });
  }
  const names = [
    ...exports,
    ...(parallel === undefined ? [] : [PARALLEL_NAME]),
    ...(native === undefined ? [] : [NATIVE_NAME]),
  ];
  requireDistinct(native === undefined ? names : [...names, NATIVE_PARALLEL_NAME]);
  return names;
}

/** Whether a module that is not loaded yet may have a variant of that name. */
export function mayHave({ exports, parallel, native }: ModuleVariants, name: string): boolean {
  if (exports.includes(name)) return true;
  if (name === PARALLEL_NAME) return parallel !== undefined;
  if (name === NATIVE_NAME || name === NATIVE_PARALLEL_NAME) return native !== undefined;
  return exports.includes(parseConfiguredName(name)?.variant ?? '');
}

/** The module's URL, resolved against the working directory. */
export function moduleUrl(module: string | URL): string {
  const text = String(module);
  if (module instanceof URL || /^(file|data|node):/.test(text)) return text;
  return pathToFileURL(isAbsolute(text) ? text : resolve(text)).href;
}

/** @throws SUBJECT_UNLOADABLE */
export async function loadExports(form: ModuleVariants): Promise<Exports> {
  const url = moduleUrl(form.module);
  try {
    return (await import(url)) as Exports;
  } catch (cause) {
    throw unloadable(url, cause);
  }
}

/** The same without waiting, for a dispatcher that is called before anyone loaded its module. @throws SUBJECT_UNLOADABLE */
export function loadExportsSync(form: ModuleVariants): Exports {
  const url = moduleUrl(form.module);
  try {
    return createRequire(url)(fileURLToPath(url)) as Exports;
  } catch (cause) {
    throw unloadable(url, cause, 'Await load() of the computation before its first dispatch.');
  }
}

/** The variants of a module that is loaded. @throws SUBJECT_UNLOADABLE, and as `fromFunctions` for what exports describe. */
export function fromModule(
  form: ModuleVariants,
  loaded: Exports,
  parameters?: ParameterSpace,
  constraints?: readonly Constraint[],
): GivenVariants {
  const functions: Record<string, AnyFunction | DescribedVariant | TunableVariant> = {};
  for (const name of form.exports) functions[name] = variantIn(form, loaded, name);
  const { variants, tunables } = fromFunctions(
    functions as FunctionVariants<AnyFunction>,
    parameters,
    constraints,
  );
  return { variants: [...variants, ...extraVariants(form, loaded)], tunables };
}

/** One variant by the name that a choice has for it, a configuration's included. @throws as `fromModule`; SUBJECT_UNLOADABLE */
export function pickVariant(form: ModuleVariants, loaded: Exports, name: string): AnyFunction {
  const extra = extraVariants(form, loaded).find((variant) => variant.name === name);
  if (extra) return extra.run;
  const configured = form.exports.includes(name) ? undefined : parseConfiguredName(name);
  const value = variantIn(form, loaded, configured?.variant ?? name);
  if (typeof value === 'function') return value;
  if ('create' in value) return value.create(configured?.configuration ?? {});
  return (...args: unknown[]) => value.run(...args) as unknown;
}

function extraVariants({ parallel, native }: ModuleVariants, loaded: Exports): Variant[] {
  const of = (name: string) => exportNamed(loaded, name);
  return [
    ...(parallel === undefined ? [] : [parallelVariant(of(parallel) as ParallelComputation)]),
    ...(native === undefined ? [] : nativeVariants(of(native) as NativeComputation)),
  ];
}

/** CommonJS modules have their names on the default export. */
function exportNamed(loaded: Exports, name: string): unknown {
  return loaded[name] ?? (loaded['default'] as Exports | undefined)?.[name];
}

function variantIn(
  { module }: ModuleVariants,
  loaded: Exports,
  name: string,
): AnyFunction | DescribedVariant | TunableVariant {
  const value = exportNamed(loaded, name);
  if (typeof value === 'function') return value as AnyFunction;
  const { run, create } = Object(value) as { run?: unknown; create?: unknown };
  if (typeof run === 'function' || typeof create === 'function') return value as DescribedVariant;
  const found = value === undefined ? 'no such name' : `${describe(value)}, which is no function`;
  throw fail('SUBJECT_UNLOADABLE', {
    subject: `variant "${name}"`,
    reason: `${moduleUrl(module)} exports ${found}.`,
    remedy: `It exports: ${Object.keys(loaded).join(', ') || 'nothing'}.`,
  });
}

function unloadable(url: string, cause: unknown, remedy = 'Import the module alone to see the whole error.') {
  return fail('SUBJECT_UNLOADABLE', { subject: url, reason: reasonOf(cause), remedy }, { cause });
}
