/**
 * Splits C source into tokens with their places. Comments and line splices go; a directive (`#…`) is kept as one
 * token, so that the preprocessor decides about it. Anything that is no C stays a token of one character: it is for
 * the parser to skip.
 */

export interface Token {
  readonly kind: 'name' | 'number' | 'char' | 'string' | 'punctuation' | 'directive' | 'pack' | 'end';
  readonly text: string;
  /** Physical line of the source, from 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

const PUNCTUATION = ['...', '<<=', '>>=', '<<', '>>', '<=', '>=', '==', '!=', '&&', '||', '->', '##'];

const SPACE = /[ \t\r\v\f]+/y;
const NAME = /[A-Za-z_$][A-Za-z0-9_$]*/y;
const NUMBER = /\.?[0-9](?:[eEpP][+-]|[A-Za-z0-9_.'])*/y;
const CHARACTER = /[LuU]?'(?:[^'\\\n]|\\[^\n])*'/y;
const STRING = /(?:L|u8|u|U)?"(?:[^"\\\n]|\\[^\n])*"/y;

/** Tokens of the source, in linear time; the last is of kind `end`. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let lineStart = 0;
  let at = 0;
  let fresh = true; // nothing but space on this line so far
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  const push = (kind: Token['kind'], text: string) => {
    tokens.push({ kind, text, line, column: at - lineStart + 1 });
    at += text.length;
    fresh = false;
  };
  const newline = (next: number) => {
    line += 1;
    lineStart = next;
    at = next;
  };
  /** Moves to `end`, counting lines. */
  const skipTo = (end: number) => {
    for (let next = source.indexOf('\n', at); next >= 0 && next < end; next = source.indexOf('\n', at)) {
      newline(next + 1);
    }
    at = end;
  };

  while (at < source.length) {
    const character = source[at] as string;
    if (character === '\n') {
      newline(at + 1);
      fresh = true;
      continue;
    }
    const space = match(SPACE);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    if (character === '\\' && /^\\[ \t\r]*\n/.test(source.slice(at, at + 8))) {
      newline(source.indexOf('\n', at) + 1);
      continue;
    }
    if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2);
      skipTo(end < 0 ? source.length : end + 2);
      continue;
    }
    if (source.startsWith('//', at)) {
      at = endOfLine(source, at);
      continue;
    }
    if (character === '#' && fresh) {
      const end = endOfDirective(source, at);
      const text = source.slice(at, end);
      tokens.push({ kind: 'directive', text: joined(text), line, column: at - lineStart + 1 });
      skipTo(end);
      continue;
    }
    const text = match(STRING);
    if (text !== undefined) {
      push('string', text);
      continue;
    }
    const quoted = match(CHARACTER);
    if (quoted !== undefined) {
      push('char', quoted);
      continue;
    }
    const name = match(NAME);
    if (name !== undefined) {
      push('name', name);
      continue;
    }
    const number = match(NUMBER);
    if (number !== undefined) {
      push('number', number);
      continue;
    }
    push('punctuation', PUNCTUATION.find((each) => source.startsWith(each, at)) ?? character);
  }
  tokens.push({ kind: 'end', text: '', line, column: at - lineStart + 1 });
  return tokens;
}

function endOfLine(source: string, from: number): number {
  const end = source.indexOf('\n', from);
  return end < 0 ? source.length : end;
}

/** A directive ends with its line, which splices and block comments prolong. */
function endOfDirective(source: string, from: number): number {
  let at = from;
  for (;;) {
    const end = endOfLine(source, at);
    const line = source.slice(at, end);
    const comment = line.indexOf('/*');
    const lineComment = line.indexOf('//');
    if (comment >= 0 && (lineComment < 0 || lineComment > comment)) {
      const close = source.indexOf('*/', at + comment + 2);
      if (close < 0) return source.length;
      at = close + 2;
      continue;
    }
    if (end === source.length || !/\\[ \t\r]*$/.test(line)) return end;
    at = end + 1;
  }
}

function joined(directive: string): string {
  return directive
    .replace(/\\[ \t\r]*\n/g, ' ')
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/\/\/.*$/, '')
    .trim();
}
