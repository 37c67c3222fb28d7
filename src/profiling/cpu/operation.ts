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
  [/^node:internal\/(console|util\/inspect)/, /./, 'console', ''],
  [/^node:(internal\/)?buffer/, /./, 'buffer', 'Buffer'],
];

/** Loading and evaluating modules: what a program does once, before its work. */
const LOADER =
  /^node:internal\/(modules\/|main\/|vm|bootstrap|process\/(esm_loader|execution|pre_execution))/;

export function isLoaderFrame(frame: Frame): boolean {
  return frame.origin === 'node' && LOADER.test(frame.file);
}

/**
 * What the frames below the responsible function do, outermost first. The outermost frame that is recognised
 * decides: it is what the user called.
 */
export function operationOfFrames(below: readonly Frame[]): Operation | null {
  let firstNode: Frame | undefined;
  for (const frame of below) {
    if (frame.origin === 'native') {
      if (frame.name.startsWith('RegExp: ')) return { kind: 'regexp', name: `/${frame.name.slice(8)}/` };
      if (firstNode === undefined) return { kind: 'own-code', name: frame.name };
    }
    if (frame.origin !== 'node') continue;
    firstNode ??= frame;
    for (const [url, name, kind, prefix] of NODE_MODULES) {
      if (url.test(frame.file) && name.test(frame.name)) {
        return { kind, name: prefix === '' ? frame.name : `${prefix}.${frame.name}` };
      }
    }
  }
  return firstNode === undefined ? null : { kind: 'node', name: `${firstNode.file}: ${firstNode.name}` };
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
];

export function operationOfLine(marks: readonly LineMark[]): Operation {
  for (const operation of ORDER) {
    const mark = marks.find((candidate) => candidate.operation === operation);
    if (mark !== undefined) return { kind: operation, name: mark.name };
  }
  return OWN_CODE;
}
