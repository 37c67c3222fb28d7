/**
 * What a source text holds, as far as a profile needs it: where its functions begin and end, and which lines
 * do something that a profile must tell apart from plain computation (JSON, regular expressions, exceptions,
 * timers, awaits). V8 gives line ticks; this gives the lines their meaning.
 */
import type * as Acorn from 'acorn';
import type { Program } from 'acorn';
import {
  ALLOCATING_CALLS,
  ALLOCATING_TYPES,
  BUILTIN_METHODS,
  COPYING_CALLS,
  HASH_CALLS,
  KEEPING_CALLS,
  LITERALS,
  LOCKING,
  LOOPS,
  MAKING_TYPES,
  MICROTASK_CALLS,
  REGEXP_ARGUMENT,
  REGEXP_METHODS,
  TIMER_CALLS,
} from './known-names.js';
import { findMemoryAccess, type MemoryAccess } from './memory-access.js';
import { isNode, lastName, lineOf, type AnyNode } from './nodes.js';

export interface SourceFunction {
  /** Name as declared or as the place it is assigned to gives it; empty where there is none. */
  readonly name: string;
  /** For one without a name that a function returns (a middleware, a memoised call): the name of that function. */
  readonly returnedBy: string;
  readonly start: number;
  readonly end: number;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  /** 1-based place of what names it, for a source map; undefined where it has no name. */
  readonly namedAt: { readonly line: number; readonly column: number } | undefined;
  readonly parent: SourceFunction | null;
  /** Names that this function calls, its nested functions excluded. */
  readonly callees: Set<string>;
  /** Whether it makes objects itself: literals, closures, `new`, or calls that are known to return new ones. */
  allocates: boolean;
  /** Whether it makes objects that could be kept: literals, `new`, closures. Text and copies of lists do not count. */
  makes: boolean;
  /** Whether it puts something where it outlives the call: into a member of an object, a list, a map or a set. */
  keeps: boolean;
  /** Whether it holds a loop, so that a call of it can take long. */
  loops: boolean;
}

/** Operations that V8 gives no frame of their own. */
export type LineOperation =
  'json' | 'regexp' | 'exception' | 'timer' | 'microtask' | 'buffer' | 'console' | 'lock';

export interface LineMark {
  readonly operation: LineOperation;
  /** As a reader knows it: `JSON.parse`, `/a+/.test`, `throw new Error`. */
  readonly name: string;
  /** In whose body it stands; null for the module's. */
  readonly within: SourceFunction | null;
  /** Whether it is repeated by a loop of that function that begins on its line. */
  readonly isRepeated: boolean;
}

export interface Syntax {
  /** In order of their start; a function comes before those nested in it. */
  readonly functions: readonly SourceFunction[];
  /** By 1-based line. */
  readonly marks: ReadonlyMap<number, readonly LineMark[]>;
  /** Whose loops begin and end on a 1-based line. */
  readonly loops: ReadonlyMap<number, ReadonlySet<SourceFunction | null>>;
  /** Calls by 1-based line: the last name of each callee, `UNKNOWN_CALLEE` where only the run tells it. */
  readonly calls: ReadonlyMap<number, readonly string[]>;
  /**
   * Lines that read a property by its name. Indexes, `length`, methods of the language's own objects and lines that
   * build text or look into a map or a set are left out: V8 serves them by other stubs.
   */
  readonly propertyLines: ReadonlySet<number>;
  /** Lines that make objects or lists. */
  readonly makingLines: ReadonlySet<number>;
  /** Variables that hold what a function of the file returned, with its name: `const route = memoise(…)`. */
  readonly made: ReadonlyMap<string, string>;
  /** What `throw new …` makes. */
  readonly thrown: ReadonlySet<string>;
  readonly memory: MemoryAccess;
}

export const UNKNOWN_CALLEE = '?';

type Parser = typeof Acorn;

/** Larger texts are bundles: parsing them would take longer than the profile is worth. */
export const MAX_SOURCE_CHARACTERS = 3_000_000;

/** Null where the text is not JavaScript that acorn knows, or too large. */
export function parseSyntax(acorn: Parser, text: string): Syntax | null {
  if (text.length > MAX_SOURCE_CHARACTERS) return null;
  const program = parseProgram(acorn, text);
  return program === null ? null : new SyntaxCollector(text).collect(program);
}

