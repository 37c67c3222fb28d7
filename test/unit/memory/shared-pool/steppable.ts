/**
 * The compiled code of `SharedSlots`, rewritten so that it can be stopped before each access to shared memory: methods
 * become generators, and every `Atomics` call and every read of a shared array yields first. What the model check
 * steps is therefore the shipped code, not a copy of it that may differ.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import * as layout from '../../../../dist/memory/shared-pool/control-block.js';

type Node = { type: string; start: number; end: number } & Record<string, any>;
export type Steps<T> = Generator<unknown, T, unknown>;
/** A method of the real class, as it is here. */
export interface SteppableSlots {
  place: number;
  attach(): Steps<boolean>;
  take(): Steps<number>;
  give(handle: number): Steps<boolean>;
  adopt(handle: number): Steps<boolean>;
  holds(handle: number): Steps<boolean>;
  reclaim(threadId: number): Steps<number>;
  detach(): Steps<void>;
  close(): Steps<boolean>;
  isClosed(): Steps<boolean>;
  wordToWaitOn(): Steps<number | undefined>;
}
export interface Hooks {
  /** Sees the outcome of every access. */
  readonly observe: <T>(value: T) => T;
  readonly notify: () => number;
}

const SHARED = new Set(['states', 'hints', 'control']);

function isThisMember(node: Node): boolean {
  return node.type === 'MemberExpression' && node.object.type === 'ThisExpression' && !node.computed;
}

function rewrite(source: string): string {
  const program = parse(source, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as Node;
  const insertions: [at: number, text: string][] = [];
  const remove: [start: number, end: number][] = [];
  const wrap = (node: Node, before: string, after: string) => {
    insertions.push([node.start, before], [node.end, after]);
  };
  const methods = new Set<string>();
  let accesses = 0;

  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null || typeof (node as Node).type !== 'string') return;
    const at = node as Node;
    if (at.type === 'AssignmentExpression' && at.left.type === 'MemberExpression' && at.left.computed) {
      if (isThisMember(at.left.object) && SHARED.has(at.left.object.property.name)) {
        throw new Error('a plain write to shared memory cannot be part of the algorithm');
      }
    }
    if (at.type === 'ArrowFunctionExpression' || at.type === 'FunctionExpression') {
      throw new Error('a closure cannot be stepped');
    }
    if (at.type === 'CallExpression' && at.callee.type === 'MemberExpression') {
      const { object, property } = at.callee;
      if (object.type === 'Identifier' && object.name === 'Atomics') {
        accesses += 1;
        wrap(at, '(yield, $observe(', '))');
      } else if (object.type === 'ThisExpression' && methods.has(property.name)) wrap(at, '(yield* ', ')');
    } else if (at.type === 'MemberExpression' && at.computed && isThisMember(at.object)) {
      if (SHARED.has(at.object.property.name)) {
        accesses += 1;
        wrap(at, '(yield, $observe(', '))');
      }
    }
    for (const [key, child] of Object.entries(at)) if (key !== 'type') visit(child);
  };

  for (const statement of program.body as Node[]) {
    if (statement.type === 'ImportDeclaration') remove.push([statement.start, statement.end]);
    if (statement.type !== 'ExportNamedDeclaration') continue;
    remove.push([statement.start, statement.declaration.start]);
    if (statement.declaration.type !== 'ClassDeclaration') continue;
    const members = (statement.declaration.body.body as Node[]).filter(
      (member) => member.type === 'MethodDefinition' && member.kind === 'method',
    );
    for (const member of members) methods.add(member.key.name);
    for (const member of members) {
      insertions.push([member.start, '*']);
      visit(member.value.body);
    }
  }
  if (accesses < 30) throw new Error(`only ${accesses} accesses to shared memory found`);
  let text = source;
  const edits = [
    ...insertions.map(([at, what]) => ({ at, end: at, what })),
    ...remove.map(([at, end]) => ({ at, end, what: '' })),
  ];
  // From the back, so that places before stay true.
  edits.sort((a, b) => b.at - a.at);
  for (const { at, end, what } of edits) text = text.slice(0, at) + what + text.slice(end);
  return text;
}

let code: string | undefined;

/** A class whose methods are the algorithm's, as generators. */
export function steppableSlots(
  hooks: Hooks,
): new (block: layout.ControlBlock, threadId: number) => SteppableSlots {
  const file = fileURLToPath(new URL('../../../../dist/memory/shared-pool/shared-slots.js', import.meta.url));
  code ??= rewrite(readFileSync(file, 'utf8')).replaceAll('Atomics.notify(', '$notify(');
  const names = Object.keys(layout);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const make = new Function('$observe', '$notify', ...names, `${code}\nreturn SharedSlots;`);
  return make(hooks.observe, hooks.notify, ...Object.values(layout));
}
