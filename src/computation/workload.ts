/**
 * The work on which two choices are compared: every size class often enough to weigh about the same. Without the
 * repeats the largest size alone would decide.
 *
 * Fresh processes load this module and call `prepareWorkload`; it imports nothing that costs start-up time.
 */
import type { ComputationChoice } from '../model/choice.js';
import { variantFor } from './computation.js';
import { makeDispatch } from './dispatch.js';
import type { Arguments } from './inputs.js';
import { shareAgain, type Path } from './shared-inputs.js';
import { defaultSize, type SizeOf } from './size.js';
import { pickVariant } from './module-variants.js';
import type { AnyFunction, ModuleVariants } from './variants.js';

export interface WeightedClass {
  readonly inputs: readonly Arguments[];
  /** Passes over the inputs per call of the workload. */
  readonly repeats: number;
}

/** Runs one dispatcher over all classes; returns the last result, so that none of it is without effect. */
export function workloadOf(
  dispatch: AnyFunction,
  classes: readonly WeightedClass[],
  asynchronous: boolean,
): () => unknown {
  if (asynchronous) {
    return async () => {
      let result: unknown;
      for (const { inputs, repeats } of classes) {
        for (let pass = 0; pass < repeats; pass += 1) {
          for (const args of inputs) result = await dispatch(...args);
        }
      }
      return result;
    };
  }
  return () => {
    let result: unknown;
    for (const { inputs, repeats } of classes) {
      for (let pass = 0; pass < repeats; pass += 1) {
        for (const args of inputs) result = dispatch(...args);
      }
    }
    return result;
  };
}

/** A dispatcher for one choice, apart from the computation's own. */
export function dispatcherFor(
  choice: ComputationChoice,
  functions: ReadonlyMap<string, AnyFunction>,
  size: SizeOf,
): AnyFunction {
  const ranges = choice.bySize.map(({ maxSize, variant }) => ({
    maxSize: maxSize ?? Infinity,
    run: functions.get(variant)!,
  }));
  const { dispatch, use } = makeDispatch(size, () => ranges);
  use(ranges);
  return dispatch;
}

/** What a fresh process is told. Structured-clonable. */
export interface WorkloadRequest {
  readonly form: ModuleVariants & { readonly module: string };
  readonly choice: ComputationChoice;
  readonly classes: readonly (WeightedClass & { readonly size: number })[];
  /** Where arrays in `classes` were in shared memory. */
  readonly shared: readonly Path[];
  readonly asynchronous: boolean;
  /** False where the caller measures size by a function of its own: it cannot be sent, so each class is called with its variant. */
  readonly usesDefaultSize: boolean;
}

/** Factory for `compare`: loads the module anew and returns the workload of one choice. */
export async function prepareWorkload(request: WorkloadRequest): Promise<() => unknown> {
  const { form, choice, classes, shared, asynchronous, usesDefaultSize } = request;
  shareAgain(classes, shared);
  const { module } = form;
  // Each side of a comparison loads this file under a query of its own; the variants get it too, so that the
  // sides share no compiled code.
  const { search } = new URL(import.meta.url);
  const url = module.startsWith('file:') && search !== '' && !module.includes('?') ? module + search : module;
  const loaded = (await import(url)) as Record<string, unknown>;
  const names = new Set(choice.bySize.map(({ variant }) => variant));
  const functions = new Map<string, AnyFunction>();
  for (const name of names) functions.set(name, pickVariant(form, loaded, name));

  if (usesDefaultSize) {
    return workloadOf(dispatcherFor(choice, functions, defaultSize), classes, asynchronous);
  }
  const parts = classes.map((part) => {
    const run = functions.get(variantFor(choice, part.size))!;
    return workloadOf(run, [part], asynchronous);
  });
  if (!asynchronous) {
    return () => {
      let result: unknown;
      for (const part of parts) result = part();
      return result;
    };
  }
  return async () => {
    let result: unknown;
    for (const part of parts) result = await part();
    return result;
  };
}
