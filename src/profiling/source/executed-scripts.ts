/**
 * The text of TypeScript that a loader (tsx, ts-node, swc) transformed in memory, asked of V8 itself.
 *
 * Such a loader may put the whole file on one line, as tsx does, and samples know lines alone: without the text no function of
 * it that calls another can be told apart, nor what it does. V8 gives the text of a script to a debugger only, so one is
 * switched on for the moment of asking, when the window is over: nothing of the program runs in between, no code is thrown away,
 * and it takes 10 to 60 ms for 300 scripts. So it is done only where such a file was met on a CPU. Rejected: to run the loader
 * again, which need not give the same text.
 */
import type { RawCpuProfile } from '../cpu/raw.js';
import type { InspectorSession } from '../inspector-session.js';
import { fileOfUrl, originOf, type SourceIndex } from './source-index.js';

/** Fewer samples than this in all such files name nothing that would be worth the pause. */
const LEAST_SAMPLES = 5;

/** Makes known to `sources` what V8 executed for the files of `profile` that are not on disk as they ran. */
export function learnExecutedScripts(
  session: Pick<InspectorSession, 'post'>,
  { nodes }: Pick<RawCpuProfile, 'nodes'>,
  sources: SourceIndex,
): void {
  const wanted = new Map<string, string>();
  let samples = 0;
  for (const { callFrame, hitCount = 0 } of nodes) {
    const { scriptId, url, functionName } = callFrame;
    if (scriptId === undefined || originOf(url, functionName) !== 'user') continue;
    const file = fileOfUrl(url);
    if (!wanted.has(file) && !sources.isTransformed(file)) continue;
    // A file that was loaded twice keeps the script of its first frame.
    if (!wanted.has(file)) wanted.set(file, scriptId);
    samples += hitCount;
  }
  if (samples < LEAST_SAMPLES) return;
  try {
    session.post('Debugger.enable', { maxScriptsCacheSize: 0 });
    session.post('Debugger.setSkipAllPauses', { skip: true });
    for (const [file, scriptId] of wanted) {
      const { scriptSource } = session.post<{ scriptSource: string }>('Debugger.getScriptSource', {
        scriptId,
      });
      sources.learn(file, scriptSource);
    }
  } catch {
    // A script that is gone, or a V8 without a debugger: the source map tells the places all the same.
  } finally {
    session.post('Debugger.disable');
  }
}
