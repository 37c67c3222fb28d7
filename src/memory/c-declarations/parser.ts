/**
 * Reads the declarations of C that decide how structs lie in memory. Recursive descent with one token of lookahead.
 * What is no declaration of a type (functions, variables, assembler) is skipped. A struct that cannot be laid out is
 * left out with the reason and the place, and parsing goes on behind it: one odd struct must not hide the others.
 */
import { evaluate } from './constant-expression.js';
import {
  arrayOf,
  basicType,
  BASIC_WORDS,
  enumType,
  incompleteType,
  pointerTo,
  STANDARD_TYPES,
  type CType,
} from './c-types.js';
import { StructLayout } from './struct-layout.js';
import { Unsupported } from './unsupported.js';
import type { Token } from './tokens.js';

/** Lines are physical ones. */
export interface ParsedStruct {
  readonly name: string;
  readonly token: Token;
  readonly layout: StructLayout;
}

export interface LeftOut {
  readonly name: string;
  readonly reason: string;
  readonly token: Token;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));
/** They change nothing about the layout. */
const IGNORED =
  words(`const volatile restrict __restrict __restrict__ __const __volatile__ extern static inline
  __inline __inline__ register auto _Noreturn _Thread_local thread_local __thread __extension__ mutable`);
const WITH_PARENTHESES = words('__attribute__ __attribute __declspec __asm__ __asm asm');
const TAGGED = words('struct union enum class');
const BEGINS_DECLARATION = words('struct union enum typedef extern static class');
const MAX_DEPTH = 64;

interface Attributes {
  packed: Token | undefined;
  alignBytes: number;
}

interface Declarator {
  readonly name: Token | undefined;
  readonly type: CType;
}

export class Parser {
  readonly structs: ParsedStruct[] = [];
  readonly leftOut: LeftOut[] = [];
  private tokens: readonly Token[];
  private at = 0;
  private depth = 0;
  /** By `#pragma pack`; 0: natural. */
  private packing = 0;
  private readonly packingStack: number[] = [];
  /** By `struct name`. */
  private readonly tags = new Map<string, CType>();
  /** Declared, to be completed later perhaps: the tag. */
  private readonly incomplete = new Map<CType, string>();
  private readonly typedefs: Map<string, CType>;
  private readonly constants = new Map<string, bigint>();

  constructor(tokens: readonly Token[], types: ReadonlyMap<string, CType>) {
    this.tokens = tokens;
    this.typedefs = new Map([...STANDARD_TYPES, ...types]);
  }

  run(): this {
    while (this.peek.kind !== 'end') {
      const start = this.at;
      try {
        this.external();
      } catch (error) {
        if (!(error instanceof Unsupported)) throw error;
        this.resynchronise(); // no struct is lost: it would have been recorded
      }
      if (this.at === start) this.at += 1;
    }
    return this;
  }

  // --- Declarations ------------------------------------------------------------------------------------------

  private external(): void {
    if (this.pragmaPack() || this.accept(';') || this.accept('}')) return;
    if (this.is('extern') && this.tokens[this.at + 1]?.kind === 'string') {
      this.at += 2;
      this.accept('{'); // the brace that closes it is skipped as a stray one
      return;
    }
    const attributes: Attributes = { packed: undefined, alignBytes: 0 };
    this.skipIgnored(attributes);
    const isTypedef = this.accept('typedef');
    const base = this.specifiers(attributes, undefined);
    for (let first = true; !this.accept(';'); first = false) {
      if (!first) this.expect(',');
      const { name, type } = this.declarator(base, attributes);
      if (isTypedef && name !== undefined && !this.typedefs.has(name.text)) {
        const alignBytes = Math.max(type.alignBytes, attributes.alignBytes);
        const isKnown = type.problem === undefined;
        this.typedefs.set(name.text, isKnown ? { ...type, text: name.text, alignBytes } : type);
      }
      if (this.is('{')) return this.skipBalanced(); // a function's body
      if (this.is('=')) throw new Unsupported('a variable', this.peek);
    }
  }

