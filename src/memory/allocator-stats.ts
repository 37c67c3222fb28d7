import type { UnavailableMetric } from '../model/metric.js';

/** Bytes of an allocator: reserved, in use now, and most ever in use. */
export type AllocatorBytes =
  | {
      readonly available: true;
      readonly capacity: number;
      readonly inUse: number;
      readonly highWater: number;
      /** Share (0 to 1) of the bytes in use that rounding up to slots or blocks wastes; null where unknown. */
      readonly internalFragmentation: number | null;
      /** Share (0 to 1) of the free bytes that the largest single request could not have. */
      readonly externalFragmentation: number;
    }
  | UnavailableMetric;

/** What every allocator of this package reports, in the same words. */
export interface AllocatorStats {
  readonly kind: 'slab-pool' | 'shared-slab-pool' | 'size-class-pool' | 'arena' | 'buddy' | 'object-pool';
  readonly name: string;
  /** Items (slots, allocations, objects) that it can hold now without growing; null where bytes are the only limit. */
  readonly capacity: number | null;
  readonly inUse: number;
  /** Most items ever in use at once. */
  readonly highWater: number;
  /** Times it grew after creation. */
  readonly growths: number;
  /** Requests that were refused for want of room. */
  readonly exhausted: number;
  /** Callers waiting for an item now. */
  readonly waiting: number;
  readonly bytes: AllocatorBytes;
  readonly closed: boolean;
}
