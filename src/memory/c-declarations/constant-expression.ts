/** Integer constant expressions of C: lengths of arrays, values of enums, conditions of `#if`. */
import type { Token } from './tokens.js';

/** Binary operators by how tightly they bind. */
const PRECEDENCE: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};
const MAX_DEPTH = 200;
const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, 0: 0, a: 7, b: 8, f: 12, v: 11 };

/** Thrown inside this file only. */
class NotConstant extends Error {}

/**
 * The value of the tokens, or undefined where they are no integer constant expression.
 * @param valueOf the value of a name; undefined where it has none
 * @param typeSize `sizeof` or `_Alignof` of the tokens of a type; undefined where it is unknown
 */
export function evaluate(
  tokens: readonly Token[],
  valueOf: (name: string) => bigint | undefined,
  typeSize: (operator: string, type: readonly Token[]) => number | undefined = () => undefined,
): bigint | undefined {
  let at = 0;
  let depth = 0;
  const peek = () => tokens[at]?.text;
  const take = (text: string) => {
    if (peek() !== text) throw new NotConstant();
    at += 1;
  };

  /** The tokens up to the parenthesis that closes the one just taken. */
  const enclosed = (): readonly Token[] => {
    const start = at;
    for (let open = 1; ; at += 1) {
      const text = peek();
      if (text === undefined) throw new NotConstant();
      if (text === '(') open += 1;
      if (text === ')' && (open -= 1) === 0) return tokens.slice(start, at++);
    }
  };

  const primary = (): bigint => {
    const token = tokens[at];
    if (token === undefined || (depth += 1) > MAX_DEPTH) throw new NotConstant();
    at += 1;
    try {
      switch (token.text) {
        case '(': {
          const start = at;
          const inner = enclosed();
          // A cast: integer types only, whose effect on constants that fit is none.
          if (inner.every((each) => each.kind === 'name') && typeSize('sizeof', inner) !== undefined) {
            return primary();
          }
          at = start;
          const value = conditional();
          take(')');
          return value;
        }
        case '-':
          return -primary();
        case '+':
          return primary();
        case '~':
          return ~primary();
        case '!':
          return primary() === 0n ? 1n : 0n;
        case 'sizeof':
        case '_Alignof':
        case 'alignof': {
          take('(');
          const size = typeSize(token.text, enclosed());
          if (size === undefined) throw new NotConstant();
          return BigInt(size);
        }
        default:
          return literal(token, valueOf);
      }
    } finally {
      depth -= 1;
    }
  };

  const binary = (least: number): bigint => {
    let left = primary();
    for (;;) {
      const operator = peek() ?? '';
      const binding = PRECEDENCE[operator];
      if (binding === undefined || binding < least) return left;
      at += 1;
      // Wide enough for every constant of C; a limit, so that long products stay cheap.
      left = BigInt.asIntN(128, apply(operator, left, binary(binding + 1)));
    }
  };

  const conditional = (): bigint => {
    if ((depth += 1) > MAX_DEPTH) throw new NotConstant();
    const condition = binary(1);
    let value = condition;
    if (peek() === '?') {
      at += 1;
      const yes = conditional();
      take(':');
      const no = conditional();
      value = condition !== 0n ? yes : no;
    }
    depth -= 1;
    return value;
  };

  try {
    const value = conditional();
    return at === tokens.length ? value : undefined;
  } catch (error) {
    if (error instanceof NotConstant) return undefined;
    throw error;
  }
}

function literal(token: Token, valueOf: (name: string) => bigint | undefined): bigint {
  let value: bigint | undefined;
  if (token.kind === 'number') value = integer(token.text);
  else if (token.kind === 'char') value = character(token.text);
  else if (token.kind === 'name') value = valueOf(token.text);
  if (value === undefined) throw new NotConstant();
  return value;
}

function integer(text: string): bigint | undefined {
  const digits = text.replaceAll("'", '').replace(/[uUlLzZ]+$/, '');
  if (/^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`);
  return /^(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)$/.test(digits) ? BigInt(digits) : undefined;
}

function character(text: string): bigint | undefined {
  const inner = text.slice(text.indexOf("'") + 1, -1);
  if (inner.length === 1) return BigInt(inner.charCodeAt(0));
  const hex = /^\\x([0-9a-fA-F]{1,2})$/.exec(inner);
  if (hex !== null) return BigInt.asIntN(8, BigInt(`0x${hex[1] ?? 0}`));
  if (inner.length !== 2 || inner[0] !== '\\') return undefined;
  const escaped = inner[1] as string;
  return BigInt(ESCAPES[escaped] ?? escaped.charCodeAt(0));
}

function apply(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
    case '%':
      if (b === 0n) throw new NotConstant();
      return operator === '/' ? a / b : a % b;
    case '<<':
    case '>>':
      if (b < 0n || b > 63n) throw new NotConstant();
      return operator === '<<' ? a << b : a >> b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '&&':
      return a !== 0n && b !== 0n ? 1n : 0n;
    case '||':
      return a !== 0n || b !== 0n ? 1n : 0n;
    default:
      return compare(operator, a, b) ? 1n : 0n;
  }
}

function compare(operator: string, a: bigint, b: bigint): boolean {
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    default:
      return a >= b;
  }
}
