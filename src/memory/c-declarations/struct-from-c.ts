/** A struct type from its declaration in C: same offsets, checked by nothing but the ABI's rules. */
import { describe, fail } from '../../errors.js';
import { requireOneOf } from '../arguments.js';
import type { FieldNode, StructNode } from '../struct/field-types.js';
import { structFromDescriptor, type StructType } from '../struct/struct-type.js';
import { parseCStructs, type CField, type CStruct, type ParseCOptions } from './parse-c-structs.js';

export interface StructFromCOptions extends ParseCOptions {
  /** `names` (default): fields of an enum read as its names. `numbers`: as plain numbers, e.g. for sums of flags. */
  readonly enums?: 'names' | 'numbers';
  /** Other names for fields, by their name in C: `index` and a few others belong to cursors. */
  readonly rename?: Readonly<Record<string, string>>;
}

/**
 * The struct type that equals a struct declared in C, at C's offsets. Pointers and function pointers become `u64`,
 * `char name[16]` becomes text, `long` is 64 bits.
 *
 * @param name the tag or typedef; may be left out where the source defines one struct only, or to take the last
 * @throws C_DECLARATION with line and column for what has no equal here: bit-fields, unions, packed structs, flexible
 *   array members, unknown types; and where there is no struct of that name. INVALID_SCHEMA for fields whose names
 *   cursors need themselves: see `rename`.
 *
 * @example
 * const Reading = structFromC('struct reading { uint32_t sensor; double value; };', 'reading');
 * Reading.sizeBytes;                 // 16
 * Reading.array(10).cursor();        // { sensor, value }
 */
export function structFromC(source: string, name?: string, options: StructFromCOptions = {}): StructType {
  const { structs, skipped } = parseCStructs(source, options);
  const enums = requireOneOf('enums', options.enums ?? 'names', ['names', 'numbers'] as const);
  const found = name === undefined ? structs.at(-1) : structs.find((each) => each.name === name);
  const left = skipped.find((each) => name === undefined || each.name === name);
  if (left !== undefined && (found === undefined || name === undefined)) {
    throw fail('C_DECLARATION', {
      where: `struct ${left.name}, line ${left.line}, column ${left.column}`,
      problem: left.reason,
      remedy: 'Declare it without, or give what is unknown in options.defines or options.types.',
    });
  }
  if (found === undefined) {
    throw fail('C_DECLARATION', {
      where: 'The source',
      problem: name === undefined ? 'it defines no struct' : `it defines no struct ${describe(name)}`,
      remedy: `Pass the name of one that it defines${listed(structs)}.`,
    });
  }
  const node: StructNode = {
    kind: 'struct',
    name: found.name,
    sizeBytes: found.sizeBytes,
    alignBytes: found.alignBytes,
    fields: found.fields.map((field) => ({
      name: options.rename?.[field.name] ?? field.name,
      offsetBytes: field.offsetBytes,
      node: converted(requireNode(found, field), enums),
    })),
  };
  const choice = { kind: 'memory', packing: 'declared', cacheLineBytes: 64, order: 'aos' } as const;
  return structFromDescriptor({ version: 1, node, choice, writers: {} });
}

function requireNode(struct: CStruct, field: CField): FieldNode {
  if (field.node !== undefined) return field.node;
  throw fail('C_DECLARATION', {
    where: `struct ${struct.name}, line ${field.line}, column ${field.column}`,
    problem: `field "${field.name}" is of type ${field.type}, which this library has not`,
    remedy: 'Declare it as an array of bytes of the same size and alignment.',
  });
}

function converted(node: FieldNode, enums: 'names' | 'numbers'): FieldNode {
  switch (node.kind) {
    case 'enum':
      return enums === 'names' ? node : { kind: 'scalar', scalar: node.scalar };
    case 'array':
      return { ...node, element: converted(node.element, enums) };
    case 'struct':
      return { ...node, fields: node.fields.map((each) => ({ ...each, node: converted(each.node, enums) })) };
    default:
      return node;
  }
}

function listed(structs: readonly CStruct[]): string {
  const names = structs.slice(0, 8).map((struct) => struct.name);
  return names.length === 0 ? '' : `: ${names.join(', ')}${structs.length > 8 ? ', …' : ''}`;
}
