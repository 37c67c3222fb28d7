/** Bits, characters, checksums and hashes in JavaScript: the same results as `native/core/kernels/bytes.cc`. */

export type BitOperation = 'and' | 'or' | 'xor' | 'andNot';

/** Words or bytes: arrays of integers of one width. */
export type Words = Uint8Array | Uint32Array;

// A function each: closed, so that `copies.ts` can copy them.
export const COMBINE = {
  and: (a: Words, b: Words, out: Words): void => {
    for (let i = 0; i < a.length; i += 1) out[i] = a[i]! & b[i]!;
  },
  or: (a: Words, b: Words, out: Words): void => {
    for (let i = 0; i < a.length; i += 1) out[i] = a[i]! | b[i]!;
  },
  xor: (a: Words, b: Words, out: Words): void => {
    for (let i = 0; i < a.length; i += 1) out[i] = a[i]! ^ b[i]!;
  },
  andNot: (a: Words, b: Words, out: Words): void => {
    for (let i = 0; i < a.length; i += 1) out[i] = a[i]! & ~b[i]!;
  },
};

export function countBits(data: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < data.length; i += 1) {
    let bits = data[i]!;
    bits -= (bits >>> 1) & 0x55;
    bits = (bits & 0x33) + ((bits >>> 2) & 0x33);
    count += (bits + (bits >>> 4)) & 0x0f;
  }
  return count;
}

/** Bytes that begin a character. */
export function countCodePoints(data: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < data.length; i += 1) count += (data[i]! & 0xc0) === 0x80 ? 0 : 1;
  return count;
}

const CASTAGNOLI = 0x82f63b78;
let table: Uint32Array | undefined;

function crcTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? CASTAGNOLI : 0);
    return crc >>> 0;
  });
}

export function crc32c(data: Uint8Array, seed: number): number {
  table ??= crcTable();
  let crc = ~seed;
  for (let i = 0; i < data.length; i += 1) crc = (crc >>> 8) ^ table[(crc ^ data[i]!) & 255]!;
  return ~crc >>> 0;
}

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;

const wrap = (value: bigint) => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint) => wrap((value << by) | (value >> (64n - by)));
const round = (state: bigint, input: bigint) =>
  wrap(rotate(wrap(state + wrap(input * PRIME_2)), 31n) * PRIME_1);
const mergeRound = (hash: bigint, state: bigint) => wrap((hash ^ round(0n, state)) * PRIME_1 + PRIME_4);

export function xxh64(data: Uint8Array, seed: bigint): bigint {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const { byteLength } = view;
  let at = 0;
  let hash = wrap(seed + PRIME_5);
  if (byteLength >= 32) {
    let a = wrap(seed + PRIME_1 + PRIME_2);
    let b = wrap(seed + PRIME_2);
    let c = seed;
    let d = wrap(seed - PRIME_1);
    for (; at + 32 <= byteLength; at += 32) {
      a = round(a, view.getBigUint64(at, true));
      b = round(b, view.getBigUint64(at + 8, true));
      c = round(c, view.getBigUint64(at + 16, true));
      d = round(d, view.getBigUint64(at + 24, true));
    }
    hash = wrap(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
    hash = mergeRound(mergeRound(mergeRound(mergeRound(hash, a), b), c), d);
  }
  hash = wrap(hash + BigInt(byteLength));
  for (; at + 8 <= byteLength; at += 8) {
    hash = wrap(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4);
  }
  if (at + 4 <= byteLength) {
    const word = BigInt(view.getUint32(at, true));
    hash = wrap(rotate(hash ^ wrap(word * PRIME_1), 23n) * PRIME_2 + PRIME_3);
    at += 4;
  }
  for (; at < byteLength; at += 1) {
    hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint8(at)) * PRIME_5), 11n) * PRIME_1);
  }
  hash = wrap((hash ^ (hash >> 33n)) * PRIME_2);
  hash = wrap((hash ^ (hash >> 29n)) * PRIME_3);
  return hash ^ (hash >> 32n);
}
