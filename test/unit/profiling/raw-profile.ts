/** Builds V8 profiles by hand: a tree of frames with the samples that fell on them, in order of time. */
import type { RawCallFrame, RawCpuProfile, RawNode } from '../../../dist/profiling/cpu/raw.js';

export interface FrameSpec {
  readonly name: string;
  readonly url?: string;
  /** 1-based, as an editor shows it. */
  readonly line?: number;
  readonly column?: number;
  /** Ticks by 1-based line. */
  readonly ticks?: Readonly<Record<number, number>>;
  readonly children?: readonly FrameSpec[];
  /** Name under which `samples` refers to this node; its function name where absent. */
  readonly as?: string;
}

export function frameOf({ name, url = '', line = 0, column = 1 }: FrameSpec): RawCallFrame {
  return { functionName: name, url, lineNumber: line - 1, columnNumber: column - 1 };
}

/** @param samples names in order of time, `[name, microseconds since the sample before]`. */
export function cpuProfile(
  children: readonly FrameSpec[],
  samples: readonly (readonly [string, number])[],
): RawCpuProfile {
  const nodes: RawNode[] = [];
  const ids = new Map<string, number>();
  const add = (spec: FrameSpec): number => {
    const id = nodes.length + 1;
    const slot = nodes.push({ id, callFrame: frameOf(spec) }) - 1;
    const key = spec.as ?? spec.name;
    ids.set(key, id);
    nodes[slot] = {
      ...nodes[slot]!,
      hitCount: samples.filter(([name]) => name === key).length,
      children: (spec.children ?? []).map(add),
      ...(spec.ticks === undefined
        ? {}
        : {
            positionTicks: Object.entries(spec.ticks).map(([line, ticks]) => ({ line: Number(line), ticks })),
          }),
    };
    return id;
  };
  add({
    name: '(root)',
    children: [{ name: '(idle)' }, { name: '(garbage collector)' }, { name: '(program)' }, ...children],
  });
  return {
    nodes,
    startTime: 0,
    endTime: samples.reduce((sum, [, delta]) => sum + delta, 0),
    samples: samples.map(([name]) => ids.get(name)!),
    timeDeltas: samples.map(([, delta]) => delta),
  };
}

export function repeat(name: string, times: number, deltaUs = 1000): [string, number][] {
  return Array.from({ length: times }, () => [name, deltaUs]);
}
