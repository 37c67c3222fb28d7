/**
 * Turns the body of a loop over records into statements over typed arrays: each access of a field of the record becomes
 * the element of a view at a place computed from the record's number; everything else stays as it was written.
 *
 * What an access means (wrapping, rounding, booleans, enums, flags, text, errors) is what the cursors of
 * `accessor-codegen.ts` do. One thing is better: each `.at(k)` is a place of its own, where cursors have one element
 * accessor that moves, so that `p.legs.at(0).price = p.legs.at(1).price` does what it says.
 */
import type { AccessNode, AccessPlan } from './access-plan.js';
import { indexExpression } from './accessor-codegen.js';
import { enumTable, type EnumTable } from './accessor-runtime.js';
import { childrenOf, evaluatedIn, refuse, type LoopFunction, type SyntaxNode } from './loop-syntax.js';

type Leaf = AccessNode & { readonly kind: 'leaf' };

/** Something of the record: a leaf, or a struct or array on the way to one. */
interface Place {
  readonly access: AccessNode;
  /** Elements of the arrays around it: numbers, or names of variables that hold them. */
  readonly elements: readonly string[];
  /** Expressions that compute and check those variables, to be evaluated first. */
  readonly before: readonly string[];
}

/** `record.history.get(k)`, `.set(k, v)` or `record.legs.at(k)`. */
interface ElementCall {
  readonly method: string;
  readonly place: Place;
  /** What `set` writes, as text. */
  readonly value?: string;
}

export interface Rewritten {
  /** Statements of one turn; `continue` goes to the label. */
  readonly statements: string;
  /** Variables that they need anew in each turn. */
  readonly temporaries: readonly string[];
  /** Keys of the views used. */
  readonly views: ReadonlySet<string>;
  readonly enums: readonly EnumTable[];
  /** Lengths of fixed arrays whose indices are checked. */
  readonly guards: ReadonlySet<number>;
}

/** Names in the text that is made. */
export interface LoopNames {
  readonly record: string;
  readonly label: string;
  readonly context: string;
  readonly accumulator: string;
  readonly runtime: string;
  readonly view: (key: string) => string;
  readonly names: (table: number) => string;
  readonly codes: (table: number) => string;
  readonly guard: (count: number) => string;
}

export function namesFor(prefix: string): LoopNames {
  return {
    record: `${prefix}i`,
    label: `${prefix}records`,
    context: `${prefix}context`,
    accumulator: `${prefix}value`,
    runtime: `${prefix}rt`,
    view: (key) => `${prefix}v_${key}`,
    names: (table) => `${prefix}names${table}`,
    codes: (table) => `${prefix}codes${table}`,
    guard: (count) => `${prefix}guard${count}`,
  };
}

/** @throws LOOP_NOT_COMPILABLE */
export function rewriteLoop(loop: LoopFunction, plan: AccessPlan, names: LoopNames): Rewritten {
  return new Rewriter(loop, plan, names).rewrite();
}

class Rewriter {
  private readonly temporaries: string[] = [];
  private readonly views = new Set<string>();
  private readonly enums: EnumTable[] = [];
  private readonly tables = new Map<Leaf, number>();
  private readonly guards = new Set<number>();
  /** Each node is looked at from several sides and must be computed once. */
  private readonly found = new Map<SyntaxNode, Place | undefined>();
  private readonly calls = new Map<SyntaxNode, ElementCall | undefined>();
  private readonly loop: LoopFunction;
  private readonly plan: AccessPlan;
  private readonly names: LoopNames;
  private readonly recordName: string | undefined;

  constructor(loop: LoopFunction, plan: AccessPlan, names: LoopNames) {
    this.loop = loop;
    this.plan = plan;
    this.names = names;
    this.recordName = loop.record.type === 'Identifier' ? (loop.record.name as string) : undefined;
  }

  rewrite(): Rewritten {
    const { accumulator, record, context, index, body, kind } = this.loop;
    const { names } = this;
    const lines: string[] = [];
    if (accumulator !== undefined) lines.push(`let ${accumulator.name as string} = ${names.accumulator};`);
    if (record.type !== 'Identifier') {
      lines.push(`let ${this.takenApart(record, this.root()).join(', ')};`);
    }
    if (context !== undefined) lines.push(`let ${this.render(context)} = ${names.context};`);
    if (index !== undefined) lines.push(`let ${index.name as string} = ${names.record};`);
    if (body.type === 'BlockStatement') lines.push(this.render(body));
    else if (kind === 'reduce') lines.push(`${names.accumulator} = (${this.render(body)});`);
    else lines.push(`(${this.render(body)});`);
    return {
      statements: lines.join('\n'),
      temporaries: this.temporaries,
      views: this.views,
      enums: this.enums,
      guards: this.guards,
    };
  }