  /** Type of a declaration, without what each declarator adds. `owner` names anonymous structs within. */
  private specifiers(attributes: Attributes, owner: string | undefined): CType {
    const basic: string[] = [];
    let type: CType | undefined;
    let unknown: Token | undefined;
    for (;;) {
      this.skipIgnored(attributes);
      const token = this.peek;
      if (token.kind !== 'name') break;
      if (TAGGED.has(token.text) && type === undefined && basic.length === 0) {
        type = token.text === 'enum' ? this.enumeration() : this.aggregate(owner);
        // A macro stood before it.
        unknown = undefined;
      } else if (BASIC_WORDS.has(token.text) && type === undefined) {
        basic.push(this.next().text);
      } else if (token.text === '_Atomic') {
        this.next();
        if (this.accept('(')) {
          type = this.declarator(this.specifiers(attributes, owner), attributes).type;
          this.expect(')');
        }
      } else if (type === undefined && basic.length === 0) {
        const known = this.typeNamed(token.text);
        if (known !== undefined) {
          type = known;
          unknown = undefined;
        } else if (unknown !== undefined) {
          break;
        } else {
          unknown = token;
        }
        this.next();
      } else {
        break;
      }
    }
    if (basic.length > 0) type = basicType(basic);
    if (type !== undefined) {
      if (unknown !== undefined && owner !== undefined) {
        throw new Unsupported(`"${unknown.text}" is unknown (give it in defines)`, unknown);
      }
      return type;
    }
    if (unknown === undefined) throw new Unsupported(`a type expected, found ${this.found()}`, this.peek);
    return incompleteType(unknown.text, `type "${unknown.text}" is unknown`);
  }

  private typeNamed(name: string): CType | undefined {
    const type = this.typedefs.get(name);
    const tag = type && this.incomplete.get(type);
    if (type === undefined) return this.tags.get(`struct ${name}`); // C++ needs no `struct`
    return (tag === undefined ? undefined : this.tags.get(tag)) ?? type;
  }

  private declarator(base: CType, attributes: Attributes): Declarator {
    if ((this.depth += 1) > MAX_DEPTH) throw new Unsupported('nested too deep', this.peek);
    let type = base;
    this.skipIgnored(attributes);
    while (this.accept('*') || this.accept('^') || this.accept('&')) {
      type = pointerTo(type);
      this.skipIgnored(attributes);
    }
    let name: Token | undefined;
    let inner: number | undefined;
    if (this.is('(')) {
      inner = this.at + 1;
      this.skipBalanced();
    } else if (this.peek.kind === 'name') {
      name = this.next();
    }
    type = this.suffixes(type);
    if (inner !== undefined) {
      const end = this.at;
      this.at = inner;
      ({ name, type } = this.declarator(type, attributes));
      this.expect(')');
      this.at = end;
    }
    this.skipIgnored(attributes);
    this.depth -= 1;
    return { name, type };
  }

  /** `[4][2]` and parameter lists, the innermost array last. */
  private suffixes(type: CType): CType {
    if (this.is('(')) {
      this.skipBalanced();
      return incompleteType(`${type.text} ()`, 'a function is no member');
    }
    if (!this.is('[')) return type;
    const token = this.next();
    const length = this.until(']');
    this.expect(']');
    const element = this.suffixes(type);
    if (length.length === 0) return incompleteType(`${element.text}[]`, 'flexible array member');
    const count = this.constant(length);
    if (count === undefined) {
      throw new Unsupported(`array length "${textOf(length)}" is unknown (give it in defines)`, token);
    }
    if (count === 0n) return incompleteType(`${element.text}[0]`, 'flexible array member');
    if (count < 0n || count > 2n ** 31n) throw new Unsupported(`array length ${count}`, token);
    return arrayOf(element, Number(count));
  }

  // --- Structs, unions, enums --------------------------------------------------------------------------------

