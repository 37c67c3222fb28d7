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
        name: nameOf(callFrame.functionName, own) || unnamed,
        origin,
        file,
        line: lineNumber + 1,
        column: columnNumber + 1,
        function: own,
      };
      this.#frames.set(key, frame);
      if (own !== null) this.#frames.set(frame.key, frame);
    }
    return frame;
  }

  /** The frame of another function of the same file, for one that V8 had inlined. */
  ofFunction(file: string, origin: Frame['origin'], found: SourceFunction): Frame {
    const key = functionKey(file, found);
    let frame = this.#frames.get(key);
    if (frame === undefined) {
      frame = {
        key,
        name: found.name || found.returnedBy || '(anonymous)',
        origin,
        file,
        line: found.line,
        column: 0,
        function: found,
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
      ...(line === undefined && frame.column > 0 ? { column: frame.column } : {}),
    };
    return frame.origin === 'user' || frame.origin === 'dependency' ? this.sources.original(place) : place;
  }
}

function functionKey(file: string, found: SourceFunction): string {
  return `${file}#${found.start}`;
}

/**
 * V8 infers names for functions without one, from the call or literal that they stand in (`app.get.handler`).
 * Where the source gives none either, such a name would send the reader to the wrong place.
 */
function nameOf(given: string, own: SourceFunction | null): string {
  const isInferred = own !== null && own.name === '' && given.includes('.');
  return (isInferred ? '' : given) || own?.name || (own?.returnedBy ?? '');
}