  /** The text of a node with all accesses in it rewritten. */
  private render(node: SyntaxNode): string {
    switch (node.type) {
      case 'Identifier':
        if (node.name === this.recordName) this.refuseRecord(node);
        return node.name as string;
      case 'MemberExpression':
      case 'CallExpression': {
        const made = this.access(node);
        if (made !== undefined) return made;
        break;
      }
      case 'AssignmentExpression': {
        const made = this.assignment(node);
        if (made !== undefined) return made;
        break;
      }
      case 'UpdateExpression': {
        this.refuseMove(node.argument as SyntaxNode);
        const place = this.placeOf(node.argument as SyntaxNode);
        if (place === undefined) break;
        const target = this.numberTarget(place, node);
        return node.prefix === true
          ? `${node.operator as string}${target}`
          : `${target}${node.operator as string}`;
      }
      case 'UnaryExpression':
        if (node.operator === 'delete' && this.placeOf(node.argument as SyntaxNode) !== undefined) {
          refuse(this.loop, node, 'fields cannot be deleted', 'Write 0 instead.');
        }
        break;
      // In braces, so that no line that begins with a bracket now goes on with the one before.
      case 'ExpressionStatement':
        return `{ ${this.render(node.expression as SyntaxNode)}; }`;
      case 'ForInStatement':
      case 'ForOfStatement':
        this.refuseTargets(node.left as SyntaxNode);
        break;
      case 'VariableDeclarator': {
        const init = node.init as SyntaxNode | null;
        const place = init === null ? undefined : this.placeOf(init);
        if (place === undefined || place.access.kind === 'leaf') break;
        return this.takenApart(node.id as SyntaxNode, place).join(', ');
      }
      case 'Property':
        // `{ x }` stands for its key and its value at once.
        if (node.shorthand === true) return this.render(node.value as SyntaxNode);
        break;
      case 'ReturnStatement':
        return this.returned(node);
    }
    return this.spliced(node);
  }

  private spliced(node: SyntaxNode): string {
    const { text } = this.loop;
    const children = evaluatedIn(node).toSorted((a, b) => a.start - b.start);
    let made = '';
    let at = node.start;
    for (const child of children) {
      made += text.slice(at, child.start) + this.render(child);
      at = child.end;
    }
    return made + text.slice(at, node.end);
  }

  private returned(node: SyntaxNode): string {
    const { accumulator, label } = this.names;
    const argument = node.argument as SyntaxNode | null;
    const value = argument === null ? undefined : this.render(argument);
    if (this.loop.kind === 'loop') {
      return value === undefined ? `continue ${label};` : `{ (${value}); continue ${label}; }`;
    }
    if (value === undefined) {
      return refuse(
        this.loop,
        node,
        'a reducer returns the new value',
        'Return the accumulator where it stays.',
      );
    }
    return `{ ${accumulator} = (${value}); continue ${label}; }`;
  }

  // --- Where in the record --------------------------------------------------------------------------------------------

  private root(): Place {
    return { access: this.plan.root, elements: [], before: [] };
  }

  /** Undefined where the node is not part of the record. */
  private placeOf(node: SyntaxNode): Place | undefined {
    if (!this.found.has(node)) this.found.set(node, this.findPlace(node));
    return this.found.get(node);
  }

  private findPlace(node: SyntaxNode): Place | undefined {
    if (node.type === 'Identifier') return node.name === this.recordName ? this.root() : undefined;
    if (node.type === 'MemberExpression') {
      const around = this.placeOf(node.object as SyntaxNode);
      if (around?.access.kind !== 'struct') return undefined;
      this.refuseOptional(node);
      return this.member(node, around, this.nameIn(node));
    }
    if (node.type === 'CallExpression') {
      const call = this.elementCall(node);
      return call?.method === 'set' ? undefined : call?.place;
    }
    return undefined;
  }

