/** Nodes of a syntax tree, whatever their kind: what every pass over one asks of them. */
import type { Node } from 'acorn';

export type AnyNode = Node & Record<string, unknown>;

export function isNode(value: unknown): value is AnyNode {
  return (
    typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
  );
}

export function lineOf(node: AnyNode): number {
  return node.loc!.start.line;
}

export function lastName(node: AnyNode): string {
  if (node.type === 'ChainExpression') return lastName(node.expression as AnyNode);
  if (node.type === 'Identifier') return node.name as string;
  // As V8 names it in its frames.
  if (node.type === 'PrivateIdentifier') return `#${node.name as string}`;
  if (node.type === 'MemberExpression' && node.computed !== true) return lastName(node.property as AnyNode);
  return '';
}
