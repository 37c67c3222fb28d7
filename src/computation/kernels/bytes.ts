/** Bits, characters, checksums and hashes of memory; digits are in `hex.ts`. */
import { describe, fail } from '../../errors.js';
import { loadNative } from '../../native/load.js';
import { requireInteger } from '../../memory/arguments.js';
import { refuseOverlap, requireBytes } from './arguments.js';
import { FROM } from './break-even.js';
import * as loops from './loops/bytes.js';
import { copies } from './loops/copies.js';
import type { BitOperation } from './loops/bytes.js';

const OPERATIONS: readonly BitOperation[] = ['and', 'or', 'xor', 'andNot'];
const hash = new BigUint64Array(1);

const NO_BYTES = new Uint8Array(0);

/** A view costs more than a hundred bytes of work, and most arrays of bytes are one. Of a detached buffer none can be made. */
function asBytes(view: ArrayBufferView): Uint8Array {
  if (view instanceof Uint8Array) return view;
  return view.byteLength === 0 ? NO_BYTES : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Of each operation: over bytes, and over words. */
const combined = {
  and: copies(loops.COMBINE.and, 2),
  or: copies(loops.COMBINE.or, 2),
  xor: copies(loops.COMBINE.xor, 2),
  andNot: copies(loops.COMBINE.andNot, 2),
};

function combine<T extends ArrayBufferView>(
  operation: BitOperation,
  a: ArrayBufferView,
  b: ArrayBufferView,
  out: T,
): T {
  const areBytes = a instanceof Uint8Array && b instanceof Uint8Array && out instanceof Uint8Array;
  const areWords = a instanceof Uint32Array && b instanceof Uint32Array && out instanceof Uint32Array;
  // Asking for a length in bytes is a call into the engine.
  const isAlike = (areBytes || areWords) && a.length === b.length && a.length === out.length;
  if (!isAlike) {
    requireBytes('a', a);
    requireAsManyBytes('b', b, a);
    requireAsManyBytes('out', out, a);
  }
  const { buffer } = out;
  refuseOverlap('out', out, 'a', a, buffer);
  refuseOverlap('out', out, 'b', b, buffer);
  const isLong = areWords ? a.length >= FROM.combineWords / 4 : byteLengthOf(a) >= FROM.combine;
  const native = isLong ? loadNative().kernels : undefined;
  if (native) native.bytesCombine(OPERATIONS.indexOf(operation), a, b, out);
  else if (areWords) combined[operation][1]!(a, b, out);
  else combined[operation][0]!(asBytes(a), asBytes(b), asBytes(out));
  return out;
}

function requireAsManyBytes(name: string, value: unknown, { byteLength }: ArrayBufferView): void {
  requireBytes(name, value);
  if (value.byteLength === byteLength) return;
  throw fail('INVALID_ARGUMENT', {
    name,
    actual: `of ${value.byteLength} bytes`,
    expected: `as many bytes as a has, ${byteLength}`,
  });
}

const byteLengthOf = (view: ArrayBufferView): number =>
  view instanceof Uint8Array ? view.length : view.byteLength;

/**
 * `out = a & b`, bit by bit over all bytes. Arrays of any types and of the same number of bytes; `out` may be one of them.
 *
 * @throws INVALID_ARGUMENT for sizes that differ, and for memory that overlaps without being the same.
 */
export function bitAnd<T extends ArrayBufferView>(a: ArrayBufferView, b: ArrayBufferView, out: T): T {
  return combine('and', a, b, out);
}

/** `out = a | b`; see {@link bitAnd}. */
export function bitOr<T extends ArrayBufferView>(a: ArrayBufferView, b: ArrayBufferView, out: T): T {
  return combine('or', a, b, out);
}

/** `out = a ^ b`; see {@link bitAnd}. */
export function bitXor<T extends ArrayBufferView>(a: ArrayBufferView, b: ArrayBufferView, out: T): T {
  return combine('xor', a, b, out);
}

/** `out = a & ~b`: a without what is in b; see {@link bitAnd}. */
export function bitAndNot<T extends ArrayBufferView>(a: ArrayBufferView, b: ArrayBufferView, out: T): T {
  return combine('andNot', a, b, out);
}

/** How many bits are set: the size of a bitset. */
export function countBits(data: ArrayBufferView): number {
  requireBytes('data', data);
  const native = data.byteLength >= FROM.countBits ? loadNative().kernels : undefined;
  return native ? native.bytesCountBits(data) : loops.countBits(asBytes(data));
}

/**
 * How many characters (code points) valid UTF-8 has, without decoding it. Invalid text counts the bytes that could begin a
 * character; ask `buffer.isUtf8` first where that matters.
 */
export function countCodePoints(data: ArrayBufferView): number {
  requireBytes('data', data);
  const native = data.byteLength >= FROM.countCodePoints ? loadNative().kernels : undefined;
  return native ? native.bytesCountCodePoints(data) : loops.countCodePoints(asBytes(data));
}

/**
 * CRC-32C (Castagnoli), as iSCSI, ext4, Kafka and Google Cloud Storage use it. Not the CRC-32 of zlib, which Node has.
 *
 * @param seed the checksum of what came before, to go on with: 0 to 2^32 - 1.
 * @example
 * kernels.crc32c(Buffer.from('123456789')).toString(16); // 'e3069283'
 */
export function crc32c(data: ArrayBufferView, seed = 0): number {
  requireBytes('data', data);
  requireInteger('seed', seed, 0, 2 ** 32 - 1);
  const native = data.byteLength >= FROM.crc32c ? loadNative().kernels : undefined;
  return native ? native.bytesCrc32c(data, seed) : loops.crc32c(asBytes(data), seed);
}

/**
 * XXH64 of Yann Collet's xxHash: fast, well spread, not for secrets.
 *
 * @param seed 0 to 2^64 - 1.
 * @example
 * kernels.xxh64(Buffer.from('abc')).toString(16); // '44bc2cf5ad770999'
 */
export function xxh64(data: ArrayBufferView, seed = 0n): bigint {
  requireBytes('data', data);
  if (typeof seed !== 'bigint' || seed < 0n || seed >= 2n ** 64n) {
    const expected = 'a bigint from 0n to 2n ** 64n - 1n';
    throw fail('INVALID_ARGUMENT', { name: 'seed', actual: describe(seed), expected });
  }
  const native = loadNative().kernels;
  if (!native) return loops.xxh64(asBytes(data), seed);
  hash[0] = seed;
  native.bytesXxh64(data, hash);
  return hash[0];
}