  private member(node: SyntaxNode, { access, elements, before }: Place, name: string): Place | undefined {
    if (access.kind !== 'struct') return undefined;
    const found = access.members.find((each) => each.name === name);
    if (found !== undefined) return { access: found.access, elements, before };
    // No field can have this name.
    if (access === this.plan.root && name === 'index') return undefined;
    const fields = access.members.map((each) => each.name);
    return refuse(
      this.loop,
      node,
      ['toObject', 'assign', 'toJSON', 'array'].includes(name)
        ? `"${name}" needs a cursor`
        : `${access.path} has no field "${name}"`,
      ['toObject', 'assign', 'toJSON', 'array'].includes(name)
        ? 'Read and write the fields themselves, or use a cursor.'
        : `Use one of ${fields.slice(0, 12).join(', ')}.`,
    );
  }

  private nameIn(node: SyntaxNode): string {
    const property = node.property as SyntaxNode;
    if (node.computed !== true && property.type === 'Identifier') return property.name as string;
    if (property.type === 'Literal' && typeof property.value === 'string') return property.value;
    return refuse(
      this.loop,
      node,
      'the field is chosen at run time',
      'Name the field; for one of many like fields use a fixed array and .get(k).',
    );
  }

  private elementCall(node: SyntaxNode): ElementCall | undefined {
    if (!this.calls.has(node)) this.calls.set(node, this.findElementCall(node));
    return this.calls.get(node);
  }

  private findElementCall(node: SyntaxNode): ElementCall | undefined {
    const callee = node.callee as SyntaxNode;
    const around = callee.type === 'MemberExpression' ? this.placeOf(callee.object as SyntaxNode) : undefined;
    if (around?.access.kind !== 'array') return undefined;
    this.refuseOptional(node);
    const method = this.nameIn(callee);
    const { element, count, path, depth } = around.access;
    const wanted = element.kind === 'leaf' ? ['get', 'set'] : ['at'];
    const given = node.arguments as SyntaxNode[];
    const hasSpread = given.some((each) => each.type === 'SpreadElement');
    if (!wanted.includes(method) || given.length !== (method === 'set' ? 2 : 1) || hasSpread) {
      const remedy =
        element.kind === 'leaf' ? 'Use .get(k) and .set(k, value).' : 'Use .at(k) and fields of the element.';
      refuse(this.loop, node, `elements of ${path} are not reached so`, remedy);
    }
    const [position, value] = given as [SyntaxNode, SyntaxNode | undefined];
    const elements = [...around.elements];
    const before = [...around.before];
    const written = () => (value === undefined ? {} : { value: this.render(value) });
    const literal = position.type === 'Literal' ? position.value : undefined;
    if (typeof literal === 'number' && Number.isInteger(literal) && literal >= 0 && literal < count) {
      elements[depth] = String(literal);
      return { method, place: { access: element, elements, before }, ...written() };
    }
    const name = this.temporary('k');
    elements[depth] = name;
    before.push(`${name} = (${this.render(position)})`);
    if (value === undefined) {
      before.push(this.elementCheck(name, count, path));
      return { method, place: { access: element, elements, before } };
    }
    // As with any call, the value is computed before the index is looked at.
    const held = this.temporary('t');
    before.push(`${held} = (${this.render(value)})`, this.elementCheck(name, count, path));
    return { method, place: { access: element, elements, before }, value: held };
  }

  /** See `guardOf` for why this is no comparison. */
  private elementCheck(name: string, count: number, path: string): string {
    this.guards.add(count);
    const guard = this.names.guard(count);
    const failure = `${this.names.runtime}.elementOutOfRange(${JSON.stringify(path)}, ${count}, ${name})`;
    return `${guard}[typeof ${name} === 'number' ? ${name} : -1] === undefined && ${failure}`;
  }

  // --- Reads and writes -----------------------------------------------------------------------------------------------

  private access(node: SyntaxNode): string | undefined {
    if (node.type === 'CallExpression') {
      const call = this.elementCall(node);
      if (call?.value !== undefined)
        return `(void ${this.write(call.place, call.place.access as Leaf, call.value)})`;
    } else {
      const around = this.placeOf(node.object as SyntaxNode)?.access;
      if (around === this.plan.root && this.nameIn(node) === 'index') return this.names.record;
      if (around?.kind === 'array') {
        if (node.computed !== true && this.nameIn(node) === 'length') return String(around.count);
        this.refuseComposite(node, around);
      }
    }
    const place = this.placeOf(node);
    if (place === undefined) return undefined;
    if (place.access.kind !== 'leaf') return this.refuseComposite(node, place.access);
    return this.read(place, place.access);
  }

