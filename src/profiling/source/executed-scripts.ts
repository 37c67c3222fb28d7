/**
 * The text of TypeScript that a loader (tsx, ts-node, swc) transformed in memory, asked of V8 itself.
 *
 * Such a loader may put the whole file on one line, as tsx does, and samples know lines alone: without the text no function of
 * it that calls another can be told apart, nor what it does. V8 gives the text of a script to a debugger only, so one is
 * switched on for the moment of asking, when the window is over: nothing of the program runs in between, no code is thrown away,
 * and it takes 10 to 60 ms for 300 scripts. So it is done only where such a file was met on a CPU: one whose text is not known, or
 * whose functions begin where V8 says that none does. Those are files of loaders that Node knows nothing of (ts-node) where Node
 * could strip the types itself. Rejected: to run the loader again, which need not give the same text.
 */
import type { RawCpuProfile } from '../cpu/raw.js';
import type { InspectorSession } from '../inspector-session.js';
import { fileOfUrl, originOf, type SourceIndex } from './source-index.js';

/** Fewer samples than this in all such files name nothing that would be worth the pause. */
const LEAST_SAMPLES = 5;

type Asked = Pick<InspectorSession, 'post'>;

/** Makes known to `sources` what V8 executed for the files of `profile` that are not on disk as they ran. */
export function learnExecutedScripts(
  session: Asked,
  { nodes }: Pick<RawCpuProfile, 'nodes'>,
  sources: SourceIndex,
): void {
  const wanted = new Map<string, string>();
  const mistaken = new Set<string>();
  const samplesOf = new Map<string, number>();
  for (const { callFrame, hitCount = 0 } of nodes) {
    const { scriptId, url, functionName, lineNumber, columnNumber } = callFrame;
    if (scriptId === undefined || originOf(url, functionName) !== 'user') continue;
    const file = fileOfUrl(url);
    samplesOf.set(file, (samplesOf.get(file) ?? 0) + hitCount);
    const isMistaken = !mistaken.has(file) && !sources.mayBeginAt(file, lineNumber + 1, columnNumber + 1);
    if (isMistaken) mistaken.add(file);
    // A file that was loaded twice keeps the script of its first frame.
    if (!wanted.has(file) && (isMistaken || sources.isTransformed(file))) wanted.set(file, scriptId);
  }
  const samples = [...wanted.keys()].reduce((sum, file) => sum + samplesOf.get(file)!, 0);
  if (samples < LEAST_SAMPLES) return;
  // What is on disk is not what ran: no text is better than that one.
  for (const file of mistaken) sources.learn(file, null);
  if (!succeeds(() => session.post('Debugger.enable', { maxScriptsCacheSize: 0 }))) return;
  succeeds(() => session.post('Debugger.setSkipAllPauses', { skip: true }));
  for (const [file, scriptId] of wanted) {
    succeeds(() => {
      const { scriptSource } = session.post<{ scriptSource: string }>('Debugger.getScriptSource', {
        scriptId,
      });
      sources.learn(file, scriptSource);
    });
  }
  succeeds(() => session.post('Debugger.disable'));
}

/**
 * Without a script that is gone, or in a V8 without a debugger, the source map tells the places all the same: neither may
 * cost the other scripts, or the profile.
 */
function succeeds(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
