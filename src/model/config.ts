import type { Choice, MemoryChoice } from './choice.js';

/** Where something was measured. */
export interface MeasuredOn {
  /** Fingerprint of the host. */
  readonly hostId: string;
  /** Node's version, as `process.version`. */
  readonly node: string;
  /** Version of this package. */
  readonly library: string;
}

/**
 * `config.json`: what is in force for services that use this store. Where it was measured is that of `defaults` and
 * `runtimeFlags`; a choice of a subject carries its own.
 */
export interface StoredConfig extends MeasuredOn {
  readonly schemaVersion: number;
  readonly updatedAt: string;
  /** Defaults for structs and pools of subjects that have no choice of their own. */
  readonly defaults: { readonly memory?: MemoryChoice };
  /** Choices by subject key, `<kind>:<name>`, e.g. `struct:Order`. */
  readonly subjects: Readonly<Record<string, StoredChoice>>;
  /** Node flags that were measured to help, for whoever starts the service. */
  readonly runtimeFlags: readonly string[];
  /** Variables of the environment that were measured to help, likewise. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface StoredChoice extends MeasuredOn {
  readonly choice: Choice;
  readonly profileId: string;
  readonly appliedAt: string;
}
