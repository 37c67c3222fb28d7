/** Frames of the allocation profile whose script the collector took before it was read. */
import { expect, it } from 'vitest';
import { scriptsOf, withScripts } from '../../../dist/profiling/heap/lost-scripts.js';

const frame = (functionName: string, url: string, lineNumber: number, scriptId = '7') => ({
  functionName,
  url,
  scriptId,
  lineNumber,
  columnNumber: lineNumber < 0 ? -1 : 4,
});
const leaf = (callFrame: ReturnType<typeof frame>) => ({ callFrame, selfSize: 1, children: [] });

const scripts = scriptsOf({
  nodes: [
    { id: 1, callFrame: frame('(root)', '', -1, '0') },
    { id: 2, callFrame: frame('', '/app.cjs', 0) },
    { id: 3, callFrame: frame('fill', '/app.cjs', 11) },
  ],
});

it('get the place that the CPU profile has, the file alone where it never met the function', () => {
  const tree = {
    ...leaf(frame('', '', -1)),
    children: [leaf(frame('fill', '', -1)), leaf(frame('seldom', '', -1))],
  };
  const named = withScripts(tree, scripts);
  expect(named.children.map(({ callFrame }) => callFrame)).toEqual([
    frame('fill', '/app.cjs', 11),
    frame('seldom', '/app.cjs', -1),
  ]);
  // Several functions of a script have no name.
  expect(named.callFrame).toEqual(frame('', '/app.cjs', -1));
});

it('stay as they are where nothing is lost or nothing is known', () => {
  for (const callFrame of [
    frame('(root)', '', -1, '0'),
    frame('fill', '/other.js', 3),
    frame('gone', '', -1, '99'),
  ]) {
    expect(withScripts(leaf(callFrame), scripts).callFrame).toBe(callFrame);
  }
});