export function parseProgram(acorn: Parser, text: string): Program | null {
  for (const sourceType of ['module', 'script'] as const) {
    try {
      return acorn.parse(text, {
        ecmaVersion: 'latest',
        sourceType,
        locations: true,
        allowHashBang: true,
        allowReturnOutsideFunction: true,
        allowAwaitOutsideFunction: sourceType === 'module',
      });
    } catch {
      // The other source type may accept it; a text that neither accepts is no JavaScript.
    }
  }
  return null;
}

class SyntaxCollector {
  readonly #text: string;
  readonly #functions: SourceFunction[] = [];
  readonly #marks = new Map<number, LineMark[]>();
  readonly #loops = new Map<number, Set<SourceFunction | null>>();
  readonly #calls = new Map<number, string[]>();
  readonly #propertyLines = new Set<number>();
  readonly #makingLines = new Set<number>();
  readonly #builtinCallees = new Set<AnyNode>();
  readonly #stubLines = new Set<number>();
  readonly #thrown = new Set<string>();
  readonly #made = new Map<string, string>();
  /** Patterns by the variable or property that holds them, and the lines that use such a one. */
  readonly #patterns = new Map<string, string>();
  readonly #patternUses: { line: number; variable: string; mark: Omit<LineMark, 'name'> }[] = [];
  readonly #variableCalls: { line: number; name: string }[] = [];
  #current: SourceFunction | null = null;
  /** Lines on which loops around the current place, in the current function, begin. */
  #around: number[] = [];
  #returned: AnyNode | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  collect(program: Program): Syntax {
    this.#visit(program as unknown as AnyNode, null);
    for (const { line, variable, mark } of this.#patternUses) {
      const pattern = this.#patterns.get(variable);
      if (pattern !== undefined) this.#addMark(line, { ...mark, name: pattern });
    }
    // A call of a name that no function of the file has goes through a variable or an import.
    const declared = new Set(this.#functions.map(({ name }) => name));
    for (const { line, name } of this.#variableCalls) {
      if (!declared.has(name)) this.#addCall(line, UNKNOWN_CALLEE);
    }
    for (const line of this.#stubLines) this.#propertyLines.delete(line);
    this.#functions.sort((a, b) => a.start - b.start || b.end - a.end);
    return {
      functions: this.#functions,
      marks: this.#marks,
      loops: this.#loops,
      calls: this.#calls,
      propertyLines: this.#propertyLines,
      makingLines: this.#makingLines,
      thrown: this.#thrown,
      made: this.#made,
      memory: findMemoryAccess(program),
    };
  }

  #visit(node: AnyNode, namer: AnyNode | null): void {
    const assignedName = namer === null ? '' : lastName(namer);
    if (this.#current !== null && ALLOCATING_TYPES.has(node.type)) this.#current.allocates = true;
    if (this.#current !== null && MAKING_TYPES.has(node.type)) this.#current.makes = true;
    if (LITERALS.has(node.type)) this.#addMakingLines(node);
    if (this.#current !== null && isStore(node)) this.#current.keeps = true;
    if (this.#current !== null && LOOPS.has(node.type)) this.#current.loops = true;
    if (assignedName !== '') this.#keepPattern(node, assignedName);
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.#enterFunction(node, assignedName, namer);
        return;
      case 'CallExpression':
        this.#call(node);
        break;
      case 'NewExpression': {
        const name = lastName(node.callee as AnyNode);
        this.#addCall(lineOf(node), name);
        if (!/Error$|Exception$/.test(name)) this.#makingLines.add(lineOf(node));
        if (/Error$|Exception$/.test(name)) this.#mark(lineOf(node), 'exception', `new ${name}`);
        else if (name === 'Promise') this.#mark(lineOf(node), 'microtask', 'new Promise');
        else if (name === 'RegExp') this.#mark(lineOf(node), 'regexp', 'new RegExp');
        this.#current?.callees.add(name);
        break;
      }
      case 'ThrowStatement':
        this.#mark(lineOf(node), 'exception', 'throw');
        if ((node.argument as AnyNode).type === 'NewExpression')
          this.#thrown.add(lastName((node.argument as AnyNode).callee as AnyNode));
        break;
      case 'AwaitExpression':
        this.#mark(lineOf(node), 'microtask', 'await');
        break;
      case 'MemberExpression':
        if (node.computed !== true && lastName(node) !== 'length' && !this.#builtinCallees.has(node)) {
          this.#propertyLines.add(lineOf(node.property as AnyNode));
        }
        break;
      case 'VariableDeclarator': {
        const init = node.init as AnyNode | null;
        const variable = lastName(node.id as AnyNode);
        if (init?.type === 'CallExpression' && variable !== '')
          this.#made.set(variable, lastName(init.callee as AnyNode));
        break;
      }
      case 'TemplateLiteral':
        if ((node.expressions as AnyNode[]).length > 0)
          for (let line = lineOf(node); line <= node.loc!.end.line; line += 1) this.#stubLines.add(line);
        break;
    }
    const isLoop = LOOPS.has(node.type);
    if (isLoop) this.#enterLoop(node);
    if (node.type === 'ReturnStatement') this.#returned = node.argument as AnyNode | null;
    for (const [key, value] of Object.entries(node)) {
      if (Array.isArray(value)) {
        for (const item of value) if (isNode(item)) this.#visit(item, null);
      } else if (isNode(value)) {
        this.#visit(value, namerOf(node, key));
      }
    }
    if (isLoop) this.#around.pop();
  }

  #enterLoop(node: AnyNode): void {
    const line = lineOf(node);
    this.#around.push(line);
    if (node.loc!.end.line !== line) return;
    const owners = this.#loops.get(line) ?? new Set();
    this.#loops.set(line, owners.add(this.#current));
  }

  #enterFunction(node: AnyNode, assignedName: string, namer: AnyNode | null): void {
    const id = node.id as { name?: string } | null | undefined;
    const loc = node.loc!;
    if (this.#current !== null) this.#current.allocates = this.#current.makes = true;
    const entered: SourceFunction = {
      name: id?.name ?? assignedName,
      returnedBy: this.#returned === node ? this.#current?.name || (this.#current?.returnedBy ?? '') : '',
      start: node.start,
      end: node.end,
      line: loc.start.line,
      column: loc.start.column + 1,
      endLine: loc.end.line,
      namedAt: placeOf((node.id as AnyNode | null | undefined) ?? namer),
      parent: this.#current,
      callees: new Set(),
      allocates: false,
      makes: false,
      keeps: false,
      loops: false,
    };
    this.#functions.push(entered);
    this.#current = entered;
    const around = this.#around;
    this.#around = [];
    for (const parameter of node.params as AnyNode[]) this.#visit(parameter, null);
    // The body of an arrow function may be what it returns.
    this.#returned = node.body as AnyNode;
    this.#visit(node.body as AnyNode, null);
    this.#current = entered.parent;
    this.#around = around;
  }

  #call(node: AnyNode): void {
    const callee = node.callee as AnyNode;
    const name = lastName(callee) || UNKNOWN_CALLEE;
    const property = callee.type === 'MemberExpression' ? (callee.property as AnyNode) : callee;
    const line = lineOf(property);
    if (callee.type === 'MemberExpression' && isOfLanguage(callee, name)) this.#builtinCallees.add(callee);
    this.#current?.callees.add(name);
    if (this.#current !== null && ALLOCATING_CALLS.has(name)) this.#current.allocates = true;
    if (this.#current !== null && KEEPING_CALLS.has(name) && callee.type === 'MemberExpression')
      this.#current.keeps = true;
    if (HASH_CALLS.has(name) && callee.type === 'MemberExpression') this.#stubLines.add(line);
    if (COPYING_CALLS.has(name) && callee.type === 'MemberExpression') this.#makingLines.add(line);
    this.#addCall(line, name);
    if (callee.type === 'Identifier' && !(name in globalThis)) this.#variableCalls.push({ line, name });

    const object = callee.type === 'MemberExpression' ? (callee.object as AnyNode) : null;
    const objectName = object === null ? '' : lastName(object);
    if (objectName === 'JSON') this.#mark(line, 'json', `JSON.${name}`);
    else if (objectName === 'console') this.#mark(line, 'console', `console.${name}`);
    else if (objectName === 'Atomics' && LOCKING.has(name)) this.#mark(line, 'lock', `Atomics.${name}`);
    else if (objectName === 'Buffer') this.#mark(line, 'buffer', `Buffer.${name}`);
    else if (name === 'structuredClone') this.#mark(line, 'json', name);
    else if (name === 'captureStackTrace') this.#mark(line, 'exception', `Error.${name}`);
    else if (TIMER_CALLS.has(name)) this.#mark(line, 'timer', name);
    else if (object !== null && REGEXP_METHODS.has(name)) this.#regexpCall(line, name, object, node);
    else if (object === null ? name === 'queueMicrotask' : MICROTASK_CALLS.has(name)) {
      if (name !== 'resolve' || objectName === 'Promise') this.#mark(line, 'microtask', name);
    }
  }

  /** The line on which a literal begins, and those of its members: functions in it make nothing before they are called. */
  #addMakingLines(literal: AnyNode): void {
    this.#makingLines.add(lineOf(literal));
    for (const member of (literal.properties ?? literal.elements ?? []) as (AnyNode | null)[]) {
      const value = (member?.type === 'Property' ? member.value : member) as AnyNode | null;
      if (value !== null && !value.type.includes('Function')) this.#makingLines.add(lineOf(value));
    }
  }

  #addCall(line: number, name: string): void {
    const calls = this.#calls.get(line);
    if (calls === undefined) this.#calls.set(line, [name]);
    else calls.push(name);
  }

  /** `test` and `exec` belong to regular expressions; the string methods only where one is passed. */
  #regexpCall(line: number, name: string, object: AnyNode, node: AnyNode): void {
    const argument = (node.arguments as AnyNode[])[0];
    const literal = isRegexp(object)
      ? object
      : argument !== undefined && isRegexp(argument)
        ? argument
        : null;
    if (literal !== null) {
      this.#mark(line, 'regexp', this.#text.slice(literal.start, literal.end));
    } else if (argument !== undefined && REGEXP_ARGUMENT.has(name) && lastName(argument) !== '') {
      // The pattern may stand further down; whose line this is, is known here alone.
      this.#patternUses.push({ line, variable: lastName(argument), mark: this.#here(line, 'regexp') });
    } else if (name === 'test' || name === 'exec' || name === 'matchAll' || name === 'match') {
      this.#mark(line, 'regexp', `${this.#text.slice(object.start, object.end).slice(0, 40)}.${name}`);
    }
  }

