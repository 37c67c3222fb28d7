/** Work that Node gives to libuv's pool apart from files: key derivation and the like, compression, name look-ups. */
import type * as Zlib from 'node:zlib';
import type { ActivityTable } from './activity-table.js';
import type { Patches } from './patches.js';
import { callbackTracer, promiseTracer, type Family } from './traced.js';

const CRYPTO = [
  ...['pbkdf2', 'scrypt', 'hkdf', 'randomBytes', 'randomFill', 'randomInt', 'generateKeyPair', 'generateKey'],
  ...['generatePrime', 'checkPrime', 'sign', 'verify', 'diffieHellman'],
];
const SUBTLE = [
  ...['digest', 'deriveBits', 'deriveKey', 'encrypt', 'decrypt', 'sign', 'verify', 'generateKey'],
  'importKey',
];
const ZLIB = [
  ...['deflate', 'deflateRaw', 'gzip', 'inflate', 'inflateRaw', 'gunzip', 'unzip', 'brotliCompress'],
  ...['brotliDecompress', 'zstdCompress', 'zstdDecompress'],
];
const DNS = [
  ...['lookup', 'lookupService', 'resolve', 'resolve4', 'resolve6', 'resolveAny', 'resolveCname'],
  ...['resolveMx', 'resolveSrv', 'resolveTxt', 'reverse'],
];

/** What a run replaces, for who has to be there earlier. */
export const FORWARDED_OF_POOL = { crypto: CRYPTO, zlib: ZLIB, dns: DNS } as const;

/** @returns the family of look-ups, for a socket that looks its peer up itself. */
export function installPoolTrace(table: ActivityTable, patches: Patches): Family {
  // Loaded when a run begins: an agent that waits for one has no need of them.
  const crypto = process.getBuiltinModule('node:crypto');
  const dns = process.getBuiltinModule('node:dns');
  const zlib = process.getBuiltinModule('node:zlib');
  const work: Family = { table, depth: 0 };
  const names: Family = { table, depth: 0 };
  patches.wrapAll(crypto, CRYPTO, (key) => callbackTracer(work, { kind: 'crypto', name: `crypto.${key}` }));
  const subtle: unknown = Object.getPrototypeOf(crypto.webcrypto.subtle);
  patches.wrapAll(subtle, SUBTLE, (key) =>
    promiseTracer(work, { kind: 'crypto', name: `crypto.subtle.${key}` }),
  );
  patches.wrapAll(zlib, ZLIB, (key) => callbackTracer(work, { kind: 'zlib', name: `zlib.${key}` }));
  for (const prototype of zlibStreams(zlib)) {
    patches.wrap(prototype, '_transform', callbackTracer(work, { kind: 'zlib', name: 'zlib stream' }));
  }
  const target = ([name]: readonly unknown[]) => (typeof name === 'string' ? name : '');
  patches.wrapAll(dns, DNS, (key) => callbackTracer(names, { kind: 'dns', name: `dns.${key}`, target }));
  patches.wrapAll(dns.promises, DNS, (key) =>
    promiseTracer(names, { kind: 'dns', name: `dns.promises.${key}`, target }),
  );
  // A resolver of the program's own, with name servers of its own.
  patches.wrapAll(dns.Resolver.prototype, DNS, (key) =>
    callbackTracer(names, { kind: 'dns', name: `dns.Resolver.${key}`, target }),
  );
  patches.wrapAll(dns.promises.Resolver.prototype, DNS, (key) =>
    promiseTracer(names, { kind: 'dns', name: `dns.promises.Resolver.${key}`, target }),
  );
  return names;
}

/** The classes that hold `_transform` for all compressing streams; they are not exported. */
function zlibStreams(zlib: typeof Zlib): Set<unknown> {
  const found = new Set<unknown>();
  for (const create of [zlib.createGzip, zlib.createBrotliCompress]) {
    const stream = create();
    let at: unknown = Object.getPrototypeOf(stream);
    while (at !== null && !Object.hasOwn(at as object, '_transform')) at = Object.getPrototypeOf(at);
    if (at !== null) found.add(at);
    stream.destroy();
  }
  return found;
}
