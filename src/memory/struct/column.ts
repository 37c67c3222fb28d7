/** Finds the column of a field: its typed array, and where in it the records' values are. */
import { describe, fail } from '../../errors.js';
import type { AccessNode, AccessPlan, Codec, TypedArray } from './access-plan.js';
import type { CursorHost } from './accessor-runtime.js';

/** One scalar of every record. The shape is that of `src/native/kernel-contract.ts`. */
export interface Column {
  readonly view: TypedArray;
  /** First element, number of records, stride, stride of blocks (0: none), in elements. */
  readonly shape: Int32Array;
  readonly codec: Codec;
  readonly isWide: boolean;
  readonly isFloat: boolean;
  /** `Order.price`, for messages. */
  readonly path: string;
}

/**
 * @param field name of a field, or names joined by dots for fields of structs within
 * @param allowsFlags whether a single flag will do; its column is that of the integer it lies in
 * @throws INVALID_ARGUMENT where there is no such field, or it holds no number: text, and fixed arrays
 */
export function columnOf(host: CursorHost, field: string, allowsFlags = false): Column {
  const node = nodeAt(host.plan.root, field);
  if (
    node?.kind !== 'leaf' ||
    (node.codec.kind === 'bit' && !allowsFlags) ||
    node.index.dimensions.length > 0 ||
    node.codec.kind === 'utf8'
  ) {
    throw fail('INVALID_ARGUMENT', {
      name: `field of "${host.name}"`,
      actual: describe(field),
      expected: `one with a number per record: ${numericFields(host.plan, allowsFlags).slice(0, 12).join(', ')}`,
    });
  }
  const view = host.views[node.view] as TypedArray;
  const { constant, stride, blockStride = 0 } = node.index;
  return {
    view,
    shape: Int32Array.of(constant, host.length, stride, blockStride),
    codec: node.codec,
    isWide: view instanceof BigInt64Array || view instanceof BigUint64Array,
    isFloat: view instanceof Float64Array || view instanceof Float32Array,
    path: node.path,
  };
}

function nodeAt(root: AccessPlan['root'], field: unknown): AccessNode | undefined {
  if (typeof field !== 'string') return undefined;
  let node: AccessNode | undefined = root;
  for (const name of field.split('.')) {
    if (node?.kind !== 'struct') return undefined;
    node = node.members.find((member) => member.name === name)?.access;
  }
  return node;
}

function numericFields(plan: AccessPlan, allowsFlags: boolean): string[] {
  const found: string[] = [];
  const visit = (node: AccessNode, path: string) => {
    if (node.kind === 'leaf' && node.codec.kind !== 'utf8' && (allowsFlags || node.codec.kind !== 'bit')) {
      found.push(path);
    }
    if (node.kind !== 'struct') return;
    for (const { name, access } of node.members) visit(access, path === '' ? name : `${path}.${name}`);
  };
  visit(plan.root, '');
  return found;
}
