/** The C (and C++) view of a type: the same offsets, checked by the compiler that reads it. */
import { alignOf, sizeOf, type FieldNode, type StructNode } from './field-types.js';
import { cScalar } from './descriptor.js';

/** @internal See `Type.toCHeader()`. */
export function cHeader(node: StructNode): string {
  return cHeaderOf([node], node.name);
}

/**
 * Several records in one header. Inner structs that two of them share are written once.
 * @internal
 * @param title becomes the name of the include guard
 */
export function cHeaderOf(nodes: readonly StructNode[], title: string): string {
  const structs = new Map<string, StructNode>();
  for (const node of nodes) collect(node, structs);
  const guard = `${identifier(title).toUpperCase()}_H`;
  return [
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    '#include <assert.h>',
    '#include <stdbool.h>',
    '#include <stddef.h>',
    '#include <stdint.h>',
    '#ifndef __cplusplus',
    '#include <stdalign.h>',
    '#endif',
    '',
    ...[...structs].flatMap(([name, each]) => [...enumsOf(name, each), ...body(name, each, structs), '']),
    `#endif // ${guard}`,
    '',
  ].join('\n');
}

/** Inner structs first; two different ones of one name get numbers. */
function collect(node: FieldNode, structs: Map<string, StructNode>): void {
  if (node.kind === 'array') return collect(node.element, structs);
  if (node.kind !== 'struct') return;
  for (const field of node.fields) collect(field.node, structs);
  if (nameOf(node, structs) !== undefined) return;
  let name = identifier(node.name);
  for (let k = 2; structs.has(name); k += 1) name = `${identifier(node.name)}_${k}`;
  structs.set(name, node);
}

function nameOf(node: StructNode, structs: Map<string, StructNode>): string | undefined {
  const wanted = JSON.stringify(node);
  for (const [name, each] of structs) if (JSON.stringify(each) === wanted) return name;
  return undefined;
}

function enumsOf(struct: string, node: StructNode): string[] {
  const fields = namesOf(node);
  return node.fields.flatMap(({ name, node: type }) => {
    const inner = innermost(type);
    if (inner.kind !== 'enum' && inner.kind !== 'flags') return [];
    const entries = Object.entries(inner.kind === 'enum' ? inner.values : inner.bits);
    const field = fields.get(name) as string;
    const constants = [
      ...identifiers(entries.map(([key]) => `${struct}_${field}_${key}`.toUpperCase())).values(),
    ];
    const values = entries.map(([, value], k) => `  ${constants[k] as string} = ${value}u`);
    return [`enum ${struct}_${field} {`, `${values.join(',\n')}`, '};', ''];
  });
}

function body(name: string, node: StructNode, structs: Map<string, StructNode>): string[] {
  const names = namesOf(node);
  const lines: string[] = [];
  const checks: string[] = [];
  let end = 0;
  let paddings = 0;
  const natural = Math.max(...node.fields.map((field) => alignOf(field.node)));
  const pad = (bytes: number) => lines.push(`  uint8_t padding_${(paddings += 1)}_[${bytes}];`);
  for (const field of node.fields.toSorted((a, b) => a.offsetBytes - b.offsetBytes)) {
    const align = alignOf(field.node);
    // C would place it earlier: fields of another writer, or the start of a line.
    if (Math.ceil(end / align) * align < field.offsetBytes) pad(field.offsetBytes - end);
    const first = lines.every((line) => line.includes('padding_'));
    const alignas = first && node.alignBytes > natural ? `alignas(${node.alignBytes}) ` : '';
    const own = names.get(field.name) as string;
    lines.push(`  ${alignas}${declaration(own, field.node, structs)};`);
    checks.push(`static_assert(offsetof(struct ${name}, ${own}) == ${field.offsetBytes}, "${name}.${own}");`);
    end = field.offsetBytes + sizeOf(field.node);
  }
  const aligned = Math.ceil(end / node.alignBytes) * node.alignBytes;
  if (aligned < node.sizeBytes) pad(node.sizeBytes - end);
  return [
    `struct ${name} {`,
    ...lines,
    '};',
    ...checks,
    `static_assert(sizeof(struct ${name}) == ${node.sizeBytes}, "sizeof ${name}");`,
    `static_assert(alignof(struct ${name}) == ${node.alignBytes}, "alignof ${name}");`,
  ];
}

function declaration(name: string, node: FieldNode, structs: Map<string, StructNode>): string {
  let suffix = '';
  let each = node;
  while (each.kind === 'array') {
    suffix += `[${each.count}]`;
    each = each.element;
  }
  if (each.kind === 'utf8') return `char ${name}${suffix}[${each.bytes}]`;
  if (each.kind === 'struct') return `struct ${nameOf(each, structs) ?? each.name} ${name}${suffix}`;
  if (each.kind === 'scalar' && each.pointer === true) return `void *${name}${suffix}`;
  return `${cScalar((each as { scalar: 'u8' }).scalar)} ${name}${suffix}`;
}

function innermost(node: FieldNode): FieldNode {
  return node.kind === 'array' ? innermost(node.element) : node;
}

function namesOf(node: StructNode): Map<string, string> {
  return identifiers(node.fields.map(({ name }) => name));
}

/** By name, an identifier of its own: two names may differ in characters only that C does not know. */
function identifiers(names: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of names) {
    let own = identifier(name);
    for (let k = 2; taken.has(own); k += 1) own = `${identifier(name)}_${k}`;
    taken.add(own);
    given.set(name, own);
  }
  return given;
}

function identifier(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_');
  return RESERVED.has(plain) ? `${plain}_` : plain;
}

/** Keywords of C11 and C++20, and what the included headers define. */
const RESERVED: ReadonlySet<string> = new Set(
  `alignas alignof and and_eq asm assert auto bitand bitor bool break case catch char char16_t char32_t char8_t class
  co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype default
  delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable
  namespace new noexcept not not_eq nullptr offsetof operator or or_eq private protected public register
  reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch template
  this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor
  xor_eq NULL`.split(/\s+/),
);
