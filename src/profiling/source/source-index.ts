/**
 * Answers, for a place that V8 reports, which function of the source it lies in, what its line does, and where
 * the user wrote it. Files are read and parsed at most once, and only those that a profile found hot.
 */
import type * as Acorn from 'acorn';
import { readFileSync } from 'node:fs';
import type { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { CodeLocation } from '../../model/finding.js';
import type { FunctionCost } from '../../model/signals.js';
import { hasRoomToParse } from '../headroom.js';
import { findContainers, type Containers } from './containers.js';
import { executedText, TYPESCRIPT } from './executed-text.js';
import { loadSourceMap, originalName, originalPlace } from './source-map.js';
import { findSerialAwaits, serialAwaitAround, type AwaitPlace } from './serial-awaits.js';
import { parseSyntax, UNKNOWN_CALLEE, type LineMark, type SourceFunction, type Syntax } from './syntax.js';

/** As it is when this is loaded: reading a source at the end of a window is no work of the program, whose calls are traced still. */
const readUntraced = readFileSync;

interface IndexedFile {
  readonly text: string | null;
  readonly lineStarts: readonly number[];
  syntax: Syntax | null | undefined;
  map: SourceMap | null | undefined;
  awaits: readonly AwaitPlace[] | undefined;
  containers: Containers | undefined;
}

export class SourceIndex {
  readonly #acorn: typeof Acorn | null;
  readonly #files = new Map<string, IndexedFile>();
  /** Files whose syntax was not looked at, because the heap had no room for it: V8's own frames stand. */
  unparsed = 0;

  /** @param acorn the parser, loaded by the caller (it stays off the import path); null leaves V8's own frames. */
  constructor(acorn: typeof Acorn | null) {
    this.#acorn = acorn;
  }

  /** Whether a loader transformed this file of TypeScript in memory, so that what V8 executed is not known from the disk. */
  isTransformed(file: string): boolean {
    return TYPESCRIPT.test(file) && this.#file(file).text === null;
  }

  /**
   * Whether a function can begin at V8's 1-based place in the text that is taken for the executed one. False where a loader
   * transformed a file of TypeScript without Node's knowledge, so that its text is another one.
   */
  mayBeginAt(file: string, line: number, column: number): boolean {
    if (!TYPESCRIPT.test(file)) return true;
    const indexed = this.#file(file);
    const { text } = indexed;
    // Code of the module itself begins at 1:1, whatever its text.
    if (text === null || (line === 1 && column === 1) || this.#syntax(indexed) === null) return true;
    const lineStart = indexed.lineStarts[line - 1];
    if (lineStart === undefined) return false;
    const offset = lineStart + column - 1;
    const nextLine = indexed.lineStarts[line] ?? text.length + 1;
    if (offset >= nextLine - 1) return false;
    // Of a class without a constructor, the one that V8 makes, and what initialises its fields.
    if (/^(class\b|static\b|[#\w$[\]'"]+\s*[=;])/.test(text.slice(offset, offset + 200))) return true;
    const found = this.functionAt(file, line, column);
    // V8 counts from the parameters, the parser from the keyword.
    if (found === null || found.start === offset) return found !== null;
    return text[offset] === '(' && !text.slice(found.start, offset).includes('(');
  }

  /** @param text what V8 executed for the file, where that is not on disk; null where it is not known either. */
  learn(file: string, text: string | null): void {
    this.#files.set(file, indexedFile(text));
  }

  /** The function that begins at V8's 1-based place, or the innermost one around it. */
  functionAt(file: string, line: number, column: number): SourceFunction | null {
    const indexed = this.#file(file);
    const syntax = this.#syntax(indexed);
    const lineStart = indexed.lineStarts[line - 1];
    if (syntax === null || lineStart === undefined) return null;
    const offset = lineStart + column - 1;
    let found: SourceFunction | null = null;
    for (const candidate of syntax.functions) {
      if (candidate.start > offset) break;
      if (candidate.end > offset) found = candidate;
    }
    return found;
  }

  /**
   * The function that really ran when V8 says that `outer` stood on `line`. They differ where V8 inlined a
   * function: its frame is lost, the line remains. A line outside `outer` is believed only where `outer` calls,
   * directly or through up to two others, a function of the name that encloses the line; otherwise the line
   * comes from another file and nothing can be said.
   */
  functionOnLine(file: string, outer: SourceFunction | null, line: number): SourceFunction | null {
    const syntax = this.#syntax(this.#file(file));
    if (syntax === null) return outer;
    let inner: SourceFunction | null = null;
    let oneLiners = 0;
    for (const candidate of syntax.functions) {
      if (candidate.line > line) break;
      // On its first line a nested function may only be created there, so that line stays with the outer one.
      const startsInside = candidate.line < line || candidate.line === candidate.endLine;
      if (candidate.endLine < line || !startsInside) continue;
      const isNestedOneLiner = candidate.line === candidate.endLine && candidate.parent !== null;
      if (isNestedOneLiner) continue;
      inner = candidate;
      if (candidate.line === candidate.endLine) oneLiners += 1;
    }
    // In minified code the line tells nothing.
    if (oneLiners > 1) return outer;
    // Module code may only be believed to have inlined what it encloses, which is every function of the file.
    if (inner === null || inner === outer || outer === null) return inner ?? outer;
    if (isWithin(inner, outer)) return inner;
    if (line >= outer.line && line <= outer.endLine) return outer;
    return this.#reaches(syntax, outer, inner.name, 3) ? inner : outer;
  }

  /**
   * The function that a line of `outer` calls and that can account for much time on it: one function of this file
   * that loops. For samples in code that was optimised without the tables that would tell.
   */
  calledOnLine(file: string, outer: SourceFunction | null, line: number): SourceFunction | null {
    const syntax = this.#syntax(this.#file(file));
    const names = syntax?.calls.get(line);
    if (syntax === null || names === undefined) return null;
    // On a line of minified code stand the calls of many functions.
    const isCalled = (name: string) =>
      name !== '' && names.includes(name) && (outer === null || outer.callees.has(name));
    const called = syntax.functions.filter(
      (candidate) => candidate !== outer && candidate.loops && isCalled(candidate.name),
    );
    return called.length === 1 ? called[0]! : null;
  }

  /**
   * The function that V8 had inlined into `outer`, told by what stands below it on the stack: `outer` does not
   * call `callee` itself, and exactly one function that it calls does. An empty `callee` asks who makes objects.
   */
  inlinedCaller(file: string, outer: SourceFunction, callee: string): SourceFunction | null {
    return this.#inlined(file, outer, (candidate) => does(candidate, callee));
  }

  /**
   * The function that V8 had inlined into `outer`, told by what became of the objects that were made: they are kept,
   * `outer` keeps nothing, and exactly one function that it calls makes objects and keeps something.
   */
  inlinedKeeper(file: string, outer: SourceFunction): SourceFunction | null {
    if (outer.keeps) return null;
    return this.#inlined(file, outer, ({ keeps, makes }) => keeps && makes);
  }

  /** The only function that `outer` reaches, nearest first, for which `fits` holds; null where it holds for `outer`. */
  #inlined(
    file: string,
    outer: SourceFunction,
    fits: (candidate: SourceFunction) => boolean,
  ): SourceFunction | null {
    const syntax = this.#syntax(this.#file(file));
    if (syntax === null || fits(outer)) return null;
    let reached: SourceFunction[] = [outer];
    const seen = new Set(reached);
    for (let depth = 0; depth < INLINING_DEPTH && reached.length > 0; depth += 1) {
      const called = new Set(reached.flatMap(({ callees }) => [...callees]));
      const makers = new Set([...called].map((name) => syntax.made.get(name)));
      reached = syntax.functions.filter(
        (next) =>
          !seen.has(next) &&
          (next.name === '' ? next.returnedBy !== '' && makers.has(next.returnedBy) : called.has(next.name)),
      );
      for (const next of reached) seen.add(next);
      const candidates = reached.filter(fits);
      if (candidates.length > 0) return candidates.length === 1 ? candidates[0]! : null;
    }
    return null;
  }

  /**
   * Operations that may have taken the time that V8 shows as plain self time of a line: those of the function and of what
   * it holds. Where one of its loops shares the line, as all do in minified code, only what the loop repeats.
   *
   * @param of null where the function is not known: all of the line.
   */
  marks(file: string, line: number, of: SourceFunction | null): readonly LineMark[] {
    const syntax = this.#syntax(this.#file(file));
    const all = syntax?.marks.get(line) ?? [];
    if (all.length === 0) return all;
    const isOf = (each: SourceFunction | null) => of === null || (each !== null && isWithin(each, of));
    const loops = [...(syntax?.loops.get(line) ?? [])].some(isOf);
    return all.filter(({ within, isRepeated }) => isOf(within) && (isRepeated || !loops));
  }

  /** Whether a line calls a function of this name, and does nothing that is known to be dear by itself. */
  onlyCalls(file: string, line: number, callee: string): boolean {
    const syntax = this.#syntax(this.#file(file));
    if (syntax === null || syntax.marks.has(line)) return false;
    const calls = syntax.calls.get(line);
    return calls !== undefined && (calls.includes(callee) || calls.includes(UNKNOWN_CALLEE));
  }

  /**
   * The await around V8's 1-based place that stands in a row with others and needs none of their results; null
   * where there is none.
   */
  serialAwaitAt(file: string, line: number, column: number): AwaitPlace | null {
    const indexed = this.#file(file);
    const lineStart = indexed.lineStarts[line - 1];
    if (this.#acorn === null || indexed.text === null || lineStart === undefined) return null;
    if (indexed.awaits === undefined)
      indexed.awaits = this.#hasRoom(indexed.text) ? findSerialAwaits(this.#acorn, indexed.text) : [];
    return serialAwaitAround(indexed.awaits, lineStart + column - 1);
  }

  /**
   * How what a function makes is kept from growing for ever: every container that the function, its callers and what they
   * call put something into is bounded. Null where one of them is not, and where none is known.
   */
  boundOf(file: string, of: SourceFunction): string | null {
    const indexed = this.#file(file);
    const syntax = this.#syntax(indexed);
    if (syntax === null || this.#acorn === null || indexed.text === null) return null;
    indexed.containers ??= findContainers(this.#acorn, indexed.text);
    const { kept, bounds } = indexed.containers;
    const near = new Set([of]);
    for (let depth = 0; depth < INLINING_DEPTH; depth += 1) {
      const names = new Set([...near].map(({ name }) => name).filter((name) => name !== ''));
      const called = new Set([...near].flatMap(({ callees }) => [...callees]));
      for (const next of syntax.functions) {
        if (called.has(next.name) || [...next.callees].some((name) => names.has(name))) near.add(next);
      }
    }
    const containers = [...near].flatMap(({ start }) => [...(kept.get(start) ?? [])]);
    const [first] = containers;
    return first !== undefined && containers.every((name) => bounds.has(name))
      ? `${first}: ${bounds.get(first)!}`
      : null;
  }

  /** Whether a `throw new …` of the file makes objects of the class of this name. */
  throwsNew(file: string, name: string): boolean {
    return this.#syntax(this.#file(file))?.thrown.has(name) ?? false;
  }

  /** Whether a line makes objects: literals, copies by spread, `new`, or methods that return new lists. */
  makesObjects(file: string, line: number): boolean {
    return this.#syntax(this.#file(file))?.makingLines.has(line) ?? false;
  }

  /** Whether a line visits elements of lists or arrays in another order than that of memory. */
  scattersAccess(file: string, line: number): boolean {
    return this.#syntax(this.#file(file))?.memory.scatteredLines.has(line) ?? false;
  }

  /** Whether a line writes to memory that threads share. */
  writesShared(file: string, line: number): boolean {
    return this.#syntax(this.#file(file))?.memory.sharedWriteLines.has(line) ?? false;
  }

  /** Whether a line reads a property by its name. */
  readsProperties(file: string, line: number): boolean {
    return this.#syntax(this.#file(file))?.propertyLines.has(line) ?? false;
  }

  /** Line within a function on which it calls `name`; undefined where it does not or calls it in several places. */
  callLine(file: string, within: SourceFunction, name: string): number | undefined {
    const syntax = this.#syntax(this.#file(file));
    if (syntax === null) return undefined;
    let found: number | undefined;
    for (const [line, names] of syntax.calls) {
      if (line < within.line || line > within.endLine || !names.includes(name)) continue;
      if (found !== undefined) return undefined;
      found = line;
    }
    return found;
  }

  /** Where the user wrote what V8 executed. Without a source map, the same place. */
  original(place: CodeLocation): CodeLocation {
    const indexed = this.#file(place.file);
    const map = sourceMapOf(indexed, place.file);
    if (map === null) return place;
    const column = place.column ?? this.#firstColumn(indexed, place.line);
    const original = originalPlace(map, place.file, place.line, column);
    return original === null ? place : { ...place, ...original };
  }

  /** The name that the user gave a function which a bundler renamed; null where no source map keeps it. */
  originalName(file: string, { namedAt }: SourceFunction): string | null {
    if (namedAt === undefined) return null;
    const map = sourceMapOf(this.#file(file), file);
    return map === null ? null : originalName(map, namedAt.line, namedAt.column);
  }

  #firstColumn(indexed: IndexedFile, line: number): number {
    const start = indexed.lineStarts[line - 1];
    if (indexed.text === null || start === undefined) return 1;
    return /^[ \t]*/.exec(indexed.text.slice(start, start + 500))![0].length + 1;
  }

  #reaches(syntax: Syntax, from: SourceFunction, name: string, depth: number): boolean {
    if (name === '') return false;
    if (from.callees.has(name)) return true;
    if (depth === 1) return false;
    return syntax.functions.some(
      (next) =>
        next !== from &&
        next.name !== '' &&
        from.callees.has(next.name) &&
        this.#reaches(syntax, next, name, depth - 1),
    );
  }

  #syntax(indexed: IndexedFile): Syntax | null {
    if (indexed.syntax === undefined) {
      indexed.syntax =
        this.#acorn === null || indexed.text === null || !this.#hasRoom(indexed.text)
          ? null
          : parseSyntax(this.#acorn, indexed.text);
    }
    return indexed.syntax;
  }

  #hasRoom({ length }: string): boolean {
    if (hasRoomToParse(length)) return true;
    this.unparsed += 1;
    return false;
  }

  #file(file: string): IndexedFile {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    let text: string | null = null;
    if (file.startsWith('/') || /^[A-Za-z]:[\\/]/.test(file)) {
      try {
        text = executedText(file, readUntraced(file, 'utf8'));
      } catch {
        // Evaluated code, or a file that is gone: V8's own frame is all there is.
      }
    }
    const indexed = indexedFile(text);
    this.#files.set(file, indexed);
    return indexed;
  }
}

function indexedFile(text: string | null): IndexedFile {
  return {
    text,
    lineStarts: lineStarts(text ?? ''),
    syntax: undefined,
    map: undefined,
    awaits: undefined,
    containers: undefined,
  };
}

function sourceMapOf(indexed: IndexedFile, file: string): SourceMap | null {
  if (indexed.map === undefined) indexed.map = loadSourceMap(file, indexed.text);
  return indexed.map;
}

const INLINING_DEPTH = 3;
/** Functions of Node that are called by another name than their own. */
const ALIASES: Readonly<Record<string, string>> = { addListener: 'on', removeListener: 'off' };

function does(candidate: SourceFunction, callee: string): boolean {
  if (callee === '') return candidate.allocates;
  const { callees } = candidate;
  return callees.has(callee) || callees.has(UNKNOWN_CALLEE) || callees.has(ALIASES[callee] ?? callee);
}

function isWithin(inner: SourceFunction, outer: SourceFunction): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** V8's script URL as the path that people and `CodeLocation` use. */
export function fileOfUrl(url: string): string {
  if (!url.startsWith('file:')) return url;
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}

/** Whose code a frame is, from V8's URL and function name. */
export function originOf(url: string, functionName: string): FunctionCost['origin'] {
  if (url === '') {
    if (functionName === '(garbage collector)') return 'gc';
    if (functionName === '(program)' || functionName === '(idle)' || functionName === '(root)')
      return 'program';
    return 'native';
  }
  if (url.startsWith('node:') || url.startsWith('internal/')) return 'node';
  if (/[\\/]node_modules[\\/]/.test(url)) return 'dependency';
  return 'user';
}
