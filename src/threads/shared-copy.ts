/**
 * Copies of shared data: for measuring without touching the caller's, and for processes of their own. Views that look
 * at one buffer do so in the copy too.
 */
import type { ThreadChoice } from '../model/choice.js';
import { attach, detach, type AttachedObject } from './attached-objects.js';

/** Shared data as structured clone carries it to another process, which knows no SharedArrayBuffer of ours. */
export interface PackedData {
  readonly buffers: readonly Uint8Array[];
  readonly root: PackedNode;
  /** Objects over the buffers, to be made anew in the copy; `loadMakers` them first. */
  readonly attached: readonly AttachedObject[];
}

type PackedNode =
  | { readonly kind: 'plain'; readonly value: unknown }
  | { readonly kind: 'buffer'; readonly buffer: number }
  | {
      readonly kind: 'view';
      readonly type: string;
      readonly buffer: number;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly kind: 'array'; readonly items: readonly PackedNode[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, PackedNode])[] };

/** `shared` must have passed `leavesOf`. */
export function packShared(shared: unknown): PackedData {
  const buffers: ArrayBufferLike[] = [];
  const numberOf = (buffer: ArrayBufferLike) => {
    const known = buffers.indexOf(buffer);
    return known >= 0 ? known : buffers.push(buffer) - 1;
  };
  const pack = (value: unknown): PackedNode => {
    if (ArrayBuffer.isView(value)) {
      return {
        kind: 'view',
        // Buffers arrive in threads as Uint8Array too.
        type: Buffer.isBuffer(value) ? 'Uint8Array' : value.constructor.name,
        buffer: numberOf(value.buffer),
        offset: value.byteOffset,
        length: value instanceof DataView ? value.byteLength : (value as Uint8Array).length,
      };
    }
    if (value instanceof SharedArrayBuffer) return { kind: 'buffer', buffer: numberOf(value) };
    if (typeof value !== 'object' || value === null) return { kind: 'plain', value };
    if (Array.isArray(value)) return { kind: 'array', items: value.map(pack) };
    return { kind: 'object', entries: Object.entries(value).map(([key, child]) => [key, pack(child)]) };
  };
  const { plain, attached } = detach(shared);
  const root = pack(plain);
  return { buffers: buffers.map((buffer) => new Uint8Array(buffer).slice()), root, attached };
}

type ViewConstructor = new (buffer: SharedArrayBuffer, offset: number, length: number) => ArrayBufferView;

export function unpackShared({ buffers, root, attached }: PackedData): unknown {
  const memory = buffers.map((bytes) => {
    const buffer = new SharedArrayBuffer(bytes.byteLength);
    new Uint8Array(buffer).set(bytes);
    return buffer;
  });
  const unpack = (node: PackedNode): unknown => {
    switch (node.kind) {
      case 'plain':
        return node.value;
      case 'buffer':
        return memory[node.buffer];
      case 'view': {
        const View = (globalThis as Record<string, unknown>)[node.type] as ViewConstructor;
        return new View(memory[node.buffer]!, node.offset, node.length);
      }
      case 'array':
        return node.items.map(unpack);
      case 'object':
        return Object.fromEntries(node.entries.map(([key, child]) => [key, unpack(child)]));
    }
  };
  return attach({ plain: unpack(root), attached });
}

export function packedBytes({ buffers }: PackedData): number {
  return buffers.reduce((sum, bytes) => sum + bytes.byteLength, 0);
}

/** Whether two copies hold the same bytes. */
export function sameBytes(a: PackedData, b: PackedData): boolean {
  return a.buffers.every((bytes, index) => Buffer.compare(bytes, b.buffers[index]!) === 0);
}

/** A job as plain data, for a process of its own. */
export interface PackedJob {
  readonly module: string;
  readonly export: string;
  readonly range: readonly [number, number];
  readonly shared: PackedData;
  readonly reduces: boolean;
  readonly costHint: readonly number[] | undefined;
  readonly choice: ThreadChoice;
}
