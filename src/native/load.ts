/**
 * Chooses the native implementation for this thread: the addon where it loads, else the fallback.
 *
 * Environment variables
 * - `SYSOPT_NATIVE=fallback` keeps the addon out, e.g. to see what the library can do without it.
 * - `SYSOPT_NATIVE=addon` insists on the addon: `loadNative()` throws where it cannot load.
 * - `SYSOPT_EXTERNAL_BUFFERS=0` makes regions V8 buffers of their own, as on hosts that refuse others.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, fail } from '../errors.js';
import { addonCapabilities, type AddonExports } from './capabilities.js';
import type { NativeContract } from './contract.js';
import { createFallback } from './fallback.js';

let loaded: NativeContract | undefined;
let loadError: string | undefined;

/**
 * The native implementation of this thread, loaded at the first call (about a millisecond) and kept.
 *
 * @throws InvalidSetting for an unknown `SYSOPT_NATIVE`; ADDON_REQUIRED where `SYSOPT_NATIVE=addon` and it
 *   does not load. Never because the addon is missing otherwise: the fallback takes over, and
 *   {@link nativeLoadError} says why.
 *
 * @example
 * const native = loadNative();
 * native.implementation;        // 'addon'
 * native.threadCpuTimeNs();     // 95675735
 */
export function loadNative(): NativeContract {
  loaded ??= choose(process.env['SYSOPT_NATIVE']);
  return loaded;
}

/** Why the addon is not in use; undefined where it is, and before the first {@link loadNative}. */
export function nativeLoadError(): string | undefined {
  return loadError;
}

function choose(wanted: string | undefined): NativeContract {
  if (wanted !== undefined && !['', 'fallback', 'addon'].includes(wanted)) {
    throw fail('INVALID_SETTING', {
      path: 'SYSOPT_NATIVE',
      actual: describe(wanted),
      expected: '"addon", "fallback", or leave it unset',
    });
  }
  if (wanted === 'fallback') {
    loadError = 'SYSOPT_NATIVE=fallback keeps it out.';
    return createFallback(loadError);
  }
  try {
    return loadAddon();
  } catch (error) {
    loadError = oneLine(error);
    if (wanted === 'addon') {
      throw fail('ADDON_REQUIRED', { what: 'SYSOPT_NATIVE=addon', reason: loadError }, { cause: error });
    }
    return createFallback(loadError);
  }
}

function loadAddon(): NativeContract {
  // At first use, not by import: the package must stay cheap to import.
  const require = createRequire(import.meta.url);
  const nodeGypBuild = require('node-gyp-build') as (packageDirectory: string) => AddonExports;
  const addon = nodeGypBuild(fileURLToPath(new URL('../..', import.meta.url)));
  return {
    ...addon,
    implementation: 'addon',
    capabilities: () => addonCapabilities(addon),
    kernels: addon,
  };
}

function oneLine(error: unknown): string {
  const { code, resource } = (error ?? {}) as { readonly code?: unknown; readonly resource?: unknown };
  if (code === 'ERR_ACCESS_DENIED') {
    return `Node's permission model refuses ${typeof resource === 'string' ? `to read ${resource}` : 'it'}`;
  }
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, ' ').trim();
}
