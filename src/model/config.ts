import type { Choice, MemoryChoice } from './choice.js';

/** `config.json`: what is in force for services that use this store. */
export interface StoredConfig {
  readonly schemaVersion: number;
  readonly updatedAt: string;
  /** Fingerprint of the host that wrote this last: the one that `defaults` were measured on. */
  readonly hostId: string;
  /** Defaults for structs and pools of subjects that have no choice of their own. */
  readonly defaults: { readonly memory?: MemoryChoice };
  /** Choices by subject key, `<kind>:<name>`, e.g. `struct:Order`. */
  readonly subjects: Readonly<Record<string, StoredChoice>>;
  /** Node flags that were measured to help, for whoever starts the service. */
  readonly runtimeFlags: readonly string[];
}

export interface StoredChoice {
  readonly choice: Choice;
  readonly profileId: string;
  readonly appliedAt: string;
  /** Fingerprint of the host that it was measured on. */
  readonly hostId: string;
}
