/**
 * Generates the accessor classes of one layout and order as source, so that each property compiles to one load or
 * store at a constant place. One class per schema and order, never one per array: the views are instance fields, so
 * that all arrays of a type share one shape and loops over them stay monomorphic.
 *
 * Only names that passed the schema's check for identifiers and numbers that this library computed enter the source.
 */
import { BLOCK_SHIFT, type AccessNode, type AccessPlan, type IndexForm } from './access-plan.js';
import * as runtime from './accessor-runtime.js';
import type { CursorClass, EnumTable } from './accessor-runtime.js';

type Node<K extends AccessNode['kind']> = AccessNode & { readonly kind: K };

let allowed: boolean | undefined;
let generated = 0;

/** False under `--disallow-code-generation-from-strings` and in contexts that forbid `new Function`. */
export function canGenerate(): boolean {
  if (allowed === undefined) {
    try {
      // eslint-disable-next-line @typescript-eslint/no-implied-eval
      new Function('');
      allowed = true;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

export function generateCursorClass(plan: AccessPlan): CursorClass {
  const generator = new Generator();
  const root = generator.struct(plan.root, 0, 'root');
  // A number of its own: V8 shares compiled code, and what it learnt of types, between equal sources.
  const guards = [...generator.guards].map(([name, count]) => `const ${name} = rt.elementGuard(${count});`);
  const source = `'use strict'; // ${(generated += 1)}\n${[...guards, ...generator.source].join('\n')}\nreturn ${root};`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const make = new Function('rt', 'enums', source) as (rt: unknown, enums: EnumTable[]) => CursorClass;
  return make(runtime, generator.enums);
}

type Role = 'root' | 'member' | 'element';

/**
 * Accessors below the root reach the record through `$r`. One that is an element of an array holds its place in
 * `$k`; all accessors below it reach that through `$e0`, `$e1`… by the depth of the array.
 */
class Generator {
  readonly source: string[] = [];
  readonly enums: EnumTable[] = [];
  /** Lengths of fixed arrays by the name of the guard of their indices. */
  readonly guards = new Map<string, number>();
  private classes = 0;

  /** Emits the class of a struct inside `depth` arrays and returns its name. */
  struct(node: Node<'struct'>, depth: number, role: Role): string {
    const record = role === 'root' ? 'this.$i' : 'this.$r.$i';
    const fields: string[] = [];
    const members: string[] = [];
    const views = new Set<string>();
    const read: string[] = [];
    const write: string[] = [];
    for (const { name, access, isHidden = false } of node.members) {
      write.push(`if (o.${name} !== undefined) this.${name} = o.${name};`);
      if (access.kind === 'leaf') {
        views.add(access.view);
        const at = indexExpression(access.index, record, places(depth));
        members.push(`get ${name}() { return ${this.read(access, at)}; }`);
        members.push(`set ${name}(v) { ${this.write(access, at)}; }`);
        if (!isHidden) read.push(`${name}: this.${name}`);
        continue;
      }
      fields.push(`this.$f_${name} = new ${this.composite(access, depth, 'member')}(a, r, e);`);
      members.push(`get ${name}() { return this.$f_${name}; }`);
      members.push(`set ${name}(v) { this.$f_${name}.assign(v); }`);
      read.push(`${name}: this.$f_${name}.toObject()`);
    }
    const path = JSON.stringify(node.path);
    const names = JSON.stringify(node.members.map(({ name }) => name));
    const known = node.isFlags === true ? `rt.requireFlags(${path}, ${names}, o);` : '';
    return this.emit(role, views, fields, [
      ...(role === 'root'
        ? [
            'get array() { return this.$a; }',
            'get index() { return this.$i; }',
            // Strings are refused by way of a number: see guardOf for why not by a branch.
            "set index(i) { const k = typeof i === 'number' ? i : -1; if (this.$a.guard[k] === undefined) rt.indexOutOfRange(this.$a, i); this.$i = k | 0; }",
          ]
        : []),
      ...members,
      `toObject() { return { ${read.join(', ')} }; }`,
      `assign(o) { o = rt.requireRecord(${path}, o); ${known} ${write.join(' ')} return this; }`,
    ]);
  }

  private composite(node: Node<'struct'> | Node<'array'>, depth: number, role: Role): string {
    return node.kind === 'struct' ? this.struct(node, depth, role) : this.array(node, depth, role);
  }

  private array({ element, count, path }: Node<'array'>, depth: number, role: Role): string {
    const name = JSON.stringify(path);
    const guard = `g${count}`;
    this.guards.set(guard, count);
    // See guardOf for why this is no comparison.
    const check = `if (${guard}[typeof k === 'number' ? k : -1] === undefined) rt.elementOutOfRange(${name}, ${count}, k);`;
    const start = `values = rt.requireValues(${name}, values, ${count});`;
    const every = (what: string) => `for (let k = 0; k < ${count}; k += 1) ${what}`;
    const given = (what: string) => `for (let k = 0; k < values.length; k += 1) ${what}`;
    if (element.kind === 'leaf') {
      const at = indexExpression(element.index, 'this.$r.$i', [...places(depth), 'k']);
      return this.emit(
        role,
        new Set([element.view]),
        [],
        [
          `get length() { return ${count}; }`,
          `get(k) { ${check} return ${this.read(element, at)}; }`,
          `set(k, v) { ${check} ${this.write(element, at)}; }`,
          `toObject() { const out = []; ${every(`out.push(${this.read(element, at)});`)} return out; }`,
          `assign(values) { ${start} ${given('this.set(k, values[k]);')} return this; }`,
          '[Symbol.iterator]() { return this.toObject()[Symbol.iterator](); }',
        ],
      );
    }
    return this.emit(
      role,
      new Set(),
      [`this.$x = new ${this.composite(element, depth + 1, 'element')}(a, r, e);`],
      [
        `get length() { return ${count}; }`,
        `at(k) { ${check} this.$x.$k = k; return this.$x; }`,
        `toObject() { const out = []; ${every('out.push(this.at(k).toObject());')} return out; }`,
        `assign(values) { ${start} ${given('this.at(k).assign(values[k]);')} return this; }`,
      ],
    );
  }

  private emit(
    role: Role,
    views: ReadonlySet<string>,
    fields: readonly string[],
    members: readonly string[],
  ): string {
    const name = `C${(this.classes += 1)}`;
    const own = [...views].map((view) => `this.$v_${view} = a.views.${view};`);
    const place = role === 'element' ? 'this.$k = 0; e = [...e, this];' : '';
    const head =
      role === 'root'
        ? 'constructor(a) { const r = this, e = []; this.$a = a; this.$i = 0;'
        : `constructor(a, r, e) { this.$r = r; ${place} e.forEach((each, d) => { this['$e' + d] = each; });`;
    this.source.push(
      `class ${name} {`,
      `${head} ${own.join(' ')} ${fields.join(' ')} }`,
      ...members,
      'toJSON() { return this.toObject(); }',
      "[Symbol.for('nodejs.util.inspect.custom')]() { return this.toObject(); }",
      '}',
    );
    return name;
  }

  private read(leaf: Node<'leaf'>, at: string): string {
    const view = `this.$v_${leaf.view}`;
    switch (leaf.codec.kind) {
      case 'number':
        return `${view}[${at}]`;
      case 'bool':
        return `${view}[${at}] !== 0`;
      case 'bit':
        return `(${view}[${at}] & ${leaf.codec.mask}) !== 0`;
      case 'utf8':
        return `rt.readText(${view}, ${at}, ${leaf.codec.bytes})`;
      case 'enum': {
        const table = this.enums.push(runtime.enumTable(leaf.codec)) - 1;
        return `(enums[${table}].names[${view}[${at}]] ?? rt.unknownNumber(${JSON.stringify(leaf.path)}, ${view}[${at}]))`;
      }
    }
  }

  private write(leaf: Node<'leaf'>, at: string): string {
    const view = `this.$v_${leaf.view}`;
    const path = JSON.stringify(leaf.path);
    switch (leaf.codec.kind) {
      case 'number':
        return `${view}[${at}] = v`;
      case 'bool':
        return `${view}[${at}] = v ? 1 : 0`;
      case 'bit':
        return `const at = ${at}; ${view}[at] = v ? ${view}[at] | ${leaf.codec.mask} : ${view}[at] & ~${leaf.codec.mask}`;
      case 'utf8':
        return `rt.writeText(${view}, ${at}, ${leaf.codec.bytes}, v, ${path})`;
      case 'enum': {
        const table = this.enums.push(runtime.enumTable(leaf.codec)) - 1;
        const codes = `enums[${table}].codes`;
        return `${view}[${at}] = ${codes}[v] ?? rt.unknownName(${path}, ${codes}, v)`;
      }
    }
  }
}

/** Where the elements of the arrays around an accessor are, outermost first. */
function places(depth: number): string[] {
  return Array.from({ length: depth }, (_, d) => `this.$e${d}.$k`);
}

/** The sum of the terms of an index; products are shifts where strides allow. */
export function indexExpression(form: IndexForm, record: string, elements: readonly string[]): string {
  const terms =
    form.blockStride === undefined
      ? [times(record, form.stride)]
      : [
          times(`(${record} >> ${BLOCK_SHIFT})`, form.blockStride),
          times(`(${record} & ${2 ** BLOCK_SHIFT - 1})`, form.stride),
        ];
  form.dimensions.forEach((stride, d) => terms.push(times(elements[d] as string, stride)));
  if (form.constant !== 0) terms.push(String(form.constant));
  return terms.join(' + ');
}

function times(value: string, factor: number): string {
  if (factor === 1) return value;
  const shift = Math.log2(factor);
  return Number.isInteger(shift) ? `(${value} << ${shift})` : `Math.imul(${value}, ${factor})`;
}
