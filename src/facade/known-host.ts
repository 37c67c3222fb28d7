/** What this host's memory and clock cost, as one optimizer knows it: from its store, else measured and stored. */
import { useHostProbe } from '../host/effective-cache.js';
import { hostFingerprint } from '../host/environment.js';
import type { ProbeOptions } from '../host/probe.js';
import type { HostProbe } from '../model/host-probe.js';
import type { Store } from '../storage/store.js';

/** Share of an optimisation's budget that measuring the host may take, once per host and store. */
const PROBE_SHARE = 1 / 20;
/** With less than this, the latency curve ends before main memory; with more it gets no better. */
const [MIN_PROBE_MS, MAX_PROBE_MS] = [500, 1000];

export class KnownHost {
  readonly #store: Store;

  /** From now on layouts, tiles and trials of this process take their cache sizes from this store. */
  constructor(store: Store) {
    this.#store = store;
    useHostProbe(() => this.#stored());
  }

  /** As stored, unless `fresh` is asked for; else measured and stored. @throws as `probeHost`; StorageError. */
  async probe({
    fresh = false,
    ...options
  }: ProbeOptions & { readonly fresh?: boolean }): Promise<HostProbe> {
    const stored = fresh ? null : this.#stored();
    if (stored) return stored;
    const { probeHost } = await import('../host/probe.js');
    const probe = await probeHost(options);
    await this.#store.saveHostProbe(probe);
    useHostProbe(() => probe);
    return probe;
  }

  /** Makes sure of a probe where a budget has room for one; else sizes come from a short measurement. */
  async learnWithin(budgetMs: number, signal: AbortSignal): Promise<void> {
    const probeMs = Math.min(MAX_PROBE_MS, budgetMs * PROBE_SHARE);
    if (probeMs >= MIN_PROBE_MS) await this.probe({ budgetMs: probeMs, signal });
  }

  /** Null also where the store cannot be read: cache sizes are then measured for this process. */
  #stored(): HostProbe | null {
    try {
      return this.#store.hostProbe(hostFingerprint().id);
    } catch {
      return null;
    }
  }
}
