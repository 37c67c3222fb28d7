import type { NativeContract } from '../../dist/native/contract.js';
import { createFallback } from '../../dist/native/fallback.js';
import { loadNative, nativeLoadError } from '../../dist/native/load.js';

const addon = loadNative();
if (addon.implementation !== 'addon') {
  throw new Error(`The addon must be built for this suite: ${nativeLoadError() ?? ''}`);
}

/** Every implementation of the native contract, by name. */
export const IMPLEMENTATIONS: [name: string, native: NativeContract][] = [
  ['addon', addon],
  ['fallback', createFallback('the suite tests it')],
];

export const linux = process.platform === 'linux';
