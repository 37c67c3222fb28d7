/**
 * Frames of the allocation profile whose script the collector took: V8 resolves a sample's script when the profile is
 * read, and where nothing of a script is alive any more, as of a program whose one module has run, only its id and the
 * function's name are left. The CPU profile of the same window has the script's address and most functions' places.
 */
import type { RawCallFrame, RawCpuProfile, RawHeapNode } from '../cpu/raw.js';

interface Script {
  readonly url: string;
  readonly functions: Map<string, RawCallFrame>;
}

/** Of the scripts that a CPU profile met, by id. */
export type ScriptsById = ReadonlyMap<string, Script>;

export function scriptsOf({ nodes }: Pick<RawCpuProfile, 'nodes'>): ScriptsById {
  const scripts = new Map<string, Script>();
  for (const { callFrame } of nodes) {
    const { scriptId, url, functionName } = callFrame;
    if (url === '' || scriptId === undefined) continue;
    let script = scripts.get(scriptId);
    if (script === undefined) scripts.set(scriptId, (script = { url, functions: new Map() }));
    if (functionName !== '' && !script.functions.has(functionName))
      script.functions.set(functionName, callFrame);
  }
  return scripts;
}

/** The tree with what the CPU profile knows of its lost frames; those that it does not know stay as they are. */
export function withScripts(node: RawHeapNode, scripts: ScriptsById): RawHeapNode {
  const children = node.children.map((child) => withScripts(child, scripts));
  return { ...node, callFrame: found(node.callFrame, scripts), children };
}

function found(frame: RawCallFrame, scripts: ScriptsById): RawCallFrame {
  const script = frame.url === '' ? scripts.get(frame.scriptId ?? '') : undefined;
  if (script === undefined) return frame;
  const same = script.functions.get(frame.functionName);
  // A function that was never met on a CPU is known by its file alone.
  return same ?? { ...frame, url: script.url };
}