  /** At `struct` or `union`: its type, and its definition where one follows. */
  private aggregate(owner: string | undefined): CType {
    const keyword = this.next();
    const isUnion = keyword.text === 'union';
    const attributes: Attributes = { packed: undefined, alignBytes: 0 };
    this.skipIgnored(attributes);
    let tag = this.peek.kind === 'name' ? this.next() : undefined;
    let macro: Token | undefined;
    if (tag !== undefined && this.peek.kind === 'name' && this.tokens[this.at + 1]?.text === '{') {
      macro = tag;
      tag = this.next();
    }
    const kind = isUnion ? 'union' : 'struct';
    const key = tag && `${kind} ${tag.text}`;
    const start = this.at;
    if (!this.is('{') && !(this.is(':') && tag !== undefined && this.tokens[this.at + 1]?.kind === 'name')) {
      if (key === undefined) throw new Unsupported(`"{" expected, found ${this.found()}`, this.peek);
      return this.tags.get(key) ?? this.declareTag(key);
    }
    const name = tag?.text ?? this.nameAfterBody(owner);
    const text = key ?? (name === '' ? `${kind} {…}` : name);
    const { depth } = this;
    let type: CType;
    try {
      if (macro !== undefined) {
        throw new Unsupported(`"${macro.text}" is unknown (give it in defines)`, macro);
      }
      if (this.is(':')) throw new Unsupported('inheritance', this.peek);
      const layout = this.body(isUnion, attributes, name === '' ? (owner ?? '') : name);
      type = layout.type(text, name);
      if (!isUnion && name !== '' && !(key !== undefined && this.tags.has(key) && this.isComplete(key))) {
        this.structs.push({ name, token: tag ?? keyword, layout });
      }
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      this.at = start;
      this.depth = depth;
      if (this.is(':')) this.until('{');
      if (this.is('{')) this.skipBalanced();
      this.skipIgnored({ packed: undefined, alignBytes: 0 });
      if (name === '' && owner !== undefined) throw error; // the struct around it is the one to report
      if (!isUnion && name !== '') this.leftOut.push({ name, reason: error.reason, token: error.token });
      type = incompleteType(text, `${text} was left out: ${error.cause}`, error.cause);
    }
    if (key !== undefined && !this.isComplete(key)) this.tags.set(key, type);
    return type;
  }

  private isComplete(key: string): boolean {
    const type = this.tags.get(key);
    return type !== undefined && !this.incomplete.has(type);
  }

  private declareTag(key: string): CType {
    const type = incompleteType(key, `${key} is declared but not defined here`);
    this.incomplete.set(type, key);
    this.tags.set(key, type);
    return type;
  }

  /** Name of an anonymous struct: by the typedef or the member that its definition ends with. */
  private nameAfterBody(owner: string | undefined): string {
    const start = this.at;
    this.skipBalanced();
    this.skipIgnored({ packed: undefined, alignBytes: 0 });
    const token = this.peek;
    const second = this.tokens[this.at + 1];
    this.at = start;
    if (token.kind !== 'name') return '';
    // `} PACKED name;`
    const name = second?.kind === 'name' && !WITH_PARENTHESES.has(second.text) ? second.text : token.text;
    return owner === undefined || owner === '' ? name : `${owner}.${name}`;
  }

  private body(isUnion: boolean, attributes: Attributes, name: string): StructLayout {
    const layout = new StructLayout(isUnion);
    if ((this.depth += 1) > MAX_DEPTH) throw new Unsupported('nested too deep', this.peek);
    const open = this.peek;
    this.expect('{');
    while (!this.accept('}')) {
      if (this.peek.kind === 'end') throw new Unsupported('"}" is missing', open);
      if (this.pragmaPack() || this.accept(';')) continue;
      if (this.is('_Static_assert') || this.is('static_assert')) {
        this.until(';');
        continue;
      }
      this.members(layout, name);
    }
    this.depth -= 1;
    this.skipIgnored(attributes);
    const after = this.peek;
    if (attributes.packed !== undefined) throw new Unsupported('packed', attributes.packed);
    if (this.packing > 0) throw new Unsupported(`packed by #pragma pack(${this.packing})`, open);
    if (after.kind === 'name' && /packed/i.test(after.text)) throw new Unsupported('packed', after);
    const beyond = this.tokens[this.at + 1];
    if (after.kind === 'name' && beyond?.kind === 'name' && !WITH_PARENTHESES.has(beyond.text)) {
      throw new Unsupported(`"${after.text}" is unknown (give it in defines)`, after);
    }
    layout.finish(attributes.alignBytes, open);
    return layout;
  }