  /** `const SPACES = /\s+$/`, `{ trailing: new RegExp('…') }`. */
  #keepPattern(node: AnyNode, name: string): void {
    if (isRegexp(node)) this.#patterns.set(name, this.#text.slice(node.start, node.end));
    if (node.type !== 'NewExpression' || lastName(node.callee as AnyNode) !== 'RegExp') return;
    const source = (node.arguments as AnyNode[])[0];
    const isKnown = source?.type === 'Literal' && typeof source.value === 'string';
    this.#patterns.set(name, isKnown ? `/${source.value as string}/` : `new RegExp in ${name}`);
  }

  #mark(line: number, operation: LineOperation, name: string): void {
    this.#addMark(line, { ...this.#here(line, operation), name });
  }

  #here(line: number, operation: LineOperation): Omit<LineMark, 'name'> {
    return { operation, within: this.#current, isRepeated: this.#around.includes(line) };
  }

  #addMark(line: number, mark: LineMark): void {
    const marks = this.#marks.get(line);
    if (marks === undefined) this.#marks.set(line, [mark]);
    else marks.push(mark);
  }
}

/** `this.last = x`, `table[key] = x`: a plain property of something else is most often a header or a flag. */
function isStore(node: AnyNode): boolean {
  if (node.type !== 'AssignmentExpression' || node.operator !== '=') return false;
  const target = node.left as AnyNode;
  if (target.type !== 'MemberExpression') return false;
  return target.computed === true || (target.object as AnyNode).type === 'ThisExpression';
}

function isOfLanguage(callee: AnyNode, name: string): boolean {
  const object = callee.object as AnyNode;
  return BUILTIN_METHODS.has(name) || (object.type === 'Identifier' && (object.name as string) in globalThis);
}

function isRegexp(node: AnyNode): boolean {
  return node.type === 'Literal' && node.regex !== undefined;
}

/** What gives an anonymous function its name where it stands: `const f = () => …`, `{ f() {} }`, `a.f = …`. */
function namerOf(node: AnyNode, key: string): AnyNode | null {
  if (node.type === 'VariableDeclarator' && key === 'init') return node.id as AnyNode;
  if (node.type === 'AssignmentExpression' && key === 'right') return node.left as AnyNode;
  const isMember =
    node.type === 'Property' || node.type === 'MethodDefinition' || node.type === 'PropertyDefinition';
  return isMember && key === 'value' && node.computed !== true ? (node.key as AnyNode) : null;
}

/** Of the identifier at the end of a chain of members. */
function placeOf(namer: AnyNode | null): { line: number; column: number } | undefined {
  if (namer === null) return undefined;
  const at = namer.type === 'MemberExpression' ? (namer.property as AnyNode) : namer;
  return { line: at.loc!.start.line, column: at.loc!.start.column + 1 };
}
