/** Resolves profile nodes to functions of the source: whose code, which function, where the user wrote it. */
import type { CodeLocation } from '../../model/finding.js';
import type { FunctionCost } from '../../model/signals.js';
import { isOwnFile } from './own-time.js';
import type { RawCallFrame } from './raw.js';
import { fileOfUrl, originOf, type SourceIndex } from '../source/source-index.js';
import type { SourceFunction } from '../source/syntax.js';

export interface Frame {
  /** Equal for all frames of one function. */
  readonly key: string;
  readonly name: string;
  readonly origin: FunctionCost['origin'] | 'own';
  /** As V8 executed it. `line` and `column` are 1-based, 0 where unknown. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly function: SourceFunction | null;
  /** A function to which the source gives no name: `name` is then that of the function around it. */
  readonly isUnnamed: boolean;
}

export class FrameResolver {
  readonly sources: SourceIndex;
  readonly #frames = new Map<string, Frame>();

  constructor(sources: SourceIndex) {
    this.sources = sources;
  }

  resolve(callFrame: RawCallFrame): Frame {
    const { url, lineNumber, columnNumber } = callFrame;
    const key = `${url}:${lineNumber}:${columnNumber}:${callFrame.functionName}`;
    let frame = this.#frames.get(key);
    if (frame === undefined) {
      const file = fileOfUrl(url);
      const origin = isOwnFile(file) ? 'own' : originOf(url, callFrame.functionName);
      const hasSource = (origin === 'user' || origin === 'dependency') && lineNumber >= 0;
      const found = hasSource ? this.sources.functionAt(file, lineNumber + 1, columnNumber + 1) : null;
      // The function around the place is this frame's only where it begins there; module code has none.
      const own = found !== null && found.line === lineNumber + 1 ? found : null;
      const unnamed = hasSource && own === null && lineNumber <= 0 ? '(module)' : '(anonymous)';
      frame = {
        key: own === null ? key : functionKey(file, own),
        name: this.#nameOf(file, callFrame.functionName, own) || unnamed,
        origin,
        file,
        line: lineNumber + 1,
        column: columnNumber + 1,
        function: own,
        isUnnamed: own !== null && isUnnamed(callFrame.functionName, own),
      };
      this.#frames.set(key, frame);
      if (own !== null) this.#frames.set(frame.key, frame);
    }
    return frame;
  }

  /**
   * As the user wrote it. V8 puts the object before what is assigned to one of its members (`exports.load`), and `get`
   * before a getter; a bundler shortens names, which its source map keeps. A callback without a name goes by the named
   * function around it, which is what a reader looks for.
   */
  #nameOf(file: string, given: string, own: SourceFunction | null): string {
    if (own === null) return given;
    const original = this.sources.originalName(file, own);
    if (original !== null) return original;
    if (own.name !== '' && (given === '' || given.endsWith(`.${own.name}`) || given.endsWith(` ${own.name}`)))
      return own.name;
    if (!isUnnamed(given, own))
      return (own.name === '' && given.includes('.') ? '' : given) || own.returnedBy;
    for (let around = own.parent; around !== null; around = around.parent) {
      const name = this.sources.originalName(file, around) ?? (around.name || around.returnedBy);
      if (name !== '') return name;
    }
    return '';
  }

  /** The frame of another function of the same file, for one that V8 had inlined. */
  ofFunction(file: string, origin: Frame['origin'], found: SourceFunction): Frame {
    const key = functionKey(file, found);
    let frame = this.#frames.get(key);
    if (frame === undefined) {
      frame = {
        key,
        name: this.#nameOf(file, '', found) || '(anonymous)',
        origin,
        file,
        line: found.line,
        column: found.column,
        function: found,
        isUnnamed: isUnnamed('', found),
      };
      this.#frames.set(key, frame);
    }
    return frame;
  }

  /** Where the user finds a line of this frame; its first line where none is given. */
  location(frame: Frame, line?: number): CodeLocation {
    const place: CodeLocation = {
      function: frame.name,
      file: frame.file,
      line: Math.max(1, line ?? frame.line),
      // In minified code a line is a whole file: the function's own place is the nearest that is known.
      ...((line === undefined || sharesLine(frame, line)) && frame.column > 0
        ? { column: frame.column }
        : {}),
    };
    return frame.origin === 'user' || frame.origin === 'dependency' ? this.sources.original(place) : place;
  }
}

/** Where the text is not known, a line on which the function begins may hold all of it and others too. */
function sharesLine({ function: own, line: begins }: Frame, line: number): boolean {
  return own === null ? begins === line : own.line === line && own.endLine === line;
}

function functionKey(file: string, found: SourceFunction): string {
  return `${file}#${found.start}`;
}

/**
 * V8 infers names for functions without one, from the call or literal that they stand in (`app.get.handler`).
 * Where the source gives none either, such a name would send the reader to the wrong place.
 */
function isUnnamed(given: string, own: SourceFunction): boolean {
  return own.name === '' && own.returnedBy === '' && (given === '' || given.includes('.'));
}
