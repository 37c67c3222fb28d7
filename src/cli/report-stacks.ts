/** `sysopt report --format cpuprofile|pprof|collapsed`: the stacks of one stored result, for other tools. */
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Store } from '../storage/store.js';
import { UsageError } from './exit-code.js';

export const STACK_FORMATS = ['cpuprofile', 'pprof', 'collapsed'] as const;
export type StackFormat = (typeof STACK_FORMATS)[number];

const EXTENSION: Readonly<Record<StackFormat, string>> = {
  cpuprofile: 'cpuprofile',
  pprof: 'pb.gz',
  collapsed: 'collapsed.txt',
};

export function isStackFormat(format: string): format is StackFormat {
  return (STACK_FORMATS as readonly string[]).includes(format);
}

/** The result that was asked for, or the newest one that the format can hold. */
export async function resultForStacks(
  store: Store,
  format: StackFormat,
  id: string | undefined,
): Promise<ProfilingResult> {
  if (id === undefined) {
    // Each entry is opened only until one fits: the newest almost always does.
    for (const entry of store.list({ kind: 'result' })) {
      if (format === 'cpuprofile' && entry.type === 'memory') continue;
      const result = await store.getResult(entry.id);
      if (result.callTree !== null) return result;
    }
    throw new UsageError(
      `The store holds no profile with a call tree that ${format} could show.`,
      'Take one first: sysopt profile -- node app.js',
    );
  }
  const result = await store.getResult(id);
  if (format === 'cpuprofile' && result.type === 'memory') {
    throw new UsageError(
      `${id} holds bytes, and a .cpuprofile holds times.`,
      'Use --format pprof or --format collapsed for it.',
    );
  }
  if (result.callTree === null) {
    throw new UsageError(`${id} has no call tree.`, 'Profile for longer, or under load.');
  }
  return result;
}

/**
 * V8's own profile where it was kept, with its samples in their order in time; else made of the call tree. Each format's
 * encoder is loaded only when it is asked for.
 */
export async function renderStacks(
  store: Store,
  result: ProfilingResult,
  format: StackFormat,
): Promise<string | Uint8Array> {
  switch (format) {
    case 'cpuprofile': {
      const own = await store.rawProfile(result.id, 'cpuprofile');
      if (own !== undefined) return own;
      const { toCpuProfile } = await import('../report/cpuprofile.js');
      return JSON.stringify(toCpuProfile(result));
    }
    case 'pprof': {
      const { renderPprof } = await import('../report/pprof.js');
      return renderPprof(result);
    }
    case 'collapsed': {
      const { renderCollapsed } = await import('../report/collapsed-stacks.js');
      return renderCollapsed(result);
    }
  }
}

/** File name in the store, where none was given: it names the result, since several may lie side by side. */
export function stacksFileName(result: ProfilingResult, format: StackFormat): string {
  return `${result.id}.${EXTENSION[format]}`;
}