  private assignment(node: SyntaxNode): string | undefined {
    const left = node.left as SyntaxNode;
    this.refuseTargets(left);
    const right = node.right as SyntaxNode;
    if (left.type === 'ObjectPattern' && this.placeOf(right) !== undefined) {
      this.refuseComposite(right, this.plan.root);
    }
    this.refuseMove(left);
    const place = this.placeOf(left);
    if (place === undefined) return undefined;
    const leaf = place.access;
    if (leaf.kind !== 'leaf') return this.refuseComposite(left, leaf);
    const operator = (node.operator as string).slice(0, -1);
    if (leaf.codec.kind === 'number') {
      return `(${this.numberTarget(place, left)} ${node.operator as string} (${this.render(right)}))`;
    }
    if (operator === '') return this.write(place, leaf, this.literal(right) ?? this.render(right), right);
    // Read, computed and written, with the place evaluated once.
    const old = this.temporary('t');
    const once = { ...place, before: [] };
    const value = this.render(right);
    const changed = ['||', '&&', '??'].includes(operator)
      ? `(${old} ${operator} ${this.write(once, leaf, value)})`
      : this.write(once, leaf, `${old} ${operator} (${value})`);
    return `(${[...place.before, `${old} = ${this.read(once, leaf)}`, changed].join(', ')})`;
  }

  /** The element as what can be assigned to. */
  private numberTarget(place: Place, node: SyntaxNode): string {
    const { access } = place;
    if (access.kind !== 'leaf') return this.refuseComposite(node, access);
    if (access.codec.kind !== 'number') {
      return refuse(this.loop, node, `${access.path} is no number`, 'Assign the value that it is to have.');
    }
    const view = this.view(access);
    if (place.before.length === 0) return `${view}[${this.at(place, access)}]`;
    return `${view}[(${[...place.before, this.at(place, access)].join(', ')})]`;
  }

  private read(place: Place, leaf: Leaf): string {
    const view = this.view(leaf);
    const at = this.at(place, leaf);
    const { runtime } = this.names;
    const value = ((): string => {
      const { codec } = leaf;
      switch (codec.kind) {
        case 'number':
          return `${view}[${at}]`;
        case 'bool':
          return `(${view}[${at}] !== 0)`;
        case 'bit':
          return `((${view}[${at}] & ${codec.mask}) !== 0)`;
        case 'utf8':
          return `${runtime}.readText(${view}, ${at}, ${codec.bytes})`;
        case 'enum': {
          const names = this.names.names(this.tableOf(leaf));
          return `(${names}[${view}[${at}]] ?? ${runtime}.unknownNumber(${JSON.stringify(leaf.path)}, ${view}[${at}]))`;
        }
      }
    })();
    return place.before.length === 0 ? value : `(${[...place.before, value].join(', ')})`;
  }

  /** An expression whose value is the one assigned, as that of an assignment is. */
  private write(place: Place, leaf: Leaf, value: string, node?: SyntaxNode): string {
    const view = this.view(leaf);
    const at = this.at(place, leaf);
    const { runtime } = this.names;
    const path = JSON.stringify(leaf.path);
    const steps = [...place.before];
    const { codec } = leaf;
    if (codec.kind === 'number') {
      steps.push(`${view}[${at}] = (${value})`);
      return `(${steps.join(', ')})`;
    }
    const literal = node?.type === 'Literal' ? node.value : undefined;
    if (codec.kind === 'enum' && typeof literal === 'string' && Object.hasOwn(codec.values, literal)) {
      steps.push(`${view}[${at}] = ${String(codec.values[literal])}`, value);
      return `(${steps.join(', ')})`;
    }
    const held = this.temporary('t');
    steps.push(`${held} = (${value})`);
    switch (codec.kind) {
      case 'bool':
        steps.push(`${view}[${at}] = ${held} ? 1 : 0`);
        break;
      case 'bit':
        steps.push(
          `${view}[${at}] = ${held} ? ${view}[${at}] | ${codec.mask} : ${view}[${at}] & ${~codec.mask}`,
        );
        break;
      case 'utf8':
        steps.push(`${runtime}.writeText(${view}, ${at}, ${codec.bytes}, ${held}, ${path})`);
        break;
      case 'enum': {
        const codes = this.names.codes(this.tableOf(leaf));
        steps.push(
          `${view}[${at}] = ${codes}[${held}] ?? ${runtime}.unknownName(${path}, ${codes}, ${held})`,
        );
      }
    }
    return `(${[...steps, held].join(', ')})`;
  }

