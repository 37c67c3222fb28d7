/**
 * Profiles that nobody asked for, so that one that somebody asks for can end them first. Of the process: the agent has a
 * copy of this package to itself, beside the one that the program may import.
 */
const KEY = Symbol.for('system-optimizer.automatic-runs');
const runs = ((globalThis as { [KEY]?: Set<() => Promise<void>> })[KEY] ??= new Set());

/** @param end ends the run; resolves when another can begin. @returns takes it off the list again. */
export function addAutomaticRun(end: () => Promise<void>): () => void {
  runs.add(end);
  return () => runs.delete(end);
}

/** Ends all that are under way, without results. Resolves at once where there is none. */
export async function automaticRunsGiveWay(): Promise<void> {
  await Promise.all([...runs].map((end) => end()));
}
