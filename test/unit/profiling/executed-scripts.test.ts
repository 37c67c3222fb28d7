import * as acorn from 'acorn';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { learnExecutedScripts } from '../../../dist/profiling/source/executed-scripts.js';
import { SourceIndex } from '../../../dist/profiling/source/source-index.js';

// No such file: as little is known of its text as of one that a loader transformed.
const APP = '/nowhere/app.ts';
const EXECUTED = 'function a(t){return JSON.parse(t)}function b(){return a("1")}';
const node = (scriptId: string, file: string, hitCount: number) => ({
  id: 1,
  hitCount,
  callFrame: { scriptId, functionName: 'a', url: pathToFileURL(file).href, lineNumber: 0, columnNumber: 10 },
});

function sessionOf(texts: Record<string, string>) {
  const posted: string[] = [];
  const post = <T>(method: string, params: Record<string, unknown> = {}): T => {
    posted.push(method);
    if (method !== 'Debugger.getScriptSource') return {} as T;
    const scriptSource = texts[params['scriptId'] as string];
    if (scriptSource === undefined) throw new Error('No script for id');
    return { scriptSource } as T;
  };
  return { posted, post };
}

describe('the text of transformed TypeScript', () => {
  it('is asked of V8, with a debugger for that moment', () => {
    const session = sessionOf({ '7': EXECUTED });
    const sources = new SourceIndex(acorn);
    expect(sources.isTransformed(APP)).toBe(true);
    learnExecutedScripts(session, { nodes: [node('7', APP, 3), node('7', APP, 3)] }, sources);
    expect(session.posted).toEqual([
      'Debugger.enable',
      'Debugger.setSkipAllPauses',
      'Debugger.getScriptSource',
      'Debugger.disable',
    ]);
    const parse = sources.functionAt(APP, 1, 11);
    expect(parse).toMatchObject({ name: 'a' });
    expect(sources.marks(APP, 1, parse).map(({ name }) => name)).toEqual(['JSON.parse']);
    expect(sources.marks(APP, 1, sources.functionAt(APP, 1, EXECUTED.indexOf('b()') + 1))).toEqual([]);
  });

  it('is not asked for files that are on disk as they ran, nor for a handful of samples', () => {
    const session = sessionOf({ '7': EXECUTED });
    const sources = new SourceIndex(acorn);
    learnExecutedScripts(session, { nodes: [node('7', '/nowhere/app.js', 90)] }, sources);
    learnExecutedScripts(session, { nodes: [node('7', APP, 2)] }, sources);
    learnExecutedScripts(session, { nodes: [node('7', '/nowhere/node_modules/x/a.ts', 90)] }, sources);
    expect(session.posted).toEqual([]);
  });

  it('stays unknown where the script is gone, and the debugger is off again', () => {
    const session = sessionOf({});
    const sources = new SourceIndex(acorn);
    learnExecutedScripts(session, { nodes: [node('9', APP, 50)] }, sources);
    expect(session.posted.at(-1)).toBe('Debugger.disable');
    expect(sources.functionAt(APP, 1, 11)).toBeNull();
  });

  it('is learnt of the other files where one script is gone', () => {
    const session = sessionOf({ '7': EXECUTED });
    const sources = new SourceIndex(acorn);
    const nodes = [node('9', '/nowhere/gone.ts', 50), node('7', APP, 50)];
    learnExecutedScripts(session, { nodes }, sources);
    expect(sources.functionAt(APP, 1, 11)).toMatchObject({ name: 'a' });
  });

  it('costs no profile where V8 has no debugger', () => {
    const posted: string[] = [];
    const post = (method: string): never => {
      posted.push(method);
      throw new Error(`'${method}' wasn't found`);
    };
    learnExecutedScripts({ post }, { nodes: [node('7', APP, 50)] }, new SourceIndex(acorn));
    expect(posted).toEqual(['Debugger.enable']);
  });

  // Loaders that register no map with Node (ts-node), where Node itself could have run the file.
  const strips =
    'stripTypeScriptTypes' in nodeModule &&
    (process.features as { typescript?: unknown }).typescript === 'strip';
  it.runIf(strips)('is asked too where functions begin at other places than in the stripped text', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sysopt-executed-'));
    const file = join(folder, 'app.ts');
    writeFileSync(
      file,
      'interface Text { readonly text: string }\n\nexport function a(t: string): unknown {\n  return JSON.parse(t) as unknown;\n}\n',
    );
    const at = (lineNumber: number, columnNumber: number) => {
      const { callFrame, ...rest } = node('7', file, 50);
      return { ...rest, callFrame: { ...callFrame, lineNumber, columnNumber } };
    };
    const executed = '"use strict";\nexports.a = a;\nfunction a(t) {\n    return JSON.parse(t);\n}\n';
    const asStripped = sessionOf({ '7': executed });
    learnExecutedScripts(asStripped, { nodes: [at(0, 0), at(2, 17)] }, new SourceIndex(acorn));
    expect(asStripped.posted).toEqual([]);

    const session = sessionOf({ '7': executed });
    const sources = new SourceIndex(acorn);
    learnExecutedScripts(session, { nodes: [at(2, 10)] }, sources);
    expect(session.posted).toContain('Debugger.getScriptSource');
    expect(sources.functionAt(file, 3, 11)).toMatchObject({ name: 'a', line: 3 });

    const lost = new SourceIndex(acorn);
    learnExecutedScripts(sessionOf({}), { nodes: [at(2, 10)] }, lost);
    expect(lost.functionAt(file, 3, 11)).toBeNull();
    rmSync(folder, { recursive: true });
  });
});
