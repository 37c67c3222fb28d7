/** Reads what `sysopt layout` plans: C headers, and JSON descriptions of records. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { OptimizerError } from '../errors.js';
import { parseCStructs } from '../memory/c-declarations/parse-c-structs.js';
import { requireDescriptor, type StructDescriptor } from '../memory/struct/descriptor.js';
import { alignOf, sizeOf, type FieldNode, type ScalarName } from '../memory/struct/field-types.js';
import { nearest } from '../settings/nearest.js';
import { UsageError } from './exit-code.js';

export interface RecordField {
  readonly name: string;
  readonly sizeBytes: number;
  readonly alignBytes: number;
  /** Undefined where nothing but the extent is known. */
  readonly node: FieldNode | undefined;
}

export interface RecordSource {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly fields: readonly RecordField[];
  readonly hot?: readonly string[];
  readonly frequencies?: Readonly<Record<string, number>>;
  readonly writers?: Readonly<Record<string, readonly string[]>>;
}

export interface SkippedRecord {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

export interface LayoutInput {
  readonly records: readonly RecordSource[];
  readonly skipped: readonly SkippedRecord[];
}

const JSON_EXAMPLE =
  'Give { "structs": [{ "name": "order", "fields": [{ "name": "id", "type": "u32" }, ' +
  '{ "name": "key", "sizeBytes": 16, "alignBytes": 8 }] }] }, or what Type.descriptor gives.';

/**
 * @param defines macros for C sources, as by `-DNAME=value`
 * @throws UsageError for a file that cannot be read, is no JSON where its name says so, or defines no record
 */
export async function readLayoutInput(
  file: string,
  defines: Readonly<Record<string, string>>,
): Promise<LayoutInput> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `Cannot read ${file}: ${(error as Error).message}.`,
      'Give a C header or a JSON description.',
    );
  }
  const input = extname(file) === '.json' ? fromJson(file, text) : fromC(file, text, defines);
  if (input.records.length === 0 && input.skipped.length === 0) {
    throw new UsageError(
      `${file} defines no struct.`,
      'Give a C header with struct definitions, or JSON in a file that ends in .json.',
    );
  }
  return input;
}

function fromC(file: string, text: string, defines: Readonly<Record<string, string>>): LayoutInput {
  const { structs, skipped } = parseCStructs(text, { defines });
  const own = <T extends { readonly isSystemHeader: boolean }>(all: readonly T[]) =>
    all.filter((each) => !each.isSystemHeader);
  const records: RecordSource[] = [];
  const left: SkippedRecord[] = own(skipped).map(({ name, reason, line, file: origin }) => ({
    name,
    reason,
    line,
    file: origin ?? file,
  }));
  for (const { name, line, file: origin, fields, alignBytes } of own(structs)) {
    const place = { name, line, file: origin ?? file };
    if (alignBytes > Math.max(...fields.map((field) => field.alignBytes))) {
      left.push({ ...place, reason: `aligned to ${alignBytes} as a whole` });
      continue;
    }
    records.push({
      ...place,
      fields: fields.map((field) => ({
        name: field.name,
        sizeBytes: field.sizeBytes,
        alignBytes: field.alignBytes,
        node: field.node,
      })),
    });
  }
  return { records, skipped: left };
}

function fromJson(file: string, text: string): LayoutInput {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(
      `${file}:${lineAt(text, faultAt(text, message))}: no JSON: ${message}.`,
      JSON_EXAMPLE,
    );
  }
  const listed = isObject(value) && Array.isArray(value.structs) ? value.structs : value;
  const descriptions: readonly unknown[] = Array.isArray(listed) ? listed : [listed];
  const records = descriptions.map((description, k): RecordSource => {
    const name = nameOf(description);
    const line = name === undefined ? 1 : lineAt(text, Math.max(0, text.search(namePattern(name))));
    try {
      return { file, line, ...recordOf(description) };
    } catch (error) {
      const reason =
        error instanceof SyntaxError || error instanceof OptimizerError ? error.message : String(error);
      throw new UsageError(`${file}:${line}: record ${name ?? `number ${k + 1}`}: ${reason}`, JSON_EXAMPLE);
    }
  });
  return { records, skipped: [] };
}

/** V8 names the position of most faults; of an unexpected token it shows the surroundings instead. */
function faultAt(text: string, message: string): number {
  const position = /position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  if (!message.startsWith('Unexpected token')) return text.length;
  // The shortest beginning that has the fault: those before it merely end too soon.
  let low = 0;
  for (let high = text.length; low < high;) {
    const middle = (low + high) >> 1;
    if (hasUnexpectedToken(text.slice(0, middle))) high = middle;
    else low = middle + 1;
  }
  return Math.max(0, low - 1);
}

function hasUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return (error as Error).message.startsWith('Unexpected token');
  }
}

function nameOf(description: unknown): string | undefined {
  if (!isObject(description)) return undefined;
  const holder = isObject(description.node) ? description.node : description;
  return typeof holder.name === 'string' ? holder.name : undefined;
}

function namePattern(name: string): RegExp {
  return new RegExp(`"name"\\s*:\\s*${JSON.stringify(name).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

const RECORD_KEYS = ['name', 'fields', 'hot', 'frequencies', 'writers'];
const FIELD_KEYS = ['name', 'type', 'sizeBytes', 'alignBytes'];

function recordOf(description: unknown): Omit<RecordSource, 'file' | 'line'> {
  if (!isObject(description)) throw new SyntaxError('it is no object.');
  if ('node' in description) return fromDescriptor(requireDescriptor(description));
  refuseUnknown(description, RECORD_KEYS, 'key');
  const { name, fields, hot, frequencies, writers } = description;
  if (typeof name !== 'string' || name === '') throw new SyntaxError('it has no name.');
  if (!Array.isArray(fields) || fields.length === 0) throw new SyntaxError('it has no list of fields.');
  return {
    name,
    fields: (fields as unknown[]).map(fieldOf),
    // The planner checks what stands in these.
    ...(hot !== undefined && { hot: hot as string[] }),
    ...(frequencies !== undefined && { frequencies: frequencies as Record<string, number> }),
    ...(writers !== undefined && { writers: writers as Record<string, string[]> }),
  };
}

function fromDescriptor({ node, choice, writers }: StructDescriptor): Omit<RecordSource, 'file' | 'line'> {
  return {
    name: node.name,
    fields: node.fields.map((field) => ({
      name: field.name,
      sizeBytes: sizeOf(field.node),
      alignBytes: alignOf(field.node),
      node: field.node,
    })),
    ...(choice.hot !== undefined && { hot: choice.hot }),
    writers,
  };
}

function fieldOf(field: unknown, k: number): RecordField {
  if (!isObject(field) || typeof field.name !== 'string') {
    throw new SyntaxError(`field number ${k + 1} has no name.`);
  }
  const { name, type, sizeBytes, alignBytes } = field;
  refuseUnknown(field, FIELD_KEYS, `key of field "${name}"`);
  if (type === undefined) {
    if (typeof sizeBytes === 'number' && typeof alignBytes === 'number') {
      return { name, sizeBytes, alignBytes, node: undefined };
    }
    throw new SyntaxError(`field "${name}" has neither a type nor sizeBytes and alignBytes.`);
  }
  if (sizeBytes !== undefined || alignBytes !== undefined) {
    throw new SyntaxError(`field "${name}" has a type and an extent besides; give one of both.`);
  }
  const node = typeof type === 'string' ? nodeOf(type) : undefined;
  if (node === undefined) {
    throw new SyntaxError(
      `field "${name}" is of the unknown type ${JSON.stringify(type)}; there are ${Object.keys(NODES).join(', ')}, ` +
        'each also as an array such as f32[3], and utf8(16).',
    );
  }
  return { name, sizeBytes: sizeOf(node), alignBytes: alignOf(node), node };
}

const NODES: Readonly<Record<string, FieldNode>> = Object.fromEntries([
  ...(['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f32', 'f64', 'bool'] as ScalarName[]).map(
    (scalar): [string, FieldNode] => [scalar, { kind: 'scalar', scalar }],
  ),
  ['pointer', { kind: 'scalar', scalar: 'u64', pointer: true }] as [string, FieldNode],
]);

function nodeOf(type: string): FieldNode | undefined {
  const text = /^utf8\((\d{1,6})\)$/.exec(type);
  if (text !== null) return Number(text[1]) > 0 ? { kind: 'utf8', bytes: Number(text[1]) } : undefined;
  const [, name, suffix] = /^(\w+)((?:\[[1-9]\d{0,8}\])*)$/.exec(type) ?? [];
  const scalar = name === undefined || !Object.hasOwn(NODES, name) ? undefined : NODES[name];
  if (scalar === undefined) return undefined;
  const counts = [...(suffix ?? '').matchAll(/\d+/g)].map(([count]) => Number(count));
  return counts.reduceRight<FieldNode>((element, count) => ({ kind: 'array', element, count }), scalar);
}

function refuseUnknown(value: object, known: readonly string[], what: string): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const meant = nearest(unknown, known);
  throw new SyntaxError(
    `unknown ${what}: "${unknown}"${meant === undefined ? '' : `, did you mean "${meant}"`}.`,
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
