/** A type as plain JSON, so that a worker or another process can rebuild it with the same offsets. */
import { describe, fail } from '../../errors.js';
import { isPowerOfTwo } from '../arguments.js';
import {
  alignOf,
  scalarBytes,
  sizeOf,
  type FieldNode,
  type PlacedNode,
  type ScalarName,
  type StructNode,
} from './field-types.js';
import { recordingBytes } from './recording-memory.js';
import type { ArrayOrder, MemoryChoice } from '../../model/choice.js';

export interface StructDescriptor {
  readonly version: 1;
  /** Offsets as they are in force. */
  readonly node: StructNode;
  readonly choice: MemoryChoice;
  readonly writers: Readonly<Record<string, readonly string[]>>;
  /** Where a recording type counts accesses; such a descriptor goes by `postMessage` only. */
  readonly recording?: SharedArrayBuffer;
}

const SCALARS: readonly ScalarName[] = [
  'u8',
  'u16',
  'u32',
  'u64',
  'i8',
  'i16',
  'i32',
  'i64',
  'f32',
  'f64',
  'bool',
];
const ORDERS: readonly ArrayOrder[] = ['aos', 'soa', 'aosoa'];

/** Names of fields: they become properties of cursors and members of C structs. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
/** Taken by cursors. */
const RESERVED = new Set(['index', 'array', 'toObject', 'assign', 'toJSON', 'constructor', '__proto__']);

/** @throws INVALID_SCHEMA for a name that cannot be a field's. */
export function requireFieldName(struct: string, name: unknown): void {
  if (typeof name === 'string' && FIELD_NAME.test(name) && !RESERVED.has(name)) return;
  throw fail('INVALID_SCHEMA', {
    name: struct,
    problem: `${describe(name)} cannot be the name of a field.`,
    remedy: `Use letters, digits and _, not beginning with a digit, and none of ${[...RESERVED].join(', ')}.`,
  });
}

/**
 * Checks that a description from outside is one that accessors can be made for: names, alignment, no overlap.
 * @throws INVALID_SCHEMA
 */
export function requireDescriptor(value: unknown): StructDescriptor {
  const refuse = (problem: string): never => {
    throw fail('INVALID_SCHEMA', {
      name: 'descriptor',
      problem,
      remedy: 'Pass Type.descriptor as it was given, through JSON or postMessage.',
    });
  };
  const descriptor = value as Partial<StructDescriptor> | null;
  if (typeof descriptor !== 'object' || descriptor === null) return refuse(`It is ${describe(value)}.`);
  if (descriptor.version !== 1) return refuse(`Its version is ${describe(descriptor.version)}, not 1.`);
  const order = descriptor.choice?.order;
  if (descriptor.choice?.kind !== 'memory' || !ORDERS.includes(order as ArrayOrder)) {
    return refuse('It has no memory choice.');
  }
  checkNode(descriptor.node, 'the record', refuse, 0);
  if ((descriptor.node as FieldNode).kind !== 'struct') return refuse('It describes no struct.');
  if (descriptor.writers === undefined) return refuse('It has no writer groups.');
  const { recording } = descriptor;
  if (recording !== undefined) {
    const { fields } = descriptor.node as StructNode;
    if (!(recording instanceof SharedArrayBuffer) || recording.byteLength !== recordingBytes(fields.length)) {
      refuse('Its memory for counting accesses is not what a recording type shares.');
    }
  }
  return descriptor as StructDescriptor;
}

