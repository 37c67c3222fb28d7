/**
 * Hexadecimal digits, which Node 20 does one by one. Base64 and validating UTF-8 are not here: Node does those in vectors,
 * as fast as memory goes (figures in `docs/kernels.md`).
 */
import { describe, fail } from '../../errors.js';
import { loadNative } from '../../native/load.js';
import { filledPart, refuseSharing, requireBytes, requireOut } from './arguments.js';
import { FROM, HEX_ENCODE_UP_TO } from './break-even.js';

/** By code of a character: its value, 16 and more for what is no digit. */
const VALUES = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return value < 0 ? 16 : value;
});

/**
 * Two lower-case digits a byte: what `buffer.toString('hex')` gives.
 *
 * @param data at most 2^28 - 12 bytes: a string has no room for more digits.
 * @example
 * kernels.hexEncode(Uint8Array.of(1, 255)); // '01ff'
 */
export function hexEncode(data: ArrayBufferView): string {
  requireBytes('data', data);
  const { byteLength } = data;
  const isWorthIt = byteLength >= FROM.hexEncode && byteLength <= HEX_ENCODE_UP_TO;
  const native = isWorthIt ? loadNative().kernels : undefined;
  if (native) return native.bytesHexEncode(data);
  if (byteLength === 0) return ''; // Also where the buffer is detached: Buffer.from would throw.
  const buffer = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, byteLength);
  return buffer.toString('hex');
}

/**
 * The bytes of a row of digits, upper or lower case. Unlike `Buffer.from(text, 'hex')`, which stops at the first character
 * that is no digit and says nothing, it refuses what is not wholly digits, or one digit too many.
 *
 * @param digits a string, or its characters as bytes.
 * @param out room for all bytes; by default a new Buffer.
 * @returns the part of `out` that was filled, `out` itself where that is all of it
 * @throws INVALID_ARGUMENT, with the place of the first pair that is no byte; what stood before it has been written.
 * @example
 * kernels.hexDecode('01FF'); // Buffer [1, 255]
 */
export function hexDecode(digits: string | Uint8Array, out?: Uint8Array): Uint8Array {
  const isText = typeof digits === 'string';
  if (!isText && !(digits instanceof Uint8Array)) {
    const expected = 'a string, or a Uint8Array of its characters';
    throw fail('INVALID_ARGUMENT', { name: 'digits', actual: describe(digits), expected });
  }
  if (digits.length % 2 !== 0) {
    throw fail('INVALID_ARGUMENT', {
      name: 'digits',
      actual: `${digits.length} characters`,
      expected: 'an even number of digits, two for each byte',
    });
  }
  const length = digits.length / 2;
  if (out !== undefined) {
    requireOut<Uint8Array>('out', out, 'Uint8Array', length);
    if (!isText) refuseSharing('out', out, 'digits', digits);
  }
  // Uncleared, and of Node's pool where it is short: clearing costs as much as decoding.
  const bytes = out === undefined ? Buffer.allocUnsafe(length) : filledPart(out, length);
  const native = length >= FROM.hexDecode ? loadNative().kernels : undefined;
  const done = native ? native.bytesHexDecode(digits, bytes) : decodeByLoop(digits, bytes);
  if (done === length) return bytes;
  const wrong = isText
    ? digits.slice(2 * done, 2 * done + 2)
    : String.fromCharCode(...digits.subarray(2 * done, 2 * done + 2));
  throw fail('INVALID_ARGUMENT', {
    name: `digits[${2 * done}]`,
    actual: JSON.stringify(wrong),
    expected: 'two hexadecimal digits',
  });
}

function decodeByLoop(digits: string | Uint8Array, out: Uint8Array): number {
  for (let i = 0; i < out.length; i += 1) {
    const high = typeof digits === 'string' ? digits.charCodeAt(2 * i) : digits[2 * i]!;
    const low = typeof digits === 'string' ? digits.charCodeAt(2 * i + 1) : digits[2 * i + 1]!;
    // Codes beyond the table have no value.
    const value = (VALUES[high] ?? 16) * 16 + (VALUES[low] ?? 256);
    if (value > 255 || VALUES[low] === 16) return i;
    out[i] = value;
  }
  return out.length;
}
