/** What an optimisation puts in force for a subject. Stored in config.json, loaded by the service. */
export type Choice = MemoryChoice | PoolChoice | SizeClassChoice | ComputationChoice | ThreadChoice;

export type StructPacking = 'minimal_padding' | 'cache_line' | 'declared';
export type ArrayOrder = 'aos' | 'soa' | 'aosoa';

export interface MemoryChoice {
  readonly kind: 'memory';
  readonly packing: StructPacking;
  readonly cacheLineBytes: 64 | 128;
  readonly order: ArrayOrder;
  /** Fields to place first, on the fewest cache lines. */
  readonly hot?: readonly string[];
  /** Fields by the thread that writes them, in place of what the type declares; groups get lines of their own. */
  readonly writers?: Readonly<Record<string, readonly string[]>>;
}

export interface PoolChoice {
  readonly kind: 'pool';
  readonly slots: number;
  /** Slots to add at a time; absent: as many as there are. */
  readonly growSlots?: number;
  readonly alignmentBytes: number;
  readonly hugePages: 'auto' | 'never' | 'require';
  readonly prefault: boolean;
}

export interface SizeClassChoice {
  readonly kind: 'size_classes';
  /** In ascending order of `slotBytes`; the last one holds the pool's `maxBytes`. */
  readonly classes: readonly SizeClassSetting[];
}

export interface SizeClassSetting {
  readonly slotBytes: number;
  /** Slots to begin with. */
  readonly slots: number;
  /** Slots to add at a time; absent: as many as there are. */
  readonly growSlots?: number;
}

export interface ComputationChoice {
  readonly kind: 'computation';
  /** In ascending order of `maxSize`; the last entry has no bound and serves every larger size. */
  readonly bySize: readonly { readonly maxSize: number | null; readonly variant: string }[];
}

export interface ThreadChoice {
  readonly kind: 'thread';
  /** 1 means serial on the calling thread. */
  readonly threads: number;
  readonly schedule: Schedule;
  /** Iterations a chunk; null lets the schedule choose. */
  readonly grain: number | null;
  readonly affinity: 'numa_aware' | 'compact' | 'scatter' | 'none';
}

export type Schedule = 'auto' | 'static' | 'guided' | 'factoring' | 'stealing' | 'shared_counter';
