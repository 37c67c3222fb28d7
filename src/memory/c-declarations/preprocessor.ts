/**
 * The part of the C preprocessor that declarations need: conditionals, macros without parameters, `#pragma pack` and
 * the line markers of preprocessed source. `#include` is not followed; what a header takes from others is given by
 * `defines` and `types`, or comes with the output of `cc -E`. Function-like macros stay as they are written, so that
 * a struct that uses one is reported instead of guessed at.
 */
import { fail } from '../../errors.js';
import { evaluate } from './constant-expression.js';
import { tokenize, type Token } from './tokens.js';

/** Against macros that multiply, also into nothing: as many as some 20 MB of source have tokens. */
const MAX_EXPANSIONS = 2 ** 21;
const MAX_MACRO_DEPTH = 200;

/** Where a stretch of the source came from, by the line markers of a preprocessor. */
export interface Origin {
  /** First physical line of the stretch. */
  readonly from: number;
  readonly file: string;
  /** Line in that file minus physical line. */
  readonly shift: number;
  readonly isSystemHeader: boolean;
}

export interface Preprocessed {
  readonly tokens: readonly Token[];
  readonly origins: readonly Origin[];
}

interface Branch {
  active: boolean;
  /** A branch of this conditional was taken already. */
  taken: boolean;
  readonly outer: boolean;
}

const PREDEFINED: Readonly<Record<string, string>> = {
  __LP64__: '1',
  _LP64: '1',
  __SIZEOF_POINTER__: '8',
  __CHAR_BIT__: '8',
  __STDC__: '1',
  __STDC_VERSION__: '201112L',
};

export function preprocess(source: string, defines: Readonly<Record<string, string | number>>): Preprocessed {
  const macros = new Map<string, readonly Token[] | 'function'>();
  for (const [name, value] of Object.entries({ ...PREDEFINED, ...defines })) {
    macros.set(name, tokenize(String(value)).slice(0, -1));
  }
  const tokens: Token[] = [];
  const origins: Origin[] = [];
  const branches: Branch[] = [];
  const active = () => branches.at(-1)?.active ?? true;

  let expansions = 0;
  const expand = (token: Token, into: Token[], within: readonly string[]): void => {
    const body = token.kind === 'name' ? macros.get(token.text) : undefined;
    if ((expansions += 1) > MAX_EXPANSIONS) {
      throw fail('INVALID_ARGUMENT', {
        name: 'source',
        actual: `more than ${MAX_EXPANSIONS} tokens with its macros expanded`,
        expected: 'the header with the structs alone',
      });
    }
    const nested = within.includes(token.text) || within.length >= MAX_MACRO_DEPTH;
    if (body === undefined || body === 'function' || nested) {
      into.push(token);
      return;
    }
    const inner = [...within, token.text];
    for (const each of body) expand({ ...each, line: token.line, column: token.column }, into, inner);
  };

  const holds = (condition: string): boolean => {
    const replaced = condition.replace(
      /\bdefined\s*(?:\(\s*(\w+)\s*\)|(\w+))/g,
      (_, a: string | undefined, b: string) => (macros.has(a ?? b) ? '1' : '0'),
    );
    const expanded: Token[] = [];
    for (const token of tokenize(replaced).slice(0, -1)) expand(token, expanded, []);
    // What is not defined counts as 0, as in C.
    return (evaluate(expanded, () => 0n) ?? 0n) !== 0n;
  };

  const directive = (token: Token): void => {
    const marker = /^#\s*(?:line\s+)?(\d+)\s+"([^"]*)"([\s\d]*)$/.exec(token.text);
    if (marker !== null) {
      origins.push({
        from: token.line + 1,
        file: marker[2] as string,
        shift: Number(marker[1]) - (token.line + 1),
        isSystemHeader: /\b3\b/.test(marker[3] as string),
      });
      return;
    }
    const [, name = '', rest = ''] = /^#\s*(\w+)\s*([\s\S]*)$/.exec(token.text) ?? [];
    const branch = branches.at(-1);
    switch (name) {
      case 'if':
      case 'ifdef':
      case 'ifndef': {
        const outer = active();
        const word = rest.trim();
        const wanted = outer && (name === 'if' ? holds(rest) : macros.has(word) === (name === 'ifdef'));
        branches.push({ active: wanted, taken: wanted, outer });
        return;
      }
      case 'elif':
      case 'else':
        if (branch === undefined) return;
        branch.active = branch.outer && !branch.taken && (name === 'else' || holds(rest));
        branch.taken ||= branch.active;
        return;
      case 'endif':
        branches.pop();
        return;
      default:
    }
    if (!active()) return;
    if (name === 'define') define(rest);
    if (name === 'undef') macros.delete(rest.trim());
    if (name === 'pragma' && /^pack\b/.test(rest)) tokens.push({ ...token, kind: 'pack', text: rest });
  };

  const define = (rest: string): void => {
    const [, macro, parameters, body = ''] = /^(\w+)(\()?([\s\S]*)$/.exec(rest) ?? [];
    if (macro === undefined) return;
    macros.set(macro, parameters === undefined ? tokenize(body).slice(0, -1) : 'function');
  };

  for (const token of tokenize(source)) {
    if (token.kind === 'directive') directive(token);
    else if (token.kind === 'end') tokens.push(token);
    else if (active()) expand(token, tokens, []);
  }
  return { tokens, origins };
}
