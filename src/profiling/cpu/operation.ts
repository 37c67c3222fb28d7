/** Tells what a stack below the user's innermost function does, and what a line of that function does. */
import type { OperationKind } from '../../model/signals.js';
import type { LineMark } from '../source/syntax.js';
import type { Frame } from './frames.js';

export interface Operation {
  readonly kind: OperationKind;
  readonly name: string;
}

export const OWN_CODE: Operation = { kind: 'own-code', name: 'own code' };

const NODE_MODULES: readonly [url: RegExp, name: RegExp, kind: OperationKind, prefix: string][] = [
  [/^node:(internal\/)?child_process/, /Sync$/, 'sync-child-process', 'child_process'],
  [/^node:(internal\/)?fs/, /Sync$/, 'sync-fs', 'fs'],
  [/^node:zlib/, /Sync$|^syncBufferWrapper$/, 'sync-zlib', 'zlib'],
  [/^node:internal\/crypto\//, /./, 'sync-crypto', 'crypto'],
  [/^node:(internal\/)?timers/, /./, 'timer', ''],
  [/^node:internal\/process\/task_queues/, /./, 'microtask', ''],
  [/^node:internal\/errors/, /./, 'exception', 'Error'],
  [/^node:internal\/assert\/assertion_error/, /./, 'exception', 'assert'],
  [/^node:internal\/console/, /./, 'console', ''],
  [/^node:(internal\/)?buffer/, /./, 'buffer', 'Buffer'],
];

/** Loading and evaluating modules: what a program does once, before its work. */
const LOADER =
  /^node:internal\/(modules\/|main\/|vm|bootstrap|process\/(esm_loader|execution|pre_execution))/;

export function isLoaderFrame(frame: Frame): boolean {
  return frame.origin === 'node' && LOADER.test(frame.file);
}

/** Kinds that are recognised however deep they lie: whoever calls them waits for them, or for `assert` to fail. */
const SYNCHRONOUS: ReadonlySet<OperationKind> = new Set([
  'sync-fs',
  'sync-child-process',
  'sync-crypto',
  'sync-zlib',
]);

/**
 * What the frames below the responsible function do, outermost first. A synchronous call counts wherever it is;
 * anything else is what the user called: the timer that a response sets for itself is part of the response.
 */
export function operationOfFrames(below: readonly Frame[]): Operation | null {
  let firstNode: Frame | undefined;
  for (const frame of below) {
    if (frame.origin === 'native' && firstNode === undefined) return nativeOperation(frame.name);
    if (frame.origin !== 'node') continue;
    const isOutermost = firstNode === undefined;
    firstNode ??= frame;
    const known = nodeOperation(frame);
    const isDeep = known !== null && (SYNCHRONOUS.has(known.kind) || known.name.startsWith('assert.'));
    if (known !== null && (isOutermost || isDeep)) return known;
  }
  return firstNode === undefined ? null : { kind: 'node', name: `${firstNode.file}: ${firstNode.name}` };
}

/** What Node does of itself, without the user's code on the stack: its innermost function tells. */
export function operationOfNode(stack: readonly Frame[]): Operation | null {
  const innermost = stack.findLast(({ origin }) => origin === 'node');
  return innermost === undefined ? null : nodeOperation(innermost);
}

function nodeOperation(frame: Frame): Operation | null {
  for (const [url, name, kind, prefix] of NODE_MODULES) {
    if (url.test(frame.file) && name.test(frame.name)) {
      return { kind, name: prefix === '' ? frame.name : `${prefix}.${frame.name}` };
    }
  }
  return null;
}

function nativeOperation(name: string): Operation {
  if (name.startsWith('RegExp: ')) return { kind: 'regexp', name: `/${name.slice(8)}/` };
  // Reading an error's stack formats it, which costs more than making the error.
  if (name === 'wait') return { kind: 'lock', name: 'Atomics.wait' };
  if (name === 'get stack') return { kind: 'exception', name: 'error.stack' };
  return { kind: 'own-code', name };
}

/** Several operations on one line: the one that can be dearest decides. */
const ORDER: readonly LineMark['operation'][] = [
  'json',
  'regexp',
  'exception',
  'console',
  'buffer',
  'timer',
  'microtask',
  'lock',
];

export function operationOfLine(marks: readonly LineMark[]): Operation {
  for (const operation of ORDER) {
    const mark = marks.find((candidate) => candidate.operation === operation);
    if (mark !== undefined) return { kind: operation, name: mark.name };
  }
  return OWN_CODE;
}
