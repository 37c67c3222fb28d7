import { getHeapStatistics } from 'node:v8';
import { SMAPS_COLUMNS, type Capability, type NativeContract } from '../../native/contract.js';
import type { Gathered, Sampler } from '../sampler.js';
import { fill, setOr } from './host.js';

/** What Node itself, its code and its compilers hold beside the heap, generously. */
const RUNTIME_BYTES = 48 * 1024 ** 2;

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
    const {
      total_physical_size: heapBytes,
      malloced_memory: v8Bytes,
      external_memory: external,
    } = getHeapStatistics();
    const workers = gathered.threads.filter(({ role }) => role === 'worker').length;
    const unaccounted = map.anonymousBytes - heapBytes - v8Bytes - external - RUNTIME_BYTES;
    // A worker's heap is not seen from here, so that nothing can be said beside large ones.
    setOr(gathered, 'process.unaccounted', workers === 0 ? unaccounted : Number.NaN, NO_SMAPS);
    setOr(
      gathered,
      'process.unaccounted.share',
      workers === 0 ? unaccounted / map.anonymousBytes : Number.NaN,
      NO_SMAPS,
    );
    setOr(gathered, 'rss.proportional', map.pssBytes, NO_SMAPS);
    setOr(gathered, 'rss.anonymous', map.anonymousBytes, NO_SMAPS);
    setOr(gathered, 'rss.anonymousHuge', map.anonymousHugeBytes, NO_SMAPS);
    setOr(gathered, 'rss.private', map.privateCleanBytes + map.privateDirtyBytes, NO_SMAPS);
    setOr(gathered, 'rss.shared', map.sharedCleanBytes + map.sharedDirtyBytes, NO_SMAPS);
    setOr(gathered, 'rss.swap', map.swapBytes, NO_SMAPS);
  }
}
