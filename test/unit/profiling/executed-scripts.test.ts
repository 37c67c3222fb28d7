import * as acorn from 'acorn';
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
});
