import type { NativeCapabilities } from './contract.js';
import { loadNative, nativeLoadError } from './load.js';

/** Whether the addon is in use, and what can be measured and done on this host. */
export interface NativeStatus {
  readonly implementation: 'addon' | 'fallback';
  /** Why the addon is not in use; absent where it is. */
  readonly reason?: string;
  readonly capabilities: NativeCapabilities;
}

/**
 * What `sysopt doctor` builds on. Loads the addon if nothing did yet; costs system calls.
 *
 * @example
 * const { implementation, reason, capabilities } = nativeStatus();
 * if (!capabilities.hardwareCounters.available) console.log(capabilities.hardwareCounters.remedy);
 */
export function nativeStatus(): NativeStatus {
  const native = loadNative();
  const reason = nativeLoadError();
  return {
    implementation: native.implementation,
    ...(reason !== undefined && { reason }),
    capabilities: native.capabilities(),
  };
}