  /** One declaration of members: `int a, *b[3];`. */
  private members(layout: StructLayout, owner: string): void {
    const shared: Attributes = { packed: undefined, alignBytes: 0 };
    const start = this.peek;
    const base = this.specifiers(shared, owner);
    if (this.accept(';')) {
      if (base.text === 'struct {…}' || base.text === 'union {…}')
        layout.add(undefined, base, shared.alignBytes, start);
      return;
    }
    for (let first = true; !this.accept(';'); first = false) {
      if (!first) this.expect(',');
      const attributes = { ...shared };
      const { name, type } = this.declarator(base, attributes);
      if (this.is(':')) throw new Unsupported('bit-field', name ?? this.peek);
      if (attributes.packed !== undefined) throw new Unsupported('packed', attributes.packed);
      if (name === undefined) throw new Unsupported(`a name expected, found ${this.found()}`, this.peek);
      layout.add(name, type, attributes.alignBytes, name);
    }
  }

  private enumeration(): CType {
    this.next();
    this.skipIgnored({ packed: undefined, alignBytes: 0 });
    const tag = this.peek.kind === 'name' ? this.next() : undefined;
    const key = tag && `enum ${tag.text}`;
    let underlying: CType | undefined;
    if (this.is(':')) {
      this.next();
      underlying = this.specifiers({ packed: undefined, alignBytes: 0 }, undefined);
    }
    if (!this.accept('{')) {
      if (key === undefined) throw new Unsupported(`"{" expected, found ${this.found()}`, this.peek);
      return this.tags.get(key) ?? underlying ?? this.declareTag(key);
    }
    const values = new Map<string, bigint>();
    let next = 0n;
    while (!this.accept('}')) {
      const name = this.next();
      if (name.kind !== 'name') throw new Unsupported('a name of an enum expected', name);
      this.skipIgnored({ packed: undefined, alignBytes: 0 });
      if (this.accept('=')) {
        const tokens = this.until(',', '}');
        const value = this.constant(tokens);
        if (value === undefined) throw new Unsupported(`"${textOf(tokens)}" is no known constant`, name);
        next = value;
      }
      values.set(name.text, next);
      this.constants.set(name.text, next);
      next += 1n;
      if (!this.is('}')) this.expect(',');
    }
    const attributes: Attributes = { packed: undefined, alignBytes: 0 };
    this.skipIgnored(attributes);
    if (attributes.packed !== undefined) throw new Unsupported('packed enum', attributes.packed);
    const text = key ?? 'enum {…}';
    const type = underlying === undefined ? enumType(text, values) : { ...underlying, text };
    if (key !== undefined) this.tags.set(key, type);
    return type;
  }

  // --- Constants, attributes, tokens -------------------------------------------------------------------------

  private constant(tokens: readonly Token[]): bigint | undefined {
    return evaluate(
      tokens,
      (name) => this.constants.get(name),
      (operator, type) => {
        const known = this.typeOf(type);
        if (known === undefined || known.problem !== undefined) return undefined;
        return operator === 'sizeof' ? known.sizeBytes : known.alignBytes;
      },
    );
  }

  /** The type that some tokens name; undefined where they name none. */
  private typeOf(tokens: readonly Token[]): CType | undefined {
    const { tokens: all, at } = this;
    const attributes: Attributes = { packed: undefined, alignBytes: 0 };
    try {
      this.tokens = [...tokens, all.at(-1) as Token];
      this.at = 0;
      const { type } = this.declarator(this.specifiers(attributes, undefined), attributes);
      return this.peek.kind === 'end' ? type : undefined;
    } catch (error) {
      if (error instanceof Unsupported) return undefined;
      throw error;
    } finally {
      this.tokens = all;
      this.at = at;
    }
  }

  private skipIgnored(attributes: Attributes): void {
    for (;;) {
      const { text, kind } = this.peek;
      if (kind !== 'name') {
        if (!(this.is('[') && this.tokens[this.at + 1]?.text === '[')) return;
        this.skipBalanced(); // [[attribute]]
      } else if (IGNORED.has(text)) {
        this.next();
      } else if (WITH_PARENTHESES.has(text) || text === '_Alignas' || text === 'alignas') {
        this.attribute(attributes);
      } else {
        return;
      }
    }
  }

