/** Samples of a thread's machine code, by native function and family. */
import type { NativeFunction } from '../../model/signals.js';
import type { StackFrame, StackSamples } from '../../native/contract.js';
import { classify } from './families.js';

export interface NativeSummary {
  /** Samples that count: without V8's profiler, whose work belongs to no program. */
  readonly samples: number;
  /** Of these, in native code and in V8's interpreter. */
  readonly native: number;
  readonly interpreter: number;
  /** By share, greatest first. */
  readonly functions: readonly NativeFunction[];
  /** Samples in functions of the program or its addons that have no names, and those modules' paths. */
  readonly unnamed: number;
  readonly unnamedModules: readonly string[];
}

/** @param maxFunctions rows to keep, greatest first. */
export function summariseStacks(
  { stacks, depth, frames, modules }: StackSamples,
  maxFunctions: number,
): NativeSummary {
  const rows = new Map<string, Omit<NativeFunction, 'share'> & { samples: number }>();
  const counts = { native: 0, interpreter: 0, javascript: 0, profiler: 0 };
  const unnamedModules = new Set<string>();
  let unnamed = 0;
  for (let at = 0; at < stacks.length; at += depth) {
    const stack = framesAt(stacks, at, depth, frames);
    const found = classify(stack, modules);
    counts[found.kind] += 1;
    if (found.kind !== 'native') continue;
    const leaf = stack[0]!;
    if (leaf.name === '' && leaf.module >= 0 && isPrograms(modules[leaf.module]!.path)) {
      unnamed += 1;
      unnamedModules.add(modules[leaf.module]!.path);
    }
    const { name, module, family } = found;
    const key = `${family} ${module} ${name}`;
    const row = rows.get(key) ?? { name, module, family, samples: 0 };
    rows.set(key, { ...row, samples: row.samples + 1 });
  }
  const samples = counts.native + counts.interpreter + counts.javascript;
  const functions = [...rows.values()]
    .sort((a, b) => b.samples - a.samples)
    .slice(0, maxFunctions)
    .map((row) => ({ ...row, share: row.samples / samples }));
  const { native, interpreter } = counts;
  return { samples, native, interpreter, functions, unnamed, unnamedModules: [...unnamedModules] };
}

/** Not the system's libraries: they are stripped everywhere, and a family is told by who calls them. */
function isPrograms(path: string): boolean {
  return path === process.execPath || path.endsWith('.node');
}

function framesAt(
  stacks: Int32Array,
  at: number,
  depth: number,
  frames: readonly StackFrame[],
): StackFrame[] {
  const stack: StackFrame[] = [];
  for (let i = at; i < at + depth && stacks[i]! >= 0; i += 1) stack.push(frames[stacks[i]!]!);
  return stack;
}