function checkNode(node: unknown, path: string, refuse: (problem: string) => never, depth: number): void {
  const each = node as FieldNode | null | undefined;
  if (typeof each !== 'object' || each === null || depth > 32) return refuse(`${path} is no field type.`);
  switch (each.kind) {
    case 'scalar':
      if (!SCALARS.includes(each.scalar)) refuse(`${path} has the unknown type ${describe(each.scalar)}.`);
      if (each.pointer !== undefined && !((each.pointer as unknown) === true && each.scalar === 'u64')) {
        refuse(`${path} is a pointer that is not of type u64.`);
      }
      return;
    case 'enum':
      if (!['u8', 'u16', 'u32'].includes(each.scalar)) refuse(`${path} has an enum of a wrong type.`);
      if (typeof each.values !== 'object' || !Object.values(each.values).every(isSize)) {
        refuse(`${path} has an enum without numbers.`);
      }
      return;
    case 'flags':
      return checkFlags(each, path, refuse);
    case 'utf8':
      if (!isSize(each.bytes) || each.bytes < 1) refuse(`${path} has text of ${describe(each.bytes)} bytes.`);
      return;
    case 'array':
      if (!isSize(each.count) || each.count < 1) refuse(`${path} has ${describe(each.count)} elements.`);
      return checkNode(each.element, `${path}[]`, refuse, depth + 1);
    case 'struct':
      return checkStruct(each, path, refuse, depth);
    default:
      return refuse(`${path} is of the unknown kind ${describe((each as { kind?: unknown }).kind)}.`);
  }
}

function checkFlags(
  node: FieldNode & { kind: 'flags' },
  path: string,
  refuse: (problem: string) => never,
): void {
  if (!['u8', 'u16', 'u32'].includes(node.scalar)) refuse(`${path} has flags of a wrong type.`);
  const pairs = typeof node.bits === 'object' ? Object.entries(node.bits ?? {}) : [];
  const masks = pairs.map(([, mask]) => mask);
  if (pairs.length === 0 || new Set(masks).size < masks.length)
    refuse(`${path} has no flags, or equal ones.`);
  for (const [name, mask] of pairs) {
    requireFlagName(path, name);
    if (!isBitOf(mask, node.scalar)) refuse(`${path}.${name} is no single bit of ${node.scalar}.`);
  }
}

function checkStruct(
  node: StructNode,
  path: string,
  refuse: (problem: string) => never,
  depth: number,
): void {
  const { name, fields, sizeBytes, alignBytes } = node;
  if (typeof name !== 'string' || name === '') refuse(`${path} has ${describe(name)} for a name.`);
  if (!Array.isArray(fields) || fields.length === 0) refuse(`${path} has no fields.`);
  if (!isSize(sizeBytes) || !isPowerOfTwo(alignBytes) || sizeBytes % alignBytes !== 0) {
    refuse(`${path} has size ${describe(sizeBytes)} and alignment ${describe(alignBytes)}.`);
  }
  const names = new Set<string>();
  for (const field of fields as readonly PlacedNode[]) {
    requireFieldName(name, (field as PlacedNode | undefined)?.name);
    if (names.has(field.name)) refuse(`${path} has two fields "${field.name}".`);
    names.add(field.name);
    checkNode(field.node, `${path}.${field.name}`, refuse, depth + 1);
    const at = field.offsetBytes;
    if (!isSize(at) || at % alignOf(field.node) !== 0 || alignBytes % alignOf(field.node) !== 0) {
      refuse(`${path}.${field.name} is not aligned.`);
    }
  }
  let end = 0;
  for (const field of (fields as readonly PlacedNode[]).toSorted((a, b) => a.offsetBytes - b.offsetBytes)) {
    if (field.offsetBytes < end) refuse(`${path}.${field.name} overlaps another field.`);
    end = field.offsetBytes + sizeOf(field.node);
  }
  if (end > sizeBytes) refuse(`${path} is smaller than its fields.`);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 2 ** 31;
}

/** @throws INVALID_SCHEMA for a name that cannot be a flag's: `bits` is the integer of all. */
export function requireFlagName(struct: string, name: unknown): void {
  requireFieldName(struct, name === 'bits' ? undefined : name);
}

/** Whether a mask is one single bit of the integer. */
export function isBitOf(mask: unknown, scalar: ScalarName): mask is number {
  return (
    typeof mask === 'number' &&
    Number.isInteger(Math.log2(mask)) &&
    mask >= 1 &&
    mask < 256 ** scalarBytes(scalar)
  );
}

/** C's name of a scalar. */
export function cScalar(scalar: ScalarName): string {
  if (scalar === 'bool') return 'bool';
  if (scalar === 'f32') return 'float';
  if (scalar === 'f64') return 'double';
  return `${scalar.startsWith('u') ? 'uint' : 'int'}${scalarBytes(scalar) * 8}_t`;
}