  /** `__attribute__((packed, aligned(8)))`, `alignas(16)`. */
  private attribute(attributes: Attributes): void {
    const word = this.next();
    while (this.peek.kind === 'name') this.next(); // asm volatile
    if (!this.is('(')) return;
    const start = this.at + 1;
    this.skipBalanced();
    const inside = this.tokens.slice(start, this.at - 1);
    if (word.text.toLowerCase().includes('alignas')) {
      return this.align(attributes, this.constant(inside) ?? this.typeOf(inside)?.alignBytes, word);
    }
    inside.forEach((token, k) => {
      if (/^(__)?packed(__)?$/.test(token.text)) attributes.packed = token;
      if (!/^(__)?align(ed)?(__)?$/.test(token.text)) return;
      if (inside[k + 1]?.text !== '(') return this.align(attributes, 16, token); // the machine's largest
      const end = closing(inside, k + 1);
      this.align(attributes, this.constant(inside.slice(k + 2, end)), token);
    });
  }

  private align(attributes: Attributes, value: bigint | number | undefined, token: Token): void {
    const bytes = Number(value ?? NaN);
    if (bytes === 0) return;
    if (!(bytes >= 1 && bytes <= 65_536 && Number.isInteger(Math.log2(bytes)))) {
      throw new Unsupported('an alignment that is no known power of two', token);
    }
    attributes.alignBytes = Math.max(attributes.alignBytes, bytes);
  }

  private pragmaPack(): boolean {
    if (this.peek.kind !== 'pack') return false;
    const { text } = this.next();
    if (/\bpush\b/.test(text)) this.packingStack.push(this.packing);
    if (/\bpop\b/.test(text)) this.packing = this.packingStack.pop() ?? 0;
    const bytes = /\b(\d+)\b/.exec(text)?.[1];
    if (bytes !== undefined) this.packing = Number(bytes);
    else if (/\(\s*\)/.test(text)) this.packing = 0;
    if (this.packing >= 16) this.packing = 0; // packs nothing that C has
    return true;
  }

  private get peek(): Token {
    return this.tokens[this.at] as Token;
  }

  private next(): Token {
    const token = this.peek;
    if (token.kind !== 'end') this.at += 1;
    return token;
  }

  private is(text: string): boolean {
    return this.peek.text === text && this.peek.kind !== 'string' && this.peek.kind !== 'char';
  }

  private accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.at += 1;
    return true;
  }

  private expect(text: string): void {
    if (!this.accept(text)) throw new Unsupported(`"${text}" expected, found ${this.found()}`, this.peek);
  }

  private found(): string {
    return this.peek.kind === 'end' ? 'the end' : `"${this.peek.text.slice(0, 40)}"`;
  }

  /** The tokens before the first of `ends` that is in no brackets; stops there. */
  private until(...ends: readonly string[]): readonly Token[] {
    const start = this.at;
    while (this.peek.kind !== 'end' && !ends.some((end) => this.is(end))) {
      if (this.is('(') || this.is('[') || this.is('{')) this.skipBalanced();
      else this.at += 1;
    }
    return this.tokens.slice(start, this.at);
  }

  /** From an opening bracket to behind the one that closes it. */
  private skipBalanced(): void {
    this.at = closing(this.tokens, this.at) + 1;
    if (this.at >= this.tokens.length) this.at = this.tokens.length - 1;
  }

  /** To where the next declaration may begin. */
  private resynchronise(): void {
    this.depth = 0;
    while (this.peek.kind !== 'end') {
      if (this.accept(';')) return;
      if (this.is('{')) return this.skipBalanced();
      if (this.is('(') || this.is('[')) this.skipBalanced();
      else this.at += 1;
      if (this.peek.kind === 'name' && BEGINS_DECLARATION.has(this.peek.text)) return;
    }
  }
}

/** Index of the bracket that closes the one at `open`, or of the last token. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let k = open; k < tokens.length; k += 1) {
    const { text, kind } = tokens[k] as Token;
    if (kind !== 'punctuation') continue;
    if (text === '(' || text === '[' || text === '{') depth += 1;
    if ((text === ')' || text === ']' || text === '}') && (depth -= 1) === 0) return k;
  }
  return tokens.length - 1;
}

function textOf(tokens: readonly Token[]): string {
  return tokens
    .map(({ text }) => text)
    .join(' ')
    .slice(0, 60);
}
