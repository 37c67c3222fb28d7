import { SMAPS_COLUMNS, type Capability, type NativeContract } from '../../native/contract.js';
import type { Gathered, Sampler } from '../sampler.js';
import { fill, setOr } from './host.js';

const NO_SMAPS: Capability = {
  available: false,
  reason: 'NO_SMAPS',
  message: 'This kernel gives no /proc/self/smaps_rollup.',
  remedy: 'Run on Linux 4.14 or later to see resident memory split.',
};

/** Resident memory split by what backs it, read once at the end: it costs about a millisecond. */
export class MemoryMapSampler implements Sampler {
  readonly name = 'memory map';
  readonly #native: NativeContract;

  constructor(native: NativeContract) {
    this.#native = native;
  }

  start(): void {}

  stop(gathered: Gathered): void {
    const map = fill(SMAPS_COLUMNS, (out) => this.#native.readMemoryMap(out));
    setOr(gathered, 'rss.proportional', map.pssBytes, NO_SMAPS);
    setOr(gathered, 'rss.anonymous', map.anonymousBytes, NO_SMAPS);
    setOr(gathered, 'rss.anonymousHuge', map.anonymousHugeBytes, NO_SMAPS);
    setOr(gathered, 'rss.private', map.privateCleanBytes + map.privateDirtyBytes, NO_SMAPS);
    setOr(gathered, 'rss.shared', map.sharedCleanBytes + map.sharedDirtyBytes, NO_SMAPS);
    setOr(gathered, 'rss.swap', map.swapBytes, NO_SMAPS);
  }
}