  /** `const { x, at: { y } } = record` as declarators of the values. */
  private takenApart(pattern: SyntaxNode, place: Place): string[] {
    const { access } = place;
    if (pattern.type === 'Identifier' && access.kind === 'leaf') {
      return [`${pattern.name as string} = ${this.read(place, access)}`];
    }
    const properties = (pattern.type === 'ObjectPattern' ? pattern.properties : []) as SyntaxNode[];
    if (access.kind !== 'struct' || properties.length === 0) return [this.refuseComposite(pattern, access)];
    return properties.flatMap((each) => {
      const key = each.key as SyntaxNode | undefined;
      if (each.type !== 'Property' || each.computed === true || key === undefined) {
        return refuse(this.loop, each, 'fields are not taken by name', 'Name each: { x, y }.');
      }
      const name = key.type === 'Identifier' ? (key.name as string) : String(key.value);
      const inner = this.member(each, place, name);
      if (inner === undefined) return [`${(each.value as SyntaxNode).name as string} = ${this.names.record}`];
      return this.takenApart(each.value as SyntaxNode, inner);
    });
  }

  private literal(node: SyntaxNode): string | undefined {
    return node.type === 'Literal' && typeof node.value === 'string' ? JSON.stringify(node.value) : undefined;
  }

  private at({ elements }: Place, leaf: Leaf): string {
    return indexExpression(leaf.index, this.names.record, elements);
  }

  private view(leaf: Leaf): string {
    this.views.add(leaf.view);
    return this.names.view(leaf.view);
  }

  private tableOf(leaf: Leaf): number {
    let table = this.tables.get(leaf);
    if (table === undefined && leaf.codec.kind === 'enum') {
      table = this.enums.push(enumTable(leaf.codec)) - 1;
      this.tables.set(leaf, table);
    }
    return table as number;
  }

  private temporary(kind: string): string {
    const name = `${this.loop.prefix}${kind}${this.temporaries.length}`;
    this.temporaries.push(name);
    return name;
  }

  // --- Refusals -------------------------------------------------------------------------------------------------------

  private refuseRecord(node: SyntaxNode): never {
    return refuse(
      this.loop,
      node,
      'the record itself is used, and a compiled loop has none',
      'Use its fields; hand their values on instead.',
    );
  }

  private refuseComposite(node: SyntaxNode, access: AccessNode): never {
    if (access === this.plan.root) return this.refuseRecord(node);
    const remedy =
      access.kind !== 'array'
        ? 'Read and write its fields where they are used.'
        : access.element.kind === 'leaf'
          ? 'Read elements by .get(k), write them by .set(k, value).'
          : 'Reach the fields of an element where they are used, by .at(k).';
    return refuse(
      this.loop,
      node,
      `${access.path} is used as a whole, and a compiled loop has no object for it`,
      remedy,
    );
  }

  /** Writing `record.index`. */
  private refuseMove(target: SyntaxNode): void {
    if (
      target.type !== 'MemberExpression' ||
      this.placeOf(target.object as SyntaxNode)?.access !== this.plan.root
    )
      return;
    if (this.nameIn(target) !== 'index') return;
    refuse(
      this.loop,
      target,
      'the loop moves the record',
      'Say which records to visit when running it: run.range(start, end), run.at(indices).',
    );
  }

  private refuseOptional(node: SyntaxNode): void {
    if (node.optional === true) {
      refuse(this.loop, node, 'fields of the record are always there', 'Write . for ?. here.');
    }
  }

  /** Fields among the targets of a pattern: what they convert would be left out. */
  private refuseTargets(target: SyntaxNode): void {
    if (!['ArrayPattern', 'ObjectPattern'].includes(target.type)) return;
    const visit = (node: SyntaxNode): void => {
      if (node.type === 'MemberExpression' && this.placeOf(node) !== undefined) {
        refuse(this.loop, node, 'a field is assigned by a pattern', 'Assign field by field.');
      }
      childrenOf(node).forEach(visit);
    };
    visit(target);
  }
}
