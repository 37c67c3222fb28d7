/** Turns the first thing that a schema objects to into an error for people: full path, value, nearest valid one. */
import { describe, fail, type OptimizerError } from '../errors.js';
import { nearest } from './nearest.js';

/** The part of JSON Schema that the generator emits for settings. */
export interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The part of a zod issue that is used. */
export interface SchemaIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly message?: string;
}

/** @param beside names that may stand beside the settings at the top: the caller's own data, and options of the call. */
export function explain(
  issue: SchemaIssue,
  input: unknown,
  schema: SchemaNode,
  writtenAs: ReadonlyMap<string, string>,
  beside: readonly string[] = [],
): OptimizerError {
  const parent = issue.path.map(String);
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys?.[0] : undefined;
  if (unknownKey !== undefined) {
    const path = [...parent, unknownKey].join('.');
    return fail('UNKNOWN_SETTING', {
      path: writtenAs.get(path) ?? path,
      suggestion: suggestKey(unknownKey, parent, schema, parent.length === 0 ? beside : []),
    });
  }
  const path = parent.join('.');
  const actual = parent.reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], input);
  const node = parent.reduce<SchemaNode | undefined>((at, key) => propertiesOf(at)[key], schema);
  return fail('INVALID_SETTING', {
    path: path === '' ? '(the whole tree)' : (writtenAs.get(path) ?? path),
    actual: actual === undefined ? 'missing' : describe(actual),
    // What no schema can say, its author says.
    expected: issue.code === 'custom' && issue.message ? issue.message : expectation(node ?? {}, actual),
  });
}

/** @param beside names that are no settings and may stand among them. */
function suggestKey(
  key: string,
  parent: readonly string[],
  schema: SchemaNode,
  beside: readonly string[],
): string {
  const siblings = propertiesOf(
    parent.reduce<SchemaNode | undefined>((at, k) => propertiesOf(at)[k], schema),
  );
  const prefix = parent.length === 0 ? '' : `${parent.join('.')}.`;
  const known = [...Object.keys(siblings), ...beside];
  const sibling = nearest(key, known);
  if (sibling !== undefined) return `Did you mean "${prefix}${sibling}"?`;
  // A right name in the wrong place is a common mistake: look through the whole tree.
  const everywhere = pathsOf(schema);
  const close = nearest(key, [...everywhere.keys()]);
  if (close !== undefined) return `Did you mean "${everywhere.get(close) ?? close}"?`;
  return known.length === 0 ? 'Nothing is set here.' : `Known here: ${known.join(', ')}.`;
}

function expectation(node: SchemaNode, actual: unknown): string {
  const values = valuesOf(node);
  const close = typeof actual === 'string' ? nearest(actual, values.map(String)) : undefined;
  const alternatives: string[] = values.map((value) => JSON.stringify(value));
  for (const option of node.anyOf ?? [node]) {
    if (option.properties) alternatives.push('an object');
    else if (option.type === 'boolean') alternatives.push('true', 'false');
    else if (isNumeric(option) && !option.enum) {
      alternatives.push(rangeOf(option));
    } else if (option.type === 'string' && !option.enum && option.const === undefined) {
      alternatives.push('a text');
    }
  }
  const list = oneOf(alternatives);
  return close === undefined ? list : `${JSON.stringify(close)} (the nearest), or another of ${list}`;
}

/** Zod always emits both bounds for an integer; a number may lack them. */
function rangeOf({ type, minimum, maximum }: SchemaNode): string {
  const kind = type === 'integer' ? 'an integer' : 'a number';
  return minimum === undefined || maximum === undefined ? kind : `${kind} from ${minimum} to ${maximum}`;
}

function isNumeric(node: SchemaNode): boolean {
  return (node.type === 'integer' || node.type === 'number') && node.const === undefined;
}

function valuesOf(node: SchemaNode): readonly unknown[] {
  if (node.enum) return node.enum;
  if (node.const !== undefined) return [node.const];
  return (node.anyOf ?? []).flatMap(valuesOf);
}

function propertiesOf(node: SchemaNode | undefined): Readonly<Record<string, SchemaNode>> {
  if (!node) return {};
  return (
    node.properties ?? Object.fromEntries((node.anyOf ?? []).flatMap((n) => Object.entries(propertiesOf(n))))
  );
}

/** Last segment → full path, for every key of the tree. */
function pathsOf(node: SchemaNode, prefix = '', found = new Map<string, string>()): Map<string, string> {
  for (const [key, child] of Object.entries(propertiesOf(node))) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (!found.has(key)) found.set(key, path);
    pathsOf(child, path, found);
  }
  return found;
}

function oneOf(alternatives: readonly string[]): string {
  if (alternatives.length <= 1) return alternatives[0] ?? 'a valid value';
  const last = alternatives[alternatives.length - 1] ?? '';
  return `${alternatives.slice(0, -1).join(', ')} or ${last}`;
}
